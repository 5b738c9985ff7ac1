"""Class folders: each folder is a class, each file in it a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.data.errors import DataError
from training.data.split import Half

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_NAMES = {"train": ("train",), "validation": ("val", "validation", "valid")}


class Files:
    """Pictures that lie in files of their own, opened one at a time."""

    blocks = None
    kept = 0

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._names = names  # not paths: a million of those take half a gigabyte

    def __len__(self) -> int:
        return len(self._names)

    def read(self, index: int) -> bytes:
        """The file. Raises OSError."""
        return (self._root / self._names[index]).read_bytes()

    def name(self, index: int) -> str:
        """Its path; bytes of it that are no text become question marks."""
        return str(self._root / self._names[index]).encode(errors="replace").decode()


def read_folders(folder: Path, half: str) -> Half:
    """``train/`` and ``val/`` inside where they exist; else a seeded tenth of each class is held out.

    Raises DataError where a half, the classes or the pictures of one are missing.
    """
    halves = {name: _inside(folder, name) for name in _NAMES}
    missing = [name for name, path in halves.items() if path is None]
    if len(missing) == 1:
        there = next(path.name for path in halves.values() if path)
        raise DataError(
            f"{folder} holds class folders in {there}/ but none in {_NAMES[missing[0]][0]}/: add them, or put the "
            f"class folders into {folder} itself, and a tenth of each is held out."
        )
    root = halves[half] or folder
    names: list[str] = []
    labels: list[int] = []
    classes = _classes(root)
    for number, name in enumerate(classes):
        found = _pictures_in(root, name)
        if missing:
            found = _split(found, number, half, root / name)
        names += found
        labels += [number] * len(found)
    return Half(pictures=Files(root, names), classes=classes, labels=np.array(labels, np.int64), captions=[])


def _inside(folder: Path, half: str) -> Path | None:
    """The folder of a half; a folder of that name that holds no folders is a class like any other."""
    return next((folder / name for name in _NAMES[half] if _folders_in(folder / name)), None)


def _folders_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not _hidden(p.name))


def _hidden(name: str) -> bool:
    """Left by editors, archives and file managers; ``._photo.jpg`` looks like a picture and is none."""
    return name.startswith(".") or name == "__MACOSX"


def _classes(root: Path) -> tuple[str, ...]:
    classes = _folders_in(root)
    if not classes:
        raise DataError(f"{root} holds neither Parquet shards nor folders of pictures, one for each class.")
    return tuple(classes)


def _pictures_in(root: Path, name: str) -> list[str]:
    """Names below ``root`` of the pictures of one class, also in folders within it."""
    found = []
    for place, folders, files in os.walk(root / name):
        folders[:] = [f for f in folders if not _hidden(f)]
        within = Path(place).relative_to(root)
        found += [str(within / f) for f in files if Path(f).suffix.lower() in _SUFFIXES and not _hidden(f)]
    if not found:
        raise DataError(f"The class folder {root / name} holds no pictures: add some, or remove the folder.")
    return sorted(found, key=lambda path: path.replace(os.sep, "\0"))  # folder by folder


def _split(found: list[str], number: int, half: str, folder: Path) -> list[str]:
    if len(found) < 2:
        raise DataError(f"The class folder {folder} holds one picture, and both halves need one: add more.")
    order = np.random.default_rng(number).permutation(len(found))
    held = max(1, len(found) // 10)
    return [found[i] for i in (order[held:] if half == "train" else order[:held])]
