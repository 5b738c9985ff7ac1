"""The bundled photos of nothing in particular, which every taught name is held against."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.preprocess import TakesPictures, prepare


def outside_pictures(takes: TakesPictures) -> NDArray[np.uint8]:
    """Return the (40, S, S, 3) uint8 pixels of the bundled photos, as a network takes them."""
    return np.stack([_pixels(name, takes) for name in _files()])


def _files() -> list[str]:
    folder = files(__package__).joinpath("outside")
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".webp"))


def _pixels(name: str, takes: TakesPictures) -> NDArray[np.uint8]:
    with files(__package__).joinpath("outside", name).open("rb") as file, Image.open(file) as picture:
        return prepare(picture, takes)[0]
