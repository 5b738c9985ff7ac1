"""Class folders: each folder is a class, each file in it a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.data.errors import DataError
from training.data.split import SPLITS, Split, SplitName

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_FOLDER_NAMES: dict[SplitName, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("val", "validation", "valid"),
}


class Files:
    """Pictures that lie in files of their own, opened one at a time."""

    blocks = None
    cached_bytes = 0

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._names = names  # not paths: a million of those take half a gigabyte

    def __len__(self) -> int:
        return len(self._names)

    def read(self, index: int) -> bytes:
        """The content of a picture's file. Raises OSError."""
        return (self._root / self._names[index]).read_bytes()

    def name(self, index: int) -> str:
        """A picture's path; bytes of it that are no text become question marks."""
        return str(self._root / self._names[index]).encode(errors="replace").decode()


def read_folders(folder: Path, split: SplitName) -> Split:
    """A split of class folders: those in ``train/`` or ``val/`` where these exist; else a tenth is held out.

    The tenth of each class is drawn by a fixed seed. Raises DataError where a split, the classes or the pictures of a
    class are missing.
    """
    roots = {name: _split_folder(folder, name) for name in SPLITS}
    missing = [name for name, path in roots.items() if path is None]
    if len(missing) == 1:
        present = next(path.name for path in roots.values() if path)
        raise DataError(
            f"{folder} holds class folders in {present}/ but none in {_FOLDER_NAMES[missing[0]][0]}/: add them, or put "
            f"the class folders into {folder} itself, and a tenth of each is held out."
        )
    root = roots[split] or folder
    names: list[str] = []
    labels: list[int] = []
    classes = _classes(root)
    for number, name in enumerate(classes):
        pictures = _pictures_in(root, name)
        if missing:
            pictures = _hold_out(pictures, number, split, root / name)
        names += pictures
        labels += [number] * len(pictures)
    return Split(pictures=Files(root, names), classes=classes, labels=np.array(labels, np.int64), captions=[])


def _split_folder(folder: Path, split: SplitName) -> Path | None:
    """The folder of a split; a folder of that name that holds no folders is a class like any other."""
    return next((folder / name for name in _FOLDER_NAMES[split] if _folders_in(folder / name)), None)


def _folders_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not _hidden(p.name))


def _hidden(name: str) -> bool:
    """Whether editors, archives or file managers left it; ``._photo.jpg`` looks like a picture and is none."""
    return name.startswith(".") or name == "__MACOSX"


def _classes(root: Path) -> tuple[str, ...]:
    classes = _folders_in(root)
    if not classes:
        raise DataError(f"{root} holds neither Parquet shards nor folders of pictures, one for each class.")
    return tuple(classes)


def _pictures_in(root: Path, name: str) -> list[str]:
    """Paths, relative to ``root``, of the pictures of one class, also in folders within it."""
    pictures = []
    for place, folders, files in os.walk(root / name):
        folders[:] = [f for f in folders if not _hidden(f)]
        within = Path(place).relative_to(root)
        pictures += [str(within / f) for f in files if Path(f).suffix.lower() in _SUFFIXES and not _hidden(f)]
    if not pictures:
        raise DataError(f"The class folder {root / name} holds no pictures: add some, or remove the folder.")
    return sorted(pictures, key=lambda path: path.replace(os.sep, "\0"))  # folder by folder


def _hold_out(pictures: list[str], number: int, split: SplitName, folder: Path) -> list[str]:
    """The pictures of one class that belong to a split; ``number``, that of the class, is the seed."""
    if len(pictures) < 2:
        raise DataError(f"The class folder {folder} holds one picture, and both splits need one: add more.")
    order = np.random.default_rng(number).permutation(len(pictures))
    held_out = max(1, len(pictures) // 10)
    return [pictures[i] for i in (order[held_out:] if split == "train" else order[:held_out])]
