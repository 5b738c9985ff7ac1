"""The bundled photos of nothing in particular, which every taught name is held against."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.preprocess import prepare


def outside_pictures(size: int) -> NDArray[np.uint8]:
    """Return (40, size, size, 3) uint8 pixels of the bundled photos."""
    return np.stack([_pixels(name, size) for name in _files()])


def _files() -> list[str]:
    folder = files(__package__).joinpath("outside")
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".webp"))


def _pixels(name: str, size: int) -> NDArray[np.uint8]:
    with files(__package__).joinpath("outside", name).open("rb") as file, Image.open(file) as picture:
        return prepare(picture, size)[0]
