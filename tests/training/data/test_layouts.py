"""The ways in which pictures may lie in folders and shards."""

from pathlib import Path

import numpy as np

from tests.training import made
from training import data


def test_files_that_only_look_like_pictures_are_left_alone(tmp_path: Path) -> None:
    root = made.folders(tmp_path, {"cat": 11, "dog": 11})
    (root / "cat/._000.png").write_text("left by a file manager")
    for name in (".git", "__MACOSX"):
        (root / name).mkdir()
    one = data.load(f"pet={root}", "train", max_bad=0)
    assert one.vocabulary.ids == ("cat", "dog")
    assert len(one.pictures) == 20


def test_validation_may_go_by_its_other_names_and_a_class_may_be_called_train(tmp_path: Path) -> None:
    made.folders(tmp_path / "one/train", {"cat": 2})
    made.folders(tmp_path / "one/valid", {"cat": 3})
    assert len(data.load(str(tmp_path / "one"), "validation").pictures) == 3
    made.folders(tmp_path / "two", {"car": 10, "train": 10})
    assert data.load(str(tmp_path / "two"), "train").vocabulary.ids == ("car", "train")


def test_captions_teach_the_share_of_people_who_said_a_word(tmp_path: Path) -> None:
    said = [["A dog runs.", "The dog."], ["A cat."], ["A dog and a cat."]]
    for split in ("train", "validation"):
        made.shard(tmp_path / f"{split}-0.parquet", [made.encoded(i) for i in range(3)], captions=said)
    one = data.load(f"word={tmp_path}", "train")
    assert one.vocabulary.ids == ("and", "cat", "dog", "runs", "the")
    np.testing.assert_array_equal(one.targets[:, [1, 2]], [[0, 1], [1, 0], [1, 1]])
