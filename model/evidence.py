"""What a sentence may add to what a photo shows: its tone from the pixels, its frame from a class map. numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.language.sentence import Frame, Tone
from model.weights import Floats

_BLANK = 4  # spread (standard deviation) of each channel that a blank picture stays below, of 255; no photo seen had 5
_GREY = 8  # largest difference between the channels of a grey pixel, of 255
_GREY_SHARE = 0.98  # least share of grey pixels in a black and white photo
_DARK = 40  # brightness that a dark pixel stays below, of 255
_DARK_SHARE = 0.9  # share of dark pixels that a dark picture exceeds
_STEP = 4  # only every fourth pixel of every fourth row is looked at
_SIDE_SHARE = 0.6  # share of the evidence that lies in an outer third of what is at that side
_CLOSE_SHARE = 0.5  # least share of the cells that the evidence fills in a close up


def tone(pixels: NDArray[np.uint8]) -> Tone:
    """Return what is to be said of (S, S, 3) pixels as a whole.

    ``blank`` of a picture that is all one colour, ``grey`` of a black and white photo, ``dark`` of a dark one, else
    ``plain``.
    """
    channels = np.ascontiguousarray(pixels[::_STEP, ::_STEP].transpose(2, 0, 1))
    if channels.std((1, 2)).max() < _BLANK:
        return "blank"
    red, green, blue = channels
    brightest = np.maximum(np.maximum(red, green), blue)
    grey = brightest - np.minimum(np.minimum(red, green), blue) <= _GREY
    if np.count_nonzero(grey) >= _GREY_SHARE * grey.size:
        return "grey"
    return "dark" if np.count_nonzero(brightest < _DARK) > _DARK_SHARE * grey.size else "plain"


def frame(evidence: Floats) -> Frame:
    """Return where the evidence of an (H, W) class map lies.

    ``close``: over at least half of the picture. ``left`` or ``right``: mostly in that third. ``whole``: neither.
    """
    total = float(evidence.sum())
    if total <= 0:
        return "whole"
    effective = total**2 / float((evidence**2).sum())  # how many cells of equal evidence would be as concentrated
    if effective >= _CLOSE_SHARE * evidence.size:
        return "close"
    centres = (np.arange(evidence.shape[1]) + 0.5) / evidence.shape[1]
    columns = evidence.sum(0) / total
    if columns[centres < 1 / 3].sum() > _SIDE_SHARE:
        return "left"
    return "right" if columns[centres > 2 / 3].sum() > _SIDE_SHARE else "whole"
