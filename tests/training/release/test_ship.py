"""Shipping: a better network takes the place, with its card and run log; a worse one is refused."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import checkpoint, unit_cards
from model.language.phrases import label_for
from model.runlog import reader, writer
from model.vocabulary import Vocabulary
from tests.tiny import tiny_network
from tests.training.made import folders
from training import __main__ as cli
from training.evaluation.microscope import run as microscope
from training.evaluation.microscope.ascent import Ascent, Made
from training.evaluation.microscope.cells import Cell
from training.evaluation.statistics import wilson_interval
from training.release.average import average
from training.release.ship import CARD, RUN_LOG, UNITS, WEIGHTS, prepare, refuse_worse, swap


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of three classes, and the folder of a run whose network says the first of them of everything."""
    folder = tmp_path_factory.mktemp("ship")
    names = ("blue mug", "green mug", "red mug")
    folders(folder / "mugs", dict.fromkeys(names, 20))
    vocabulary = Vocabulary(name="mugs", activation="softmax", labels=tuple(label_for("mugs", name) for name in names))
    made = tiny_network(67)
    made = replace(
        made,
        vocabularies=(vocabulary,),
        architecture=replace(made.architecture, outputs=3),
        weights={
            **made.weights,
            "fc8.weight": made.weights["fc8.weight"][:3],
            "fc8.bias": np.array([1e6, 0, 0], np.float32),
        },
        measured={"mugs": {"top1": 1 / 3}},
    )
    checkpoint.save(folder / "run" / "last.safetensors", made)
    writer.append(folder / "run" / "metrics.jsonl", {"step": 1, "loss": 1.0})
    return folder


def ship(world: Path, to: Path, *more: str) -> int:
    return cli.main(
        ["ship", str(world / "run"), "--data", str(world / "mugs"), "--to", str(to), "--no-microscope", *more]
    )


