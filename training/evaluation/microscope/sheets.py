"""Synthetic pictures as sheets: one WebP for each layer, all of them within a budget of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.unit_cards import ACROSS

BUDGET = 2_500_000
"""Bytes of all sheets together; cards and figures take less than half a megabyte more."""
_QUALITIES = (90, 80, 70, 60, 50, 40, 30, 20, 10, 5)
_LOSSLESS_SIDE = 16  # pixels: kernels of conv1 stay as they are
_SIDES = {"conv2": 48, "conv3": 80, "conv4": 96, "conv5": 96, "fc8": 96}  # multiples of 16, as WebP's blocks


def side_of(layer: str, seen: int) -> int:
    """Side in pixels of a layer's pictures on its sheet; ``seen`` is that of the pictures as they were made."""
    return min(seen, _SIDES.get(layer, seen))


def encode(pictures: Mapping[str, NDArray[np.uint8]], budget: int = BUDGET) -> dict[str, bytes]:
    """The sheet of each layer from its pictures (n, S, S, 3); all with the best quality that keeps to the budget.

    Raises ValueError where none does.
    """
    sheets = {layer: _sheet(pixels, side_of(layer, pixels.shape[1])) for layer, pixels in pictures.items()}
    for quality in _QUALITIES:
        files = {layer: _webp(sheet, side, quality) for layer, (sheet, side) in sheets.items()}
        if sum(map(len, files.values())) <= budget:
            return files
    raise ValueError(f"The sheets of {', '.join(pictures)} do not go into {budget / 1e6:.1f} MB.")


def _sheet(pixels_NHWC: NDArray[np.uint8], side: int) -> tuple[Image.Image, int]:
    rows = -(-len(pixels_NHWC) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * side, rows * side), (127, 127, 127))
    for number, picture in enumerate(pixels_NHWC):
        small = Image.fromarray(picture)
        if small.width != side:
            small = small.resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (number % ACROSS * side, number // ACROSS * side))
    return sheet, side


def _webp(sheet: Image.Image, side: int, quality: int) -> bytes:
    file = BytesIO()
    sheet.save(file, "WEBP", quality=quality, lossless=side <= _LOSSLESS_SIDE, method=4)
    return file.getvalue()
