"""What may be said about a photo besides what it shows: from its pixels, and from where a class map lies. numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.language.sentence import Frame, Tone
from model.weights import Floats

_GREY, _MOST_GREY = 8, 0.98
"""Largest difference of two channels, of 255, that so many pixels of a black and white photo show."""
_DARK, _MOST_DARK = 40, 0.9
"""Brightness, of 255, that so many pixels of a dark picture stay below."""
_APART = 4
"""Every so manyth pixel tells the tone."""
_SIDE = 0.6
_CLOSE = 0.5


def tone(pixels: NDArray[np.uint8]) -> Tone:
    """Whether (S, S, 3) pixels are a black and white photo, or a dark picture."""
    red, green, blue = np.moveaxis(pixels[::_APART, ::_APART], 2, 0)
    brightest = np.maximum(np.maximum(red, green), blue)
    if np.mean(brightest - np.minimum(np.minimum(red, green), blue) <= _GREY) >= _MOST_GREY:
        return "grey"
    return "dark" if np.mean(brightest < _DARK) > _MOST_DARK else "plain"


def frame(evidence: Floats) -> Frame:
    """Where the evidence of an (H, W) class map lies: over most of the picture, or mostly in one outer third."""
    total = float(evidence.sum())
    if total <= 0:
        return "whole"
    effective = total**2 / float((evidence**2).sum())  # cells, if all that count counted alike
    if effective >= _CLOSE * evidence.size:
        return "close"
    centres = (np.arange(evidence.shape[1]) + 0.5) / evidence.shape[1]
    columns = evidence.sum(0) / total
    if columns[centres < 1 / 3].sum() > _SIDE:
        return "left"
    return "right" if columns[centres > 2 / 3].sum() > _SIDE else "whole"
