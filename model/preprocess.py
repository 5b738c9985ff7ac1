"""Makes of a picture what the network sees: upright, RGB, the centred square, S x S pixels of uint8.

Serving, training and evaluation all use these steps.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

FILTER = Image.Resampling.BILINEAR
"""Filter for resizing: the one of training's crops, because sharper pictures are recognised less well
(docs/experiments.md, 16)."""
_BROKEN_EXIF = (OSError, SyntaxError, TypeError, ValueError, KeyError, OverflowError, ZeroDivisionError)
_DEEP_GREY = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")


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


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB, turned as its EXIF orientation asks, and on white where it is transparent.

    Broken EXIF is ignored. Raises what Pillow raises for broken pixels.
    """
    picture.load()  # PNG may bring its tags after its pixels
    with suppress(*_BROKEN_EXIF):  # the tags are the sender's; the pixels are still good
        if picture.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            picture = ImageOps.exif_transpose(picture)
    if picture.mode in _DEEP_GREY:
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        ground = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(ground, layered).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scale 16-bit and float grey from 65,535 to 255; Pillow's own conversion would clip it."""
    values = np.nan_to_num(np.asarray(picture, np.float32))
    top = 65535.0 if values.max(initial=0) > 255 else 255.0
    return Image.fromarray((values.clip(0, top) * (255 / top)).astype(np.uint8))


def prepare(picture: Image.Image, size: int) -> tuple[NDArray[np.uint8], Crop, tuple[int, int]]:
    """Return (size, size, 3) uint8 pixels, the crop in pixels of the upright picture, and its (width, height).

    Cutting and resizing are one step. Raises what Pillow raises for broken data.
    """
    upright = upright_rgb(picture)
    crop = centre_square(*upright.size)
    box = (crop.x, crop.y, crop.x + crop.width, crop.y + crop.height)
    small = upright.resize((size, size), FILTER, box=box, reducing_gap=2.0)
    return np.asarray(small), crop, upright.size
