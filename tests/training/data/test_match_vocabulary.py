"""Which vocabulary of a checkpoint a set measures: the one that is named, else the one that fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.language.phrases import label_for
from model.vocabulary import Vocabulary
from tests.training import made
from training import data
from training.data import DataError


def of(name: str, *classes: str) -> Vocabulary:
    return Vocabulary(name=name, activation="softmax", labels=tuple(label_for(name, one) for one in classes))


VOCABULARIES = (of("animal", "cat", "dog", "newt"), of("pet", "dog", "cat"), of("place", "beach"))


@pytest.mark.parametrize(
    ("name", "folder", "measured"),
    [
        ("pet", "photos", "pet"),
        ("animal", "pet", "animal"),
        ("", "pet", "pet"),
        ("", "photos", "animal"),
        ("", "place", "animal"),
    ],
)
def test_the_vocabulary_is_that_of_the_name_or_of_the_folder_or_the_first_that_fits(
    name: str, folder: str, measured: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = made.folders(tmp_path / folder, {"cat": 12, "dog": 12})
    pictures, files = data.load_with_files(VOCABULARIES, f"{name}={root}" if name else str(root))
    assert pictures.vocabulary.name == measured
    assert capsys.readouterr().out.startswith(f"{name or folder} evaluation: ")
    assert len(files.pictures) == len(pictures.pictures)


@pytest.mark.parametrize("name", ["typo", "place"])
def test_a_name_that_the_checkpoint_lacks_or_that_does_not_fit_is_refused(name: str, tmp_path: Path) -> None:
    root = made.folders(tmp_path / "pet", {"cat": 12, "dog": 12})
    told = f"^This checkpoint has no vocabulary '{name}' with the classes of {root}: give animal={root} or pet={root}.$"
    with pytest.raises(DataError, match=told):
        data.load_for(VOCABULARIES, f"{name}={root}", "evaluation")
    made.folders(tmp_path / "cups", {"red": 12, "blue": 12})
    with pytest.raises(
        DataError, match=r"^This checkpoint has no vocabulary with the classes of .*cups: give a set whose"
    ):
        data.match_vocabulary(str(tmp_path / "cups"), VOCABULARIES)
