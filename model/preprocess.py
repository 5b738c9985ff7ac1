"""Makes of a picture what the network sees: upright, in sRGB, the centred square, S x S pixels of uint8.

Serving, training and evaluation all use these steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.pictures.upright import upright_rgb

__all__ = ["FILTER", "Crop", "centre_square", "prepare", "upright_rgb"]

FILTER = Image.Resampling.BILINEAR
"""Filter for resizing: the one of training's crops, because sharper pictures are recognised less well
(docs/experiments.md, 16)."""


@dataclass(frozen=True)
class Crop:
    """The square that the network saw, in pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int


def centre_square(width: int, height: int) -> Crop:
    """Return the largest centred square of a picture, in pixels (section 2 of the paper)."""
    side = min(width, height)
    return Crop((width - side) // 2, (height - side) // 2, side, side)


def prepare(picture: Image.Image, size: int) -> tuple[NDArray[np.uint8], Crop, tuple[int, int]]:
    """Return (size, size, 3) uint8 pixels, the crop in pixels of the upright picture, and its (width, height).

    Cutting and resizing are one step. Raises what Pillow raises for broken data.
    """
    upright = upright_rgb(picture)
    crop = centre_square(*upright.size)
    box = (crop.x, crop.y, crop.x + crop.width, crop.y + crop.height)
    small = upright.resize((size, size), FILTER, box=box, reducing_gap=2.0)
    return np.asarray(small), crop, upright.size
