"""The ways in which pictures may lie in folders: each is found, and what may surprise is said."""

import unicodedata
from pathlib import Path

import pytest

from tests.training import made
from training import data
from training.data import DataError
from training.data.layouts import read_split
from training.data.split_names import role_of

# ---------------------------------------------------------------- folders


def test_files_that_only_look_like_pictures_are_left_alone(tmp_path: Path) -> None:
    root = made.folders(tmp_path, {"cat": 11, "dog": 11})
    (root / "cat/._000.png").write_text("left by a file manager")
    for name in (".git", "__MACOSX"):
        (root / name).mkdir()
    one = data.load(f"pet={root}", "train", max_bad=0)
    assert one.vocabulary.ids == ("cat", "dog")
    assert len(one.pictures) == 20


@pytest.mark.parametrize(
    "folder",
    [
        "@eaDir",
        "#recycle",
        ".Trash-1000",
        "lost+found",
        "$RECYCLE.BIN",
        ".ipynb_checkpoints",
        "System Volume Information",
    ],
)
def test_folders_of_other_systems_are_neither_classes_nor_pictures_and_are_named(folder: str, tmp_path: Path) -> None:
    root = made.folders(tmp_path, {"cat": 11, "dog": 11})
    for place in (root / folder / "trash", root / "cat" / folder):
        place.mkdir(parents=True)
        (place / "000.png").write_bytes(made.encoded(99))
    assert made.split_sizes(root) == (20, 2, 2)
    assert read_split(root, "train").classes == ("cat", "dog")
    assert f"passed over in {root}: {folder}/ (2)" in made.split_notes(root)


@pytest.mark.parametrize(
    ("train", "validation"),
    [
        ("train", "val"),
        ("Training", "Testing"),
        ("TRAIN", "VALID"),
        ("training", "validation"),
        ("train", "dev"),
        ("seg_train", "seg_test"),
        ("train_images", "test_images"),
        ("train2017", "val2017"),
        ("training_set", "test_set"),
        ("mugs-train", "mugs-eval"),
        ("01_train", "02_test"),
        ("train1", "validate"),
        ("train", "Holdout Set"),
    ],
)
def test_splits_go_by_their_usual_names_in_any_case(train: str, validation: str, tmp_path: Path) -> None:
    made.folders(tmp_path / train, {"cat": 4, "dog": 4})
    made.folders(tmp_path / validation, {"cat": 3, "dog": 3})
    assert made.split_sizes(tmp_path) == (8, 6, 6)
    assert read_split(tmp_path, "train").classes == ("cat", "dog")


def test_a_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    made.folders(tmp_path / "two", {"car": 10, "train": 10})
    assert data.load(str(tmp_path / "two"), "train").vocabulary.ids == ("car", "train")
    for name in ("steam_train", "diesel_train", "tram"):
        made.folders(tmp_path / "three" / name, {"2021": 10, "2022": 10})
    assert read_split(tmp_path / "three", "train").classes == ("diesel_train", "steam_train", "tram")


@pytest.mark.parametrize(
    ("name", "role"),
    [("Train", "train"), ("trainval", "train"), ("seg_test", "test"), ("valData", "validation"), ("train_test", None)],
)
def test_names_of_splits(name: str, role: str | None) -> None:
    assert role_of(name) == role


def test_where_there_is_no_validation_split_the_test_split_is_measured_and_that_is_said(tmp_path: Path) -> None:
    made.folders(tmp_path / "train", {"cat": 4, "dog": 4})
    made.folders(tmp_path / "test", {"cat": 3, "dog": 3})
    assert made.split_sizes(tmp_path) == (8, 6, 6)
    assert "test/ is what is measured, as there is no validation split" in made.split_notes(tmp_path, "validation")
    made.folders(tmp_path / "valid", {"cat": 2, "dog": 2})
    assert made.split_sizes(tmp_path) == (8, 4, 4)
    assert made.split_notes(tmp_path, "evaluation") == "left out: test/, train/"


def test_a_training_split_alone_is_divided_and_pictures_in_no_class_are_named(tmp_path: Path) -> None:
    made.folders(tmp_path / "train", {"cat": 20, "dog": 10})
    made.folders(tmp_path, {"test": 7})
    assert made.split_sizes(tmp_path) == (27, 3, 3)
    assert "3 of 30 pictures, a tenth of each class, are held out" in made.split_notes(tmp_path, "validation")
    assert "passed over: test/ (7 pictures in no class)" in made.split_notes(tmp_path)
    assert "named as one split" not in made.split_notes(tmp_path)


def test_two_folders_for_one_split_are_a_mistake(tmp_path: Path) -> None:
    for name in ("train", "Training", "val"):
        made.folders(tmp_path / name, {"cat": 2, "dog": 2})
    with pytest.raises(DataError, match=r"two splits for train, Training/ and train/: leave one there\.$"):
        read_split(tmp_path, "train")


@pytest.mark.parametrize("wrappers", ["photos", "photos/all", "seg_train", "seg_train/seg_train"])
def test_a_folder_too_many_is_found_and_said(wrappers: str, tmp_path: Path) -> None:
    made.folders(tmp_path / wrappers, {"cat": 10, "dog": 10})
    (tmp_path / "README.md").write_text("a set")
    assert made.split_sizes(tmp_path) == (18, 2, 2)
    assert read_split(tmp_path, "train").classes == ("cat", "dog")
    assert f"the class folders lie in {wrappers}/" in made.split_notes(tmp_path)


