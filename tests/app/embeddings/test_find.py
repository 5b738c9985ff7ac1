"""``glassbot find``: the most similar photos, near-duplicates, and an index that is read again only where it must."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from app.embeddings.index import Index, read_index
from app.embeddings.search import groups_of_duplicates, most_similar, unit_rows
from tests.app.embeddings.conftest import COLOURS, ColourEngine, Run, folder_of, photo
from tests.app.test_cli import is_one_sentence


@pytest.fixture
def similar(run: Run, capsys: pytest.CaptureFixture[str]) -> Any:
    """What ``find --json`` prints, and how many runs of the network it took."""

    def find(*arguments: object) -> tuple[Any, int]:
        before = ColourEngine.runs
        assert run("find", *arguments, "--json", "--quiet") == 0
        return json.loads(capsys.readouterr().out), ColourEngine.runs - before

    return find


def test_photos_of_the_same_thing_come_first(mugs: Path, similar: Any) -> None:
    found, _ = similar(mugs / "red mug/0.png", mugs, "--most", 9)
    files = [one["file"] for one in found["similar"]]
    assert found["photo"] == f"{mugs}/red mug/0.png"
    assert found["photo"] not in files
    assert [Path(file).parent.name for file in files] == ["red mug"] * 7 + ["blue mug"] * 2
    cosines = [one["cosine"] for one in found["similar"]]
    assert cosines == sorted(cosines, reverse=True)
    assert not found["similar"][-1]["near_duplicate"]


def test_a_photo_from_elsewhere_is_looked_for_and_its_copy_is_marked(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.png"
    copy.write_bytes((mugs / "blue mug/2.png").read_bytes())
    assert run("find", copy, mugs, "--most", 1, "--quiet") == 0
    assert capsys.readouterr().out == f"1.000  {mugs}/blue mug/2.png  (near-duplicate)\n"


def test_groups_of_near_duplicates_are_listed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], similar: Any
) -> None:
    folder = tmp_path / "photos"
    for name, colour in COLOURS.items():
        folder_of(folder / name, colour, 1)
    (folder / "again.png").write_bytes((folder / "red mug/0.png").read_bytes())
    found, _ = similar("--duplicates", folder)
    assert found["groups"] == [[f"{folder}/again.png", f"{folder}/red mug/0.png"]]
    assert run("find", "--duplicates", folder, "--quiet") == 0
    assert "1 groups of near-duplicates among 4 photos: 1 more than one of each." in capsys.readouterr().out


def test_only_new_and_changed_photos_are_read_again(mugs: Path, tmp_path: Path, similar: Any) -> None:
    query, index = mugs / "red mug/0.png", tmp_path / "photos.index"
    first, runs = similar(query, mugs, "--index", index)
    assert runs > 0
    written = index.stat().st_mtime_ns
    again, runs = similar(query, mugs, "--index", index)
    assert (again, runs, index.stat().st_mtime_ns) == (first, 0, written)  # the engine was not even started
    (mugs / "red mug/8.png").write_bytes(photo(COLOURS["red mug"], 50))
    (mugs / "red mug/1.png").write_bytes(photo((250, 250, 250), 1))
    os.utime(mugs / "red mug/1.png", ns=(1, 1))
    (mugs / "red mug/2.png").unlink()
    third, runs = similar(query, mugs, "--index", index, "--most", 20)
    assert runs > 0
    assert len(third["similar"]) == 15
    cosine = {Path(one["file"]).name: one["cosine"] for one in third["similar"] if "red" in one["file"]}
    assert "2.png" not in cosine
    assert cosine["1.png"] < cosine["8.png"]
    assert similar(query, mugs, "--index", index, "--most", 20) == (third, 0)


def test_an_index_of_another_network_is_begun_again_with_a_sentence(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    query, index = mugs / "red mug/0.png", tmp_path / "photos.index"
    assert run("find", query, mugs, "--index", index, "--quiet") == 0
    capsys.readouterr()
    monkeypatch.setattr("model.teaching.embedding.network_name", lambda _: "0" * 12)
    assert run("find", query, mugs, "--index", index) == 0
    assert "photos.index is of another network" in capsys.readouterr().err
    assert run("find", query, mugs, "--index", index) == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_is_no_index_is_left_alone(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query, index = mugs / "red mug/0.png", tmp_path / "photos.index"
    assert run("find", query, mugs, "--index", index, "--quiet") == 0
    capsys.readouterr()
    for content in (b"", b"my diary", index.read_bytes()[:-50]):
        index.write_bytes(content)
        assert run("find", query, mugs, "--index", index) == 2
        assert is_one_sentence(capsys.readouterr().err)
        assert index.read_bytes() == content


def test_a_bad_photo_is_named_and_the_others_are_found(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mugs / "red mug/1.png").write_bytes(b"no picture")
    assert run("find", mugs / "red mug/0.png", mugs, "--most", 99, "--quiet") == 1
    said = capsys.readouterr()
    assert is_one_sentence(said.err)
    assert "red mug/1.png: " in said.err
    assert len(said.out.splitlines()) == 14
    assert run("find", mugs / "red mug/1.png", tmp_path / "mugs/blue mug", "--quiet") == 1
    assert "cannot be looked for" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        (["{mugs}", "{mugs}"], 2, "is a folder"),
        (["{mugs}/red mug/0.png"], 2, "Name a folder"),
        (["{mugs}/red mug/0.png", "{mugs}/red mug/1.png"], 2, "is not a folder"),
        (["--duplicates", "{mugs}/red mug/0.png"], 2, "is not a folder"),
        (["--duplicates", "{mugs}", "--most", "3"], 2, "--most is for similar photos"),
        (["{mugs}/red mug/0.png", "{mugs}", "--most", "0"], 2, "--most must be 1 or more"),
        (["{mugs}/red mug/0.png", "{mugs}/none"], 1, "There is no"),
        (["{mugs}/red mug/0.png", "{mugs}/empty"], 1, "There is no photo in the given folders"),
        (["{mugs}/red mug/0.png", "{mugs}", "--index", "{mugs}/red mug/0.png/i"], 1, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    run: Run, mugs: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, reason: str
) -> None:
    (mugs / "empty").mkdir()
    assert run("find", *(option.format(mugs=mugs) for option in options), "--quiet") == status
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert reason in error


def test_the_search_is_exact_and_in_order() -> None:
    random = np.random.default_rng(0)
    rows = unit_rows(random.standard_normal((5000, 32)).astype(np.float16))
    found = most_similar(rows[7], rows, 20)
    by_sorting = np.argsort(-(rows @ rows[7]), kind="stable")[:20]
    assert [number for number, _ in found] == by_sorting.tolist()
    assert found[0][0] == 7
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)
    assert len(most_similar(rows[7], rows[:3], 20)) == 3


def test_duplicates_are_found_across_blocks_and_no_chain_becomes_a_group() -> None:
    random = np.random.default_rng(0)
    embeddings = random.standard_normal((9000, 64)).astype(np.float32)
    away = random.standard_normal((2, 64)).astype(np.float32)
    embeddings[8999] = embeddings[3] + 0.25 * away[0]
    embeddings[5000] = embeddings[3] + 0.25 * away[1]
    embeddings[8000] = embeddings[8999] + 0.25 * away[0]  # like 8999, and less like 3
    embeddings[42] = embeddings[41]
    rows = unit_rows(embeddings.astype(np.float16))
    assert rows[8000] @ rows[8999] >= 0.95 > rows[8000] @ rows[3]
    assert groups_of_duplicates(rows) == [[3, 5000, 8999], [41, 42]]
    assert groups_of_duplicates(np.zeros((0, 64), np.float32)) == []


def test_what_was_read_before_an_interruption_is_in_the_index(
    run: Run, mugs: Path, tmp_path: Path, similar: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, add = tmp_path / "photos.index", Index.add

    def interrupted(self: Index, path: Path, *rest: Any) -> None:
        add(self, path, *rest)
        if len(self.stamps) == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Index, "add", interrupted)
        assert run("find", "--duplicates", mugs, "--index", index, "--quiet") == 130
    kept, note = read_index(index, embedding_network(index), 4096)
    assert (len(kept.stamps), note) == (5, "")
    found, _ = similar(mugs / "red mug/0.png", mugs, "--index", index, "--most", 99)
    assert len(found["similar"]) == 15


def embedding_network(index: Path) -> str:
    with safe_open(index, framework="numpy") as file:
        return str(json.loads(file.metadata()["glassbot-index"])["network"])
