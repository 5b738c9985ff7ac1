"""Class folders or shards of which every picture is used: pictures to measure on, which are in no split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.data.errors import DataError
from training.data.folders import Files
from training.data.shards import read_shards
from training.data.split import Split

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


def read_whole(folder: Path, flag: str) -> Split:
    """All pictures of a folder of shards with labels, or of class folders, with their classes.

    Raises DataError, which names the ``flag`` that asked for the folder, where there are none.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: {flag} takes a folder of class folders or Parquet shards.")
    if shards := sorted(folder.glob("*.parquet")):
        split = read_shards(shards)
        if not split.classes:
            raise DataError(f"The shards in {folder} hold no classes: {flag} takes pictures with classes.")
        return split
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))
    found = [(name, number) for number, one in enumerate(classes) for name in _pictures_in(folder, one)]
    if not found:
        raise DataError(f"{folder} holds neither Parquet shards nor class folders with pictures, which {flag} takes.")
    names, labels = zip(*found, strict=True)
    return Split(pictures=Files(folder, names), classes=tuple(classes), labels=np.array(labels, np.int64), captions=[])


def _pictures_in(folder: Path, class_name: str) -> list[str]:
    """Paths, relative to ``folder``, of the pictures of one class."""
    files = (p for p in (folder / class_name).rglob("*") if p.suffix.lower() in _SUFFIXES)
    return sorted(str(p.relative_to(folder)) for p in files if not p.name.startswith("."))
