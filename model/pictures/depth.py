"""Scales samples of more, fewer or other than 8 bits to 8: by what the file states, else by the range of its values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Samples = NDArray[Any]
Range = tuple[float, float]

DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
"""Pillow's modes of grey with more than 8 bits."""
_FULL_SCALES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0, 4294967295.0)
"""Highest values of the usual scales: floats up to 1, and 8, 10, 12, 14, 16 and 32 bits."""
_SIGNED_SCALES = (1.0, 127.0, 511.0, 2047.0, 8191.0, 32767.0, 2147483647.0)
_LEAST_SIGNED_SHARE = 1 / 4
_LEAST_SHARE = 1 / 16
"""Share of a scale that the highest value must reach, or else the values span a range of their own."""
_BAND = 1 << 20  # samples that are scaled at a time, so that their floats take little memory


def eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of more than 8 bits as grey of 8, with alpha where one value of it is transparent."""
    values = np.asarray(picture)
    scaled = Image.fromarray(to_bytes(values, value_range(values)))
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        scaled.putalpha(Image.fromarray(np.where(values == transparent, np.uint8(0), np.uint8(255))))
    return scaled


def value_range(values: Samples, stated: Range | None = None, ignored: float | None = None) -> Range:
    """The values that are black and white.

    ``stated`` is what the file says, which holds unless its values contradict it; ``ignored`` a value that marks what
    is no measurement. Otherwise, the smallest usual scale from 0 that holds all values, if they fill a good part of it;
    or else from the lowest to the highest.
    """
    lowest, highest, mean = _statistics(values, ignored)
    if stated is not None and stated[0] < stated[1] and stated[0] <= mean <= stated[1]:
        return stated
    if lowest < 0:
        return _signed_range(lowest, highest)
    if highest > _FULL_SCALES[-1]:
        return lowest, highest
    if values.dtype == np.uint16 and highest > 255 and _repeats_bytes(values):
        return 0, 65535
    scale = next(scale for scale in _FULL_SCALES if scale >= highest)
    if values.dtype.kind == "i":
        scale = min(scale, np.iinfo(values.dtype).max)  # a signed sample never reaches the top of its unsigned scale
    return (0, scale) if highest > scale * _LEAST_SHARE else (lowest, highest)


def _signed_range(lowest: float, highest: float) -> Range:
    """The smallest usual scale around 0 that holds the values, or their own range where that is far narrower."""
    holding = ((-scale - (scale > 1), scale) for scale in _SIGNED_SCALES if -scale - 1 <= lowest and highest <= scale)
    black, white = next(holding, (lowest, highest))
    return (black, white) if highest - lowest > (white - black) * _LEAST_SIGNED_SHARE else (lowest, highest)


def to_bytes(values: Samples, black_white: Range) -> NDArray[np.uint8]:
    """The values as uint8, of the same shape: the range becomes 0 to 255, and what lies beyond is clipped."""
    black, white = black_white
    factor = 255 / (white - black) if white > black else 0.0
    result = np.empty(values.shape, np.uint8)
    for part in _bands(values):
        # float64: a float32 cannot tell neighbours of 32 bits apart
        scaled = (
            np.nan_to_num(values[part].astype(np.float64), nan=black, posinf=white, neginf=black) - black
        ) * factor
        result[part] = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return result


def _bands(values: Samples) -> list[slice]:
    rows = max(1, _BAND // max(1, values[:1].size))
    return [slice(start, start + rows) for start in range(0, len(values), rows)]


def _statistics(values: Samples, ignored: float | None) -> tuple[float, float, float]:
    """Lowest, highest and mean of all values that are finite and not the ignored one; zeros where there is none."""
    lows, highs, total, count = [], [], 0.0, 0
    for part in _bands(values):
        band = values[part]
        band = band[np.isfinite(band)] if band.dtype.kind == "f" else band
        band = band[band != ignored] if ignored is not None else band
        if band.size:
            lows.append(float(band.min()))
            highs.append(float(band.max()))
            total += float(band.sum(dtype=np.float64))
            count += band.size
    return (min(lows), max(highs), total / count) if count else (0.0, 0.0, 0.0)


def _repeats_bytes(values: Samples) -> bool:
    """Whether each value is a byte twice over: a picture of 8 bits that was spread to 16."""
    parts = (values[part] for part in _bands(values))
    return all(bool(((part >> 8) == (part & 255)).all()) for part in parts)