def test_a_folder_too_many_within_the_splits(tmp_path: Path) -> None:
    made.folders(tmp_path / "set/seg_train/seg_train", {"cat": 4, "dog": 4})
    made.folders(tmp_path / "set/seg_test/seg_test", {"cat": 3, "dog": 3})
    made.folders(tmp_path / "set/seg_pred", {"seg_pred": 5})
    assert made.split_sizes(tmp_path) == (8, 6, 6)
    assert "passed over: seg_pred/ (5 pictures in no class)" in made.split_notes(tmp_path)


def test_a_folder_of_sets_is_not_a_set(tmp_path: Path) -> None:
    for name in ("mugs", "pets"):
        for split in ("train", "val"):
            made.folders(tmp_path / name / split, {"cat": 2, "dog": 2})
    with pytest.raises(DataError, match=r"not the classes of one \(mugs, pets\): name one, as .*mugs\.$"):
        read_split(tmp_path, "train")


def test_the_two_unicode_forms_of_a_name_are_one_class(tmp_path: Path) -> None:
    made.folders(tmp_path / "a/train", {unicodedata.normalize("NFC", "Café"): 3, "tea": 3})
    made.folders(tmp_path / "a/val", {unicodedata.normalize("NFD", "Café"): 3, "tea": 3})
    train = data.load(f"x={tmp_path / 'a'}", "train")
    assert len(data.load(f"x={tmp_path / 'a'}", "validation", train.vocabulary).pictures) == 6
    forms = (unicodedata.normalize("NFC", "Café"), unicodedata.normalize("NFD", "Café"))
    made.folders(tmp_path / "b", {**dict.fromkeys(forms, 10), "tea": 10})
    if len(list((tmp_path / "b").iterdir())) == 3:  # some file systems hold only one form
        assert read_split(tmp_path / "b", "train").classes == ("Café", "tea")
        assert made.split_sizes(tmp_path / "b") == (27, 3, 3)
        assert "'Café' is written in two forms" in made.split_notes(tmp_path / "b")


def test_spaces_around_a_name_make_no_other_class(tmp_path: Path) -> None:
    made.folders(tmp_path, {"cat": 10, "cat ": 10, "dog ": 10})
    if len(list((tmp_path).iterdir())) == 3:  # some file systems cannot hold them
        assert read_split(tmp_path, "train").classes == ("cat", "dog")
        assert made.split_sizes(tmp_path) == (27, 3, 3)


@pytest.mark.parametrize(
    ("outside", "inside"), [(("learn", "measure"), ("cat", "dog")), (("cat", "dog"), ("test", "train"))]
)
def test_classes_that_all_hold_the_same_folders_are_remarked_upon(
    outside: tuple[str, str], inside: tuple[str, str], tmp_path: Path
) -> None:
    for name in outside:
        made.folders(tmp_path / name, dict.fromkeys(inside, 10))
    notes = made.split_notes(tmp_path)
    assert f"{', '.join(outside)} are its classes, and all hold the same folders ({', '.join(inside)})" in notes
    (tmp_path / outside[0] / "another").mkdir()
    assert "the same folders" not in made.split_notes(tmp_path)


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    made.folders(tmp_path, {"cat": 2, "dog": 2})
    (tmp_path / "cat/gone.png").symlink_to(tmp_path / "gone.png")
    assert "broken links (1)" in made.split_notes(tmp_path)


@pytest.mark.parametrize(("suffix", "form"), [("jfif", "JPEG"), ("avif", "AVIF"), ("APNG", "PNG"), ("jp2", "JPEG2000")])
def test_every_suffix_that_the_decoder_reads_is_a_picture(suffix: str, form: str, tmp_path: Path) -> None:
    made.folders(tmp_path, {"cat": 5, "dog": 5})
    for number in range(5):
        (tmp_path / "cat" / f"more{number}.{suffix}").write_bytes(made.encoded(number + 90, form=form))
    (tmp_path / "cat/film.mp4").touch()
    (tmp_path / "cat/notes.txt").touch()
    one = data.load(str(tmp_path), "train", max_bad=0)
    assert len(one.pictures) == 13
    assert made.split_notes(tmp_path) == f"passed over in {tmp_path}: .mp4 (1), .txt (1)"


@pytest.mark.parametrize("name", ["date=2026-11-29", "a=b=c"])
def test_a_path_with_an_equals_sign_is_a_path(name: str, tmp_path: Path) -> None:
    root = made.folders(tmp_path / name, {"cat": 2, "dog": 2})
    assert data.parse_spec(str(root)) == (name, root)
    assert data.parse_spec(f"pet={root}") == ("pet", root)
    with pytest.raises(DataError, match=r"^There is no folder /nowhere: give"):
        data.parse_spec("pet=/nowhere")
    with pytest.raises(DataError, match=r"^There is no folder /nowhere/date=1: give"):
        data.parse_spec("/nowhere/date=1")


# ---------------------------------------------------------------- what an evaluation measures


def test_an_evaluation_of_a_split_measures_all_of_it(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        made.folders(tmp_path / split, {"cat": 6, "dog": 6})
        assert len(read_split(tmp_path / split, "evaluation").pictures) == (1 if split == "train" else 6) * 2
    assert made.split_sizes(tmp_path / "train") == (10, 2, 12)  # it has others beside it now
    assert "is named as one split of a set" in made.split_notes(tmp_path / "train")
    assert "all pictures of" in made.split_notes(tmp_path / "test", "evaluation")


def test_pictures_that_are_added_later_move_few_others_out_of_the_held_out_tenth(tmp_path: Path) -> None:
    def held_out() -> set[str]:
        pictures = read_split(tmp_path, "validation").pictures
        return {pictures.key(i) for i in range(len(pictures))}

    made.folders(tmp_path, {"cat": 100, "dog": 100})
    before = held_out()
    for number in range(5):
        (tmp_path / "cat" / f"more{number}.png").write_bytes(made.encoded(number))
    assert len(before & held_out()) >= 18
