"""Data that cannot be used ends in one sentence that says what is wrong and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.training import made
from training import data
from training.data import DataError, memory
from training.data.split import SPLITS, SplitName
from training.trainer.sources import build_sources


def refused(folder: Path, match: str, split: SplitName = "train", **how: Any) -> str:
    with pytest.raises(DataError, match=match) as caught:
        list(data.load(f"x={folder}", split, **how).iterate_batches(8))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def empty_class(root: Path) -> None:
    made.folders(root, {"cat": 3})
    (root / "dog").mkdir()


def class_of_other_files(root: Path) -> None:
    made.folders(root, {"cat": 3})
    (root / "dog").mkdir()
    (root / "dog/notes.txt").write_text("no picture")


def lonely_class(root: Path) -> None:
    made.folders(root, {"cat": 3, "dog": 1})


def flat_validation(root: Path) -> None:
    made.folders(root / "train", {"cat": 3})
    made.folders(root, {"val": 3})


def no_training(root: Path) -> None:
    made.folders(root / "val", {"cat": 3})


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (empty_class, r"class folder .*dog holds no pictures: add some, or remove"),
        (class_of_other_files, r"class folder .*dog holds no pictures: add some, or remove"),
        (lonely_class, r"class 'dog' of .* holds one picture, and both splits need one: add more"),
        (flat_validation, r"class folders in train/ but none in val/: add them"),
    ],
)
@pytest.mark.parametrize("split", SPLITS)
def test_folders(make: Callable[[Path], None], match: str, split: SplitName, tmp_path: Path) -> None:
    make(tmp_path)
    refused(tmp_path, match, split)


def test_a_set_without_a_training_split_can_only_be_measured(tmp_path: Path) -> None:
    no_training(tmp_path)
    refused(tmp_path, r"holds a split to measure \(val/\) and none for training, such as train: add it")
    assert len(data.load(str(tmp_path), "validation").pictures) == 3


def one_shard(root: Path, **columns: Any) -> None:
    made.shard(root / "train-0.parquet", [made.encoded(i) for i in range(4)], **columns)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"label": [0.0, 1.0, 0.0, 1.0]}, "label column .* holds values of type double: each picture needs"),
        ({"label": [0, None, 1, 0]}, "label column .* holds empty rows .1.: each picture needs"),
        (
            {"label": [0, 1, -1, -1], "names": ("cat", "dog")},
            "2 labels .* outside 0 to 1, the first of them -1",
        ),
        ({"label": [0, 1, 2, 1], "names": ("cat", "dog")}, "1 labels .* outside 0 to 1, the first of them 2: remove"),
        ({"captions": ["a cat"] * 4}, "captions column .* holds values of type string: each picture needs a list"),
        ({"captions": [["a cat"], [], ["x"], ["y"]]}, "captions column .* holds empty rows: each picture needs a list"),
        ({"captions": [["a cat"], ["b"], ["x"], [None]]}, "captions column .* holds empty rows: each picture needs"),
        ({"text": ["a cat"] * 4}, "neither a label nor a captions column, only image, text: --label-column names"),
        ({"captions": [["a b"]] * 4}, "teaches no word"),
    ],
)
def test_columns(columns: dict[str, Any], match: str, tmp_path: Path) -> None:
    one_shard(tmp_path, **columns)
    refused(tmp_path, match)


@pytest.mark.parametrize(
    ("image", "match"),
    [(None, "has no image column, only label"), (["x"], "has an image column of string: a struct of bytes")],
)
def test_a_shard_needs_an_image_column_of_pictures(image: list[str] | None, match: str, tmp_path: Path) -> None:
    columns = {"image": image} if image else {}
    pq.write_table(pa.table({**columns, "label": [0]}), tmp_path / "train-0.parquet")
    refused(tmp_path, match)


def test_a_shard_that_is_no_parquet(tmp_path: Path) -> None:
    one_shard(tmp_path, label=[0, 1, 0, 1])
    whole = (tmp_path / "train-0.parquet").read_bytes()
    (tmp_path / "train-0.parquet").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path, r"train-0.parquet cannot be read as Parquet \(.*\): fetch it or write it again")


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_a_row_group_that_is_damaged(cache: str, tmp_path: Path) -> None:
    pictures = [made.encoded(i) for i in range(4)]
    path = made.shard(tmp_path / "train-0.parquet", pictures, rows_per_group=2, label=[0, 1, 0, 1])
    whole = bytearray(path.read_bytes())
    at = whole.index(pictures[0][:30])
    whole[at - 40 : at + 60] = bytes(100)
    path.write_bytes(bytes(whole))
    refused(tmp_path, r"cannot be read as Parquet \(.*\): fetch it or write it again", cache=cache)


def test_shards_that_do_not_agree(tmp_path: Path) -> None:
    one_shard(tmp_path / "a", label=[0, 1, 0, 1], names=("cat", "dog"))
    made.shard(tmp_path / "a/train-1.parquet", [made.encoded(9)], label=[0], names=("dog", "cat"))
    refused(tmp_path / "a", "name different classes: write all shards with the same ones")
    one_shard(tmp_path / "b", label=[0, 1, 0, 1])
    made.shard(tmp_path / "b/train-1.parquet", [made.encoded(9)], captions=[["a cat"]])
    refused(tmp_path / "b", "some captions: put them into two folders")
    made.shard(tmp_path / "c/train-0.parquet", [], label=pa.array([], pa.int64()))
    refused(tmp_path / "c", "hold no rows")


def test_a_set_of_files_that_are_no_pictures(tmp_path: Path) -> None:
    made.folders(tmp_path, {"cat": 3})
    for path in (tmp_path / "cat").iterdir():
        path.write_text("no picture")
    refused(tmp_path, r"None of 2 pictures tried can be decoded, the first being .*png \(not a picture")


def test_a_word_file_without_tabs(tmp_path: Path) -> None:
    one_shard(tmp_path, captions=[["a cat"]] * 4)
    (tmp_path / "words.txt").write_text("# words\ncat cats\n")
    refused(tmp_path, r"Line 2 of .*words.txt is not a word, a tab")


def test_memory_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made.shards(tmp_path)
    monkeypatch.setattr(memory, "free_bytes", lambda: 100_000)
    refused(root, r"Decoded, the train split of .* takes 0.2 MB and 0.1 MB of memory are free: let", cache="memory")
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    refused(root, r"Streaming the train split of .* keeps .* smaller row groups", cache="none")
    with pytest.raises(ValueError, match="cache must be one of auto, memory, none"):
        data.load(f"x={root}", "train", cache="disk")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="side must be at least 1"):
        data.load(f"x={root}", "train", side=0)


def test_two_sets_that_would_be_one(tmp_path: Path) -> None:
    made.folders(tmp_path / "a", {"cat": 2, "dog": 2})
    made.folders(tmp_path / "b", {"cup": 2, "dog": 2})
    sets = {name: data.load(f"{name}={tmp_path / name}", "train") for name in "ab"}
    twin = data.load(f"a={tmp_path / 'b'}", "train")
    assert [one.vocabulary.ids for one in data.unite([sets["a"], twin])] == [("cat", "dog", "cup")] * 2
    other = data.load(f"c={tmp_path / 'a'}", "train")
    with pytest.raises(DataError, match=r"'a' and 'c' have the same classes: name both 'a'"):
        data.unite([sets["a"], other])
    assert len(build_sources(data.unite(list(sets.values())), 8, torch.device("cpu"))) == 2
    with pytest.raises(DataError, match=r"lacks: 'cup'"):
        data.load(f"b={tmp_path / 'b'}", "validation", sets["a"].vocabulary)
