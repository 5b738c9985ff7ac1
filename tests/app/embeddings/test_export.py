"""``glassbot export``: photos are copied into class folders, and nothing is ever overwritten."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.app.embeddings.conftest import COLOURS, Run, folder_of
from tests.app.test_cli import is_one_sentence


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_table_becomes_class_folders_and_a_second_time_changes_nothing(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("file,label\nmugs/red mug/0.png,käse\nmugs/blue mug/0.png,käse\nmugs/blue mug/1.png,cup\n")
    out = tmp_path / "out"
    assert run("export", table, "--out", out) == 0
    assert capsys.readouterr().out == f"Photos copied to {out}: 3, of 2 names.\n"
    copied = files(out)
    assert sorted(Path(name).parent.name for name in copied) == ["cup", "käse", "käse"]
    assert copied["käse/0.png"] == (mugs / "red mug/0.png").read_bytes()
    assert (mugs / "blue mug/0.png").read_bytes() in copied.values()  # under a name of its own
    assert run("export", table, "--out", out) == 0
    assert "0, of 2 names; 3 more were there already." in capsys.readouterr().out
    assert files(out) == copied


def test_folders_and_a_zip_are_put_together(run: Run, mugs: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("red mug/0.png", b"another photo")
        archive.writestr("red mug/9.png", (mugs / "red mug/1.png").read_bytes())  # which is there already
    (tmp_path / "out/red mug").mkdir(parents=True)
    (tmp_path / "out/red mug/2.png").write_bytes(b"mine")
    assert run("export", mugs, tmp_path / "more.zip", "--out", tmp_path / "out") == 0
    found = files(tmp_path / "out")
    assert found["red mug/2.png"] == b"mine"
    assert b"another photo" in found.values()
    assert len(found) == 1 + 16 + 1


def test_the_same_photo_under_two_names_is_copied_once_and_named(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mugs / "red mug/z.png").write_bytes((mugs / "blue mug/3.png").read_bytes())
    assert run("export", mugs, "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert "'blue mug' and 'red mug'" in error
    assert len(files(tmp_path / "out")) == 16


@pytest.mark.parametrize("order", [("mugs", "t.csv", "more.zip"), ("more.zip", "t.csv", "mugs"), ("t.csv", "mugs")])
def test_a_correction_counts_for_more_than_where_the_photo_lies_in_any_order(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], order: tuple[str, ...]
) -> None:
    moved = (mugs / "red mug/0.png").read_bytes()
    (mugs / "red mug/0 (copy).png").write_bytes(moved)
    folder_of(mugs / "misc", COLOURS["green mug"], 1)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("red mug/9.png", moved)
    (tmp_path / "t.csv").write_text("file,label\nmugs/red mug/0.png,cup\nmugs/misc/0.png,blue mug\n")
    assert run("export", *(tmp_path / name for name in order), "--out", tmp_path / "out") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "17, of 3 names." in said.out
    found = files(tmp_path / "out")
    assert [name for name, body in found.items() if body == moved] == ["cup/0.png"]
    assert {Path(name).parent.name for name in found} == {"blue mug", "cup", "red mug"}


def test_one_file_under_two_names_is_named_once_and_only_names_with_a_photo_are_counted(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(f"mugs/red mug/0.png,cup\n{mugs}/red mug/0.png,beaker\n")
    assert run("export", Path("t.csv"), "--out", tmp_path / "out") == 1
    said = capsys.readouterr()
    sentence = "mugs/red mug/0.png is given under the names 'cup' and 'beaker': the second was left out."
    assert said.err == f"glassbot: {sentence}\n"
    assert said.out == f"Photos copied to {tmp_path}/out: 1, of 1 names.\n"


@pytest.mark.parametrize("label", ["a/b", "..", ".git", "a\\b", "@eaDir"])
def test_a_label_that_can_be_no_folder_is_one_sentence_and_nothing_is_copied(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], label: str
) -> None:
    (tmp_path / "t.csv").write_text(f"mugs/red mug/0.png,{label}\nmugs/red mug/1.png,cup\n")
    assert run("export", tmp_path / "t.csv", "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert "cannot be the name of a folder" in error
    assert not (tmp_path / "out").exists()
    assert mugs.exists()


def test_what_cannot_be_exported_is_one_sentence(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("teach", mugs, "--out", tmp_path / "m.examples", "--quiet") == 0
    capsys.readouterr()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "none").mkdir()
    cases = {
        (tmp_path / "m.examples", tmp_path / "out"): (1, "no photos"),
        (tmp_path / "none", tmp_path / "out"): (1, "no photo in the given paths"),
        (mugs, tmp_path / "file"): (2, "is a file"),
        (mugs, tmp_path / "file/out"): (1, "cannot be written to"),
    }
    for (given, out), (status, reason) in cases.items():
        assert run("export", given, "--out", out) == status
        error = capsys.readouterr().err
        assert is_one_sentence(error)
        assert reason in error


def test_a_photo_that_cannot_be_read_harms_no_other(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path / "my mug", COLOURS["red mug"], 3)
    read = Path.read_bytes

    def refusing(path: Path) -> bytes:
        if path == folder / "1.png":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    assert run("export", folder, "--out", tmp_path / "out") == 1
    assert capsys.readouterr().err == f"glassbot: {folder}/1.png: The file cannot be read (Permission denied).\n"
    assert len(list((tmp_path / "out").rglob("*.png"))) == 2
