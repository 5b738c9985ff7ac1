"""Makes of a picture what the network sees: upright, in sRGB, the centred square, S x S pixels of uint8.

Serving, training and evaluation all use these steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.pictures.upright import upright_rgb

__all__ = [
    "FILTER",
    "Crop",
    "TakesPictures",
    "centre_square",
    "least_side",
    "prepare",
    "prepare_all",
    "square",
    "upright_rgb",
]

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


class TakesPictures(Protocol):
    """The pictures that a network takes, as Architecture has it."""

    @property
    def input_size(self) -> int: ...  # noqa: D102
    @property
    def input_detail(self) -> int: ...  # noqa: D102


def least_side(takes: TakesPictures) -> int:
    """How few pixels a decoder may leave of the shorter side of a picture, in pixels.

    That is a sixteenth less than the detail that a network takes: a decoder can only halve, and many photos are 480
    or 960 pixels high.
    """
    return min(takes.input_detail * 15 // 16 or takes.input_size, takes.input_size)


def prepare(picture: Image.Image, takes: TakesPictures) -> tuple[NDArray[np.uint8], Crop, tuple[int, int]]:
    """Return (S, S, 3) uint8 pixels, the crop in pixels of the upright picture, and its (width, height).

    S is ``input_size``; a crop of more than ``input_detail`` pixels is made that small first. Raises what Pillow raises
    for broken data.
    """
    upright = upright_rgb(picture)
    crop = centre_square(*upright.size)
    size, detail = takes.input_size, takes.input_detail
    small = _resized(upright, crop, detail if 0 < detail < min(size, crop.width) else size)
    if small.width < size:
        small = small.resize((size, size), FILTER)
    return np.asarray(small), crop, upright.size


def prepare_all(pictures: Iterable[NDArray[np.uint8]], takes: TakesPictures) -> NDArray[np.uint8]:
    """Return the (n, S, S, 3) pixels of n pictures of (H, W, 3) pixels, as :func:`prepare` does."""
    return np.stack([prepare(Image.fromarray(picture), takes)[0] for picture in pictures])


def square(picture: Image.Image, size: int) -> Image.Image:
    """Return the centred square of a picture, upright and in sRGB, with (``size``, ``size``) pixels."""
    upright = upright_rgb(picture)
    return _resized(upright, centre_square(*upright.size), size)


def _resized(upright: Image.Image, crop: Crop, size: int) -> Image.Image:
    """Cut and resize in one step."""
    box = (crop.x, crop.y, crop.x + crop.width, crop.y + crop.height)
    return upright.resize((size, size), FILTER, box=box, reducing_gap=2.0)