def test_a_network_is_shipped_with_card_and_run_log_and_a_worse_one_refused(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders(world / "strange=1", {"cup": 2})
    folders(world / "people", {"person": 2, "nobody": 2})
    beyond = ("--foreign", f"cups={world / 'strange=1'}", "--people", str(world / "people"))
    assert ship(world, tmp_path, *beyond) == 0
    shipped = tmp_path / "glassbot.safetensors"
    assert checkpoint.load(shipped).measured == {"mugs": {"top1": 0.3333, "top5": 1.0, "n": 6}}
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "| mugs (3) | 6 | top-1 33.3 % (" in card
    assert "blue mug 100 %" in card
    assert "It is not calibrated" in card
    assert "Tiny ImageNet" not in card
    assert "ship RUN --data D/mugs --foreign cups=D/strange=1 --people D/people\n" in card
    assert reader.entries(tmp_path / "journal.jsonl") == [{"step": 1, "loss": 1.0}]
    before = shipped.read_bytes()
    checkpoint.note_measured(shipped, {"mugs": {"top1": 0.9, "top5": 1.0, "n": 6}})
    better = shipped.read_bytes()
    assert better != before
    capsys.readouterr()
    assert ship(world, tmp_path) == 2
    assert "the network there scores 90.0 on mugs, this one 33.3" in capsys.readouterr().err
    assert shipped.read_bytes() == better
    assert ship(world, tmp_path, "--anyway") == 0
    assert shipped.read_bytes() == before


def test_a_vocabulary_that_has_grown_is_compared_on_the_set_that_it_had(world: Path, tmp_path: Path) -> None:
    served = replace(checkpoint.load(world / "run" / "last.safetensors"), measured={"mugs": {"top1": 0.6, "top5": 1.0}})
    sets = {
        "mugs": {"top1": 0.5, "classes": 3, "own_top1": 0.7},
        "cups": {"top1": 0.4, "classes": 9, "own_top1": 0.5},
    }
    refuse_worse({"mugs": {"top1": 0.45, "sets": sets}}, served, tmp_path)
    sets["mugs"]["own_top1"] = 0.59
    with pytest.raises(ValueError, match=r"the network there scores 60\.0 on mugs, this one 59\.0"):
        refuse_worse({"mugs": {"top1": 0.45, "sets": sets}}, served, tmp_path)


def test_a_run_that_went_on_from_the_network_there_tells_the_whole_story(world: Path, tmp_path: Path) -> None:
    assert ship(world, tmp_path) == 0
    there = checkpoint.load(tmp_path / "glassbot.safetensors").version
    dense = checkpoint.load(world / "run" / "last.safetensors")
    later = world / "later"
    checkpoint.save(later / "last.safetensors", replace(dense, provenance={"started_from": there}))
    for step in (0, 2):
        kernels = np.full((4, 3, 11, 11), step, np.float32)
        writer.append_sheet(later / "metrics.jsonl", step, 67, kernels, {})
    writer.append(later / "metrics.jsonl", {"step": 2, "loss": 0.5})
    arguments = ["ship", str(later), "--data", str(world / "mugs"), "--to", str(tmp_path), "--no-microscope"]
    assert cli.main(arguments) == 0
    told = tmp_path / "journal.jsonl"
    assert [(entry["step"], entry.get("loss")) for entry in reader.entries(told)] == [(1, 1.0), (3, None), (3, 0.5)]
    (sheet,) = reader.sheets(told)
    assert sheet.file == tmp_path / "journal" / "0000003.webp"
    assert sheet.file.read_bytes() == (later / "metrics" / "0000002.webp").read_bytes()
    assert ship(world, tmp_path, "--anyway") == 0
    assert reader.entries(told) == [{"step": 1, "loss": 1.0}]


def test_the_mean_with_the_network_there_is_shipped_where_the_run_went_on_from_it(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ship(world, tmp_path) == 0
    there = checkpoint.load(tmp_path / "glassbot.safetensors")
    dense = checkpoint.load(world / "run" / "last.safetensors")
    weights = {**dense.weights, "conv5.bias": np.asarray(there.weights["conv5.bias"]) + 2}
    went_on = replace(dense, weights=weights, provenance={"started_from": there.version, "teachers": ["a", "b"]})
    checkpoint.save(world / "mean" / "last.safetensors", went_on)
    writer.append(world / "mean" / "metrics.jsonl", {"step": 1, "loss": 1.0})
    arguments = ["ship", str(world / "mean"), "--data", str(world / "mugs"), "--to", str(tmp_path), "--average"]
    arguments.append("--no-microscope")
    assert cli.main(arguments) == 0
    shipped = checkpoint.load(tmp_path / "glassbot.safetensors")
    np.testing.assert_allclose(shipped.weights["conv5.bias"], there.weights["conv5.bias"] + 1, atol=1e-6)
    assert shipped.provenance["averaged_with"] == there.version
    assert ", and averaged with it; distilled from version `a`, `b`." in (tmp_path / "README.md").read_text("utf-8")
    capsys.readouterr()
    assert cli.main(arguments) == 2  # it did not start from the mean
    assert "did not start from" in capsys.readouterr().err


def test_a_mean_keeps_the_rows_of_the_vocabularies_that_it_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tiny_network(67)
    weights = {name: np.asarray(weight) + 2 for name, weight in earlier.weights.items()}
    later = replace(earlier, weights=weights, provenance={"started_from": earlier.version})
    mean = average(later, earlier, kept=["word"])
    moved = np.asarray(mean.weights["fc8.weight"]) - earlier.weights["fc8.weight"]
    words = np.zeros(len(moved), bool)
    words[earlier.slices()["word"]] = True
    np.testing.assert_allclose(moved[~words], 1, atol=1e-6)
    np.testing.assert_array_equal(moved[words], 0)
    np.testing.assert_array_equal(mean.weights["fc8.bias"][words], earlier.weights["fc8.bias"][words])
    assert mean.provenance["kept"] == ["word"]
    with pytest.raises(ValueError, match="no vocabulary smell, only object, scene, word"):
        average(later, earlier, kept=["smell"])
    assert cli.main(["ship", str(tmp_path), "--data", "photos", "--keep", "word"]) == 2
    assert "--keep says what --average leaves as it is" in capsys.readouterr().err


class CrashError(Exception):
    """Raised in place of a step of the swap, as a power cut would come."""


def crash_at(step: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the file operations before ``step`` happen and the others raise; the names of those that were tried."""
    tried: list[str] = []

    def counted(name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            tried.append(name)
            if len(tried) > step:
                raise CrashError
            return operation(*arguments, **options)

        return run

    for place, name in ((Path, "unlink"), (Path, "replace"), (Path, "rmdir"), (shutil, "rmtree")):
        monkeypatch.setattr(place, name, counted(name, getattr(place, name)))
    return tried


def serve(folder: Path, text: str) -> None:
    """Weights, card, run log, unit cards and sheet that all say ``text``, as if they were served."""
    (folder / "journal").mkdir(parents=True)
    for name in (WEIGHTS, CARD, RUN_LOG, UNITS, "journal/0000001.webp"):
        (folder / name).write_text(text)


def read_served(folder: Path) -> dict[str, str]:
    names = (WEIGHTS, CARD, RUN_LOG, UNITS, "journal/0000001.webp")
    return {name: (folder / name).read_text() for name in names if (folder / name).exists()}


@pytest.mark.parametrize("step", range(10))
def test_a_crash_at_any_step_leaves_nothing_of_one_network_beside_another_network_and_can_be_finished(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(tmp_path / "served", "old")
    serve(tmp_path / "run", "new")
    run = tmp_path / "run"
    prepare(tmp_path / "served", run / WEIGHTS, "new", run / RUN_LOG, continued=False, units=run / UNITS)
    assert set(read_served(tmp_path / "served").values()) == {"old"}
    with monkeypatch.context() as patch:
        tried = crash_at(step, patch)
        with pytest.raises(CrashError):
            swap(tmp_path / "served")
        assert len(tried) == step + 1
    texts = read_served(tmp_path / "served")
    assert WEIGHTS in texts
    assert len(set(texts.values())) == 1
    assert swap(tmp_path / "served")
    assert set(read_served(tmp_path / "served").values()) == {"new"}
    assert sorted(path.name for path in (tmp_path / "served").iterdir()) == sorted(
        [WEIGHTS, CARD, RUN_LOG, UNITS, "journal"]
    )
    assert not swap(tmp_path / "served")


def test_a_full_disk_while_preparing_leaves_what_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(tmp_path / "served", "old")
    serve(tmp_path / "run", "new")
    paths = (tmp_path / "run" / WEIGHTS, "new", tmp_path / "run" / RUN_LOG)
    for name in ("copyfileobj", "copyfile", "copytree"):
        with monkeypatch.context() as patch:
            patch.setattr(shutil, name, lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
            with pytest.raises(OSError, match="full"):
                prepare(tmp_path / "served", *paths, continued=False)
        assert not swap(tmp_path / "served")
        assert set(read_served(tmp_path / "served").values()) == {"old"}
    prepare(tmp_path / "served", *paths, continued=False)
    assert swap(tmp_path / "served")


def test_an_interrupted_swap_is_finished_by_the_next_ship(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ship(world, tmp_path) == 0
    weights = (tmp_path / WEIGHTS).read_bytes()
    prepare(tmp_path, tmp_path / WEIGHTS, "a card", world / "run" / "metrics.jsonl", continued=False)
    capsys.readouterr()
    assert ship(world, tmp_path) == 0
    assert "finished the swap that an earlier ship was interrupted in" in capsys.readouterr().out
    assert (tmp_path / WEIGHTS).read_bytes() == weights
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([WEIGHTS, CARD, RUN_LOG])
    assert not (world / "run" / "shipped.safetensors").exists()


def test_wilsons_interval_by_hand() -> None:
    assert wilson_interval(50, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    low, high = wilson_interval(0, 50)
    assert low == pytest.approx(0)
    assert high == pytest.approx(0.0713, abs=1e-3)


def drawn_grey(cell: Cell, _: Cell, units: Sequence[int], __: Ascent) -> Made:
    """Stands in for the ascent, which takes minutes for a network of full width."""
    pixels = np.full((len(units), cell.side, cell.side, 3), 127, np.uint8)
    return Made(pixels=pixels, values=np.zeros(len(units), np.float32))


def test_cards_of_the_units_are_shipped_with_the_network_and_withdrawn_with_it(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microscope, "ascend", drawn_grey)
    arguments = ["ship", str(world / "run"), "--data", str(world / "mugs"), "--to", str(tmp_path)]
    assert cli.main(arguments) == 0
    network = checkpoint.load(tmp_path / WEIGHTS)
    cards = unit_cards.read_beside(tmp_path / WEIGHTS, network)
    assert cards is not None
    assert cards.layers["fc8"].units == 3
    assert cards.figures["conv1"]["units"] == 96
    assert not list((world / "run").glob("shipped*"))
    assert ship(world, tmp_path, "--anyway") == 0
    assert not (tmp_path / UNITS).exists()
