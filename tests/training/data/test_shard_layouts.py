"""Shards as the Hugging Face hub and others have them: splits, columns and classes are found."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training import made
from training import data
from training.__main__ import main
from training.data import DataError
from training.data.layouts import read_split
from training.data.split import SPLITS

# ---------------------------------------------------------------- shards


def test_captions_teach_the_share_of_people_who_said_a_word(tmp_path: Path) -> None:
    said = [["A dog runs.", "The dog."], ["A cat."], ["A dog and a cat."]]
    for split in ("train", "validation"):
        made.shard(tmp_path / f"{split}-0.parquet", [made.encoded(i) for i in range(3)], captions=said)
    one = data.load(f"word={tmp_path}", "train")
    assert one.vocabulary.ids == ("and", "cat", "dog", "runs", "the")
    np.testing.assert_array_equal(one.targets[:, [1, 2]], [[0, 1], [1, 0], [1, 1]])


def labelled(path: Path, count: int, classes: int = 2) -> None:
    made.shard(
        path, [made.encoded(i) for i in range(count)], names=("cat", "dog"), label=[i % classes for i in range(count)]
    )


@pytest.mark.parametrize(
    ("train", "other"),
    [
        ("data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"),
        ("train-00000-of-00001.parquet", "test-00000-of-00001.parquet"),
        ("default/train/0000.parquet", "default/test/0000.parquet"),
        ("default/partial-train/0000.parquet", "default/partial-validation/0000.parquet"),
        ("plain_text/train-00000-of-00001.parquet", "plain_text/test-00000-of-00001.parquet"),
        ("data/train.parquet", "data/dev.parquet"),
        ("train/part-0.parquet", "valid/part-0.parquet"),
    ],
)
def test_the_layouts_of_the_hugging_face_hub_are_found(train: str, other: str, tmp_path: Path) -> None:
    labelled(tmp_path / train, 8)
    labelled(tmp_path / other, 4)
    (tmp_path / "README.md").write_text("---\n---\n")
    assert made.split_sizes(tmp_path) == (8, 4, 4)
    assert read_split(tmp_path, "validation").classes == ("cat", "dog")


def test_shards_without_a_split_to_measure_hold_out_a_tenth_of_each_class(tmp_path: Path) -> None:
    labelled(tmp_path / "data/train-00000-of-00002.parquet", 20)
    labelled(tmp_path / "data/train-00001-of-00002.parquet", 20)
    made.shard(tmp_path / "data/test-0.parquet", [made.encoded(9)] * 3, names=("cat", "dog"), label=[-1] * 3)
    assert made.split_sizes(tmp_path) == (36, 4, 4)
    one = data.load(f"x={tmp_path}", "validation", cache="none")
    assert np.bincount(one.targets.astype(int)).tolist() == [2, 2]
    assert len(np.concatenate([indices for indices, _ in one.iterate_batches(3)])) == 4
    both = [read_split(tmp_path, split).pictures for split in SPLITS]
    names = [pictures.name(i) for pictures in both for i in range(len(pictures))]
    assert len(set(names)) == 40
    labelled(tmp_path / "other/0000.parquet", 20)
    assert made.split_sizes(tmp_path / "other") == (18, 2, 2)


def test_several_sets_of_shards_in_one_folder(tmp_path: Path) -> None:
    for name in ("fine", "coarse"):
        labelled(tmp_path / name / "train-0.parquet", 4)
    with pytest.raises(DataError, match=r"several sets of shards \(coarse, fine\): name one, as .*coarse\.$"):
        read_split(tmp_path, "train")


@pytest.mark.parametrize(("image", "label"), [("img", "fine_label"), ("picture", "labels"), ("image", "category")])
def test_other_column_names_are_found(image: str, label: str, tmp_path: Path) -> None:
    labelled(tmp_path / "train-0.parquet", 20)
    table = pq.read_table(tmp_path / "train-0.parquet").rename_columns({"image": image, "label": label})
    features = {image: {"_type": "Image"}, label: {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    for metadata in ({}, {"huggingface": json.dumps({"info": {"features": features}})}):
        pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "train-0.parquet")
        assert made.split_sizes(tmp_path) == (18, 2, 2)
        assert read_split(tmp_path, "train").classes == (("cat", "dog") if metadata else ("0", "1"))


def test_columns_may_be_named_and_names_of_classes_may_be_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["cat", "dog"] * 10
    pictures = pa.array([made.encoded(i) for i in range(20)], pa.binary())
    columns = {"left": pictures, "right": pictures, "animal": names, "owner": ["a"] * 20}
    pq.write_table(pa.table(columns), tmp_path / "0.parquet")
    assert main(["inspect", str(tmp_path)]) == 2
    assert "has several image columns, left, right: name one with --image-column" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path), "--image-column", "left"]) == 2
    assert "neither a label nor a captions column" in capsys.readouterr().err
    flags = ["--image-column", "right", "--label-column", "animal"]
    assert main(["inspect", str(tmp_path), *flags]) == 0
    assert "2, 9 of each" in capsys.readouterr().out
    assert main(["inspect", str(tmp_path), *flags[:3], "animals"]) == 2
    assert "no column 'animals': give --label-column one of left, right, animal, owner" in capsys.readouterr().err


def nameless(path: Path, names: list[str]) -> None:
    images = pa.array(
        [{"bytes": None, "path": name} for name in names], pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    )
    pq.write_table(pa.table({"image": images, "label": [i % 2 for i in range(len(names))]}), path)


def test_shards_that_only_name_their_pictures(tmp_path: Path) -> None:
    nameless(tmp_path / "train-0.parquet", [f"{i}.png" for i in range(20)])
    with pytest.raises(DataError, match=r"the names of its pictures \(0.png …\) and not the pictures.*: put those"):
        read_split(tmp_path, "train")
    (tmp_path / "images").mkdir()
    for number in range(20):
        (tmp_path / "images" / f"{number}.png").write_bytes(made.encoded(number))
    assert len(data.load(str(tmp_path), "train", max_bad=0).pictures) == 18


@pytest.mark.parametrize(
    "metadata",
    [
        b"{",
        b"[]",
        b'{"info": 1}',
        b'{"info": {"features": []}}',
        b"\xff",
        b'{"info": {"features": {"label": {"names": 3}}}}',
        b'{"info": {"features": {"label": {"names": [1, 2]}}}}',
        b'{"info": {"features": {"label": {"names": ["a", "a"]}}}}',
    ],
)
def test_malformed_metadata_name_the_file(metadata: bytes, tmp_path: Path) -> None:
    labelled(tmp_path / "train-0.parquet", 4)
    table = pq.read_table(tmp_path / "train-0.parquet").replace_schema_metadata({b"huggingface": metadata})
    pq.write_table(table, tmp_path / "train-0.parquet")
    with pytest.raises(DataError, match=r"The Hugging Face metadata of .*train-0.parquet cannot be used \(.*\): write"):
        read_split(tmp_path, "train")


def test_a_shard_that_git_lfs_did_not_fetch(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train-0.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(DataError, match=r"pointer to a file in Git LFS: `git lfs pull`"):
        read_split(tmp_path, "train")


def test_shards_beside_class_folders_are_not_the_set_and_pictures_beside_shards_are_not(tmp_path: Path) -> None:
    made.folders(tmp_path / "a", {"cat": 10, "dog": 10})
    labelled(tmp_path / "a/cat/embeddings.parquet", 4)
    assert made.split_sizes(tmp_path / "a") == (18, 2, 2)
    assert ".parquet (1)" in made.split_notes(tmp_path / "a")
    labelled(tmp_path / "b/data/train-0.parquet", 10)
    made.folders(tmp_path / "b", {"assets": 2})
    assert made.split_sizes(tmp_path / "b") == (8, 2, 2)
