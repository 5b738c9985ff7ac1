"""``inspect`` says what is in a set and names what is wrong with it."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tests.training import made
from training import __main__ as cli
from training.commands import inspect_data
from training.data import row_groups


def inspect(tmp_path: Path, *specs: object) -> list[dict[str, Any]]:
    assert cli.main(["inspect", *map(str, specs), "--json", str(tmp_path / "found.json")]) == 0
    found: list[dict[str, Any]] = json.loads((tmp_path / "found.json").read_text("utf-8"))
    return found


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """One of each kind of trouble."""
    root = tmp_path / "pets"
    made.folders(root / "train", {"cat": 6, "dog": 5})
    made.folders(root / "val", {"dog": 2, "cat": 0})
    (root / "val/cat").rmdir()
    for number in range(2):
        (root / f"val/dog/00{number}.png").write_bytes(made.encoded(500 + number))
    (root / "train/cat/001.png").write_bytes(made.encoded(7, 80, 50))
    (root / "train/dog/copy.bmp").write_bytes(made.encoded(7, 80, 50, "BMP"))
    (root / "train/cat/again.png").write_bytes((root / "train/cat/000.png").read_bytes())
    (root / "val/dog/again.png").write_bytes((root / "train/dog/003.png").read_bytes())
    (root / "train/cat/002.png").write_bytes(made.encoded(2)[:90])
    grey = io.BytesIO()
    Image.fromarray(np.full((30, 40), 9, np.uint8)).save(grey, "PNG")
    (root / "train/cat/003.png").write_bytes(grey.getvalue())
    Image.fromarray(np.full((30, 40, 3), (8, 9, 8), np.uint8)).save(root / "train/cat/004.png")
    return root


def test_everything_is_found_and_named(pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = inspect(tmp_path, f"pet={pets}")
    printed = capsys.readouterr().out
    train, held = found["train"], found["validation"]
    assert (found["name"], found["activation"]) == ("pet", "softmax")
    assert (train["pictures"], held["pictures"]) == (13, 3)
    assert (train["classes"], held["classes"]) == ({"cat": 7, "dog": 6}, {"dog": 3})
    assert train["sizes"] == {"width": [40, 40, 80], "height": [30, 30, 50]}
    assert train["shapes"] == 2
    assert train["modes"] == {"RGB": 10, "L": 1, "grey in RGB": 1}
    assert train["decoded_shape"] == [160, 160]
    assert train["decoded_bytes"] == 13 * 160 * 160 * 3
    assert [one["name"] for one in train["broken"]] == [str(pets / "train/cat/002.png")]
    cats, dogs = pets / "train/cat", pets / "train/dog"
    assert train["duplicates"] == [[f"{cats}/000.png", f"{cats}/again.png"], [f"{cats}/001.png", f"{dogs}/copy.bmp"]]
    assert found["leaks"] == [[f"{dogs}/003.png", str(pets / "val/dog/again.png")]]
    assert found["two_classes"] == [[f"{cats}/001.png = cat", f"{dogs}/copy.bmp = dog"]]
    assert found["remarks"] == ["Classes without a validation picture, 1: cat."]
    for expected in (
        f"--data pet={pets}",
        "40 to 80 px, median 40",
        "Broken, and skipped in training: 1",
        "In both splits: 1",
        "Under two classes: 1",
        f"{cats}/001.png = cat and",
    ):
        assert expected in printed


def test_captions_and_long_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "captions"
    for split in ("train", "validation"):
        pictures = [made.encoded(i // 2) for i in range(30)]
        made.shard(root / f"{split}-0.parquet", pictures, captions=[["A dog runs.", "Dogs run."]] * 30)
    (found,) = inspect(tmp_path, root)
    printed = capsys.readouterr().out
    assert (found["name"], found["activation"], found["labels"]) == ("word", "sigmoid", 4)
    assert found["train"]["captions"] == 60
    assert len(found["leaks"]) == 15
    assert found["two_classes"] == []
    assert f"{root}/train-0.parquet:0 = {root}/train-0.parquet:1" in printed
    assert "and 5 more: --json FILE has them all" in printed


def test_rows_sorted_by_class_are_remarked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "_WINDOW_BYTES", 1)
    for split in ("train", "validation"):
        pictures = [made.encoded(i) for i in range(24)]
        made.shard(tmp_path / f"{split}-0.parquet", pictures, label=[i // 8 for i in range(24)])
    (found,) = inspect(tmp_path, f"x={tmp_path}")
    assert "sorted by class" in found["remarks"][0]


def test_many_classes_are_counted_and_not_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = {f"class{number:02}": 2 + number % 2 for number in range(21)}
    made.folders(tmp_path / "many", counts)
    (found,) = inspect(tmp_path, tmp_path / "many")
    printed = capsys.readouterr().out
    assert "21, 1 to 2 of each" in printed
    assert "21, 1 of each" in printed
    assert "class00" not in printed
    assert len(found["train"]["classes"]) == 21


def test_two_sets_of_one_vocabulary_are_remarked_and_unusable_data_ends_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in "ab":
        made.folders(tmp_path / place / "pets", {"cat": 2, f"dog {place}": 2})
    inspect(tmp_path, tmp_path / "a/pets", tmp_path / "b/pets")
    assert "2 sets teach pets: 3 labels together, 1 of them from more than one" in capsys.readouterr().out
    (tmp_path / "a/pets/emu").mkdir()
    assert cli.main(["inspect", str(tmp_path / "a/pets")]) == 2
    assert "emu holds no pictures" in capsys.readouterr().err


def test_a_terminal_gets_a_table(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inspect_data, "Console", lambda: Console(force_terminal=True, width=100))
    inspect(tmp_path, f"pet={pets}")
    printed = capsys.readouterr().out
    assert "│" in printed
    assert f"{pets}, as" in printed
    assert "Under two classes: 1" in printed
