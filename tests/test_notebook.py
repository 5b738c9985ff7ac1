"""The notebook runs, says one thing at a time, and is what its executed copies show."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from PIL import Image

from notebooks import checks, drawing, workbench
from notebooks.build import SOURCE, executed, page, read
from training import data

NOTEBOOK = read()
WRONG, STRANGE = -12345, {"neither": "number", "nor": "list"}


def parts() -> dict[str, list[NotebookNode]]:
    """Heading -> the cells below it."""
    found: dict[str, list[NotebookNode]] = {}
    for cell in NOTEBOOK.cells:
        if heading := re.match(r"## \d+\. (.*)", cell.source):
            found[heading[1]] = []
        if found:
            list(found.values())[-1].append(cell)
    return found


@pytest.mark.slow
def test_it_runs_from_top_to_bottom() -> None:
    answered = executed(read(), short=True)
    outputs = [out for cell in answered.cells for out in cell.get("outputs", ())]
    drawn = [out for out in outputs if {"image/png", "image/jpeg"} & set(out.get("data", {}))]
    assert not [out for out in outputs if out["output_type"] == "error"]
    assert len(drawn) > 20
    written = page(answered)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//(?!127\.0\.0\.1)", written)  # nothing is fetched


def test_it_takes_the_steps_of_the_talk_in_order() -> None:
    headings = list(parts())
    order = ("Seeing", "One list", "padding", "Stride", "flip", "classification", "Activation", "response", "pooling",
             "Dropout", "gradient", "section 3.5", "Training", "learned", "research")  # fmt: skip
    assert len(headings) == len(order)
    assert all(word in heading for word, heading in zip(order, headings, strict=True))


def test_nothing_is_revealed_before_it_was_asked() -> None:
    asked, revealed = False, 0
    for cell in NOTEBOOK.cells:
        if "reveal" in cell.metadata.get("tags", ()):
            assert asked, cell.source
            revealed += 1
        else:
            asked = "**Predict.**" in cell.source
    assert revealed >= 15


def test_it_leads_to_every_step_of_the_page() -> None:
    steps = (Path(__file__).parents[1] / "templates/learn/macros.html").read_text("utf-8")
    here = re.findall(r"/learn#(\w+)", "".join(cell.source for cell in NOTEBOOK.cells))
    assert sorted(here) == sorted(re.findall(r'^  "(\w+)": \("', steps, re.M))


def test_the_page_folds_from_a_prediction_to_the_next_question() -> None:
    written = page(read())
    folded = re.findall(r'<details class="reveal">.*?</details>', written, re.DOTALL)
    unfolded = re.sub(r'<details class="reveal">.*?</details>', "", written, flags=re.DOTALL)
    assert len(folded) == unfolded.count("<strong>Predict.</strong>") >= 20
    assert not any(question in "".join(folded) for question in ("<strong>Predict.", "<strong>Exercise.", "<h2>"))
    assert "60_965_224" not in unfolded  # neither the answer nor the cell that asserts it
    assert "Only ReLU." not in unfolded  # nor what is said of it
    assert unfolded.count(">check<") == 1 + len(parts())  # imported, and once for each exercise


def test_an_opened_notebook_keeps_its_answers_folded() -> None:
    for cell in NOTEBOOK.cells:
        hidden = cell.metadata.get("jupyter", {}).get("outputs_hidden", False)
        assert hidden == ("reveal" in cell.metadata.get("tags", ()))


def test_every_part_asks_and_ends_with_an_exercise() -> None:
    for heading, cells in parts().items():
        assert any("**Predict.**" in cell.source for cell in cells), heading
        assert any("**Exercise.**" in cell.source for cell in cells), heading
        assert any(cell.source.startswith("answer = ...\ncheck(") for cell in cells), heading


def test_cells_are_short_and_no_wider_than_the_page() -> None:
    code = [cell.source.splitlines() for cell in NOTEBOOK.cells if cell.cell_type == "code"]
    assert max(map(len, code)) <= 15
    assert max(len(line) for lines in code for line in lines) <= 88


def test_kernels_are_drawn_in_their_colours_and_maps_with_gaps_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda: None)
    halves = np.array([-1.0, -0.5]).repeat(3 * 2).reshape(1, 2, 3, 2).transpose(0, 2, 1, 3).repeat(2, 0)
    drawing.tiles(halves, columns=2)
    [kernels] = plt.gca().images
    drawing.tiles(np.ones((2, 4, 4)), columns=2)
    [maps] = plt.gca().images
    plt.close("all")
    np.testing.assert_allclose(np.asarray(kernels.get_array())[:, 0, 0], [0, 0.25])
    assert np.ma.getmaskarray(np.ma.asarray(maps.get_array())).nonzero()[1].tolist() == [4] * 4


def test_a_few_pictures_are_taken_from_every_class(tmp_path: Path) -> None:
    for half, name in product(("train", "val"), ("bowl", "cup", "jug")):
        folder = tmp_path / "mugs" / half / name
        folder.mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (8, 8)).save(folder / f"{number}.png")
    whole = data.load(str(tmp_path / "mugs"), "train")
    assert np.bincount(workbench.evenly(whole, 6).targets).tolist() == [2, 2, 2]


def test_every_claim_is_put_to_the_networks_own_code() -> None:
    asserting = [h for h, cells in parts().items() if any(re.search(r"^\s*assert ", c.source, re.M) for c in cells)]
    assert len(asserting) >= 13


@pytest.mark.parametrize("name", checks.EXERCISES)
def test_an_exercise_tells_untried_wrong_and_strange_answers_apart(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer, said in ((..., "Not tried yet"), (WRONG, ("Not yet", "That has another form"))):
        checks.check(name, answer)
        assert capsys.readouterr().out.startswith(said)
    checks.check(name, STRANGE)
    assert not capsys.readouterr().out.startswith("Yes")


@pytest.mark.parametrize(
    ("name", "answer"), [("dropout", 64), ("research", "b"), ("sgd", 10), ("training", 2.303), ("flip", [1, 0, -1])]
)
def test_a_right_answer_is_known(name: str, answer: object, capsys: pytest.CaptureFixture[str]) -> None:
    checks.check(name, answer)
    assert capsys.readouterr().out.startswith("Yes. ")


def test_the_executed_copy_holds_the_same_cells_with_their_answers() -> None:
    kept = nbformat.read(SOURCE.with_suffix(".ipynb"), 4)  # type: ignore[no-untyped-call]
    assert [cell.source for cell in kept.cells] == [cell.source for cell in NOTEBOOK.cells]
    assert all(cell.execution_count for cell in kept.cells if cell.cell_type == "code")
    assert SOURCE.with_suffix(".html").read_text("utf-8") == page(kept)


@pytest.mark.parametrize("suffix", [".ipynb", ".html"])
def test_the_copies_are_small_enough_to_send(suffix: str) -> None:
    assert SOURCE.with_suffix(suffix).stat().st_size < 1_500_000
