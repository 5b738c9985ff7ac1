"""What may be said about a photo besides what it shows: from its pixels, and from where a class map lies. numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.language.sentence import Frame, Tone
from model.weights import Floats

_GREY = 8
"""Largest difference of two channels, of 255, that most pixels of a black and white photo show."""
_DARK = 40
"""Brightness, of 255, that nine tenths of a dark picture stay below."""
_APART = 4
"""Every so manyth pixel tells the tone."""
_SIDE = 0.6
_CLOSE = 0.5


def tone(pixels: NDArray[np.uint8]) -> Tone:
    """Whether (S, S, 3) pixels are a black and white photo, or a dark picture."""
    channels = pixels[::_APART, ::_APART].astype(np.int16)
    if np.percentile(channels.max(2) - channels.min(2), 98) <= _GREY:
        return "grey"
    return "dark" if np.percentile(channels.max(2), 90) < _DARK else "plain"


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
