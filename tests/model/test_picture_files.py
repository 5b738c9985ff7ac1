"""A walk through a folder ends with all of its pictures, whatever else the system finds there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model.picture_files import files_in, holds_pictures, list_pictures, subfolders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, one of them a link as git-annex keeps it, among links that lead nowhere and a pipe."""
    for name in ("a.jpg", "deep/z.jpg", ".git/annex/object"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"a picture")
    (tmp_path / "annexed.jpg").symlink_to(".git/annex/object")
    (tmp_path / "broken.jpg").symlink_to("/nowhere/at/all.jpg")
    (tmp_path / "through.jpg").symlink_to("a.jpg/below.jpg")
    (tmp_path / "ring.jpg").symlink_to("ring.jpg")
    (tmp_path / "ring").symlink_to("ring")
    os.mkfifo(tmp_path / "pipe.jpg")
    return tmp_path


def test_links_that_lead_nowhere_and_pipes_are_counted_and_end_nothing(folder: Path) -> None:
    listing = list_pictures(folder)
    assert listing.pictures == ["a.jpg", "annexed.jpg", f"deep{os.sep}z.jpg"]
    assert listing.passed_over == {"broken links": 4, "pipes and devices": 1, ".git/": 1}
    assert listing.unreadable == {}
    assert subfolders(folder) == ["deep"]
    assert files_in(folder, (".jpg",)) == ["a.jpg", "annexed.jpg"]


def test_a_folder_that_may_not_be_read_is_named_and_ends_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, folder / "deep")
    listing = list_pictures(folder)
    assert listing.pictures == ["a.jpg", "annexed.jpg"]
    assert listing.unreadable == {"deep": "permission denied"}
    assert list_pictures(folder / "deep").unreadable == {"": "permission denied"}
    assert not holds_pictures(folder / "deep")


def forbid(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the system refuse to list a folder, also to root, as whom tests may run."""
    scandir = os.scandir

    @contextmanager
    def refusing(path: str | Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        with scandir(path) as entries:
            yield entries

    monkeypatch.setattr(os, "scandir", refusing)
