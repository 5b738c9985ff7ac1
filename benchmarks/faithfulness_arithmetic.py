"""The arithmetic of faithfulness: what is covered in which order, areas under curves, torch-cam's two figures. numpy.

Deletion and insertion: Petsiuk, Das and Saenko, BMVC 2018 (RISE). Average drop and increase in confidence: Chattopadhay
et al., WACV 2018 (Grad-CAM++), as torch-cam's ClassificationMetric computes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.weights import Floats

Pixels = NDArray[np.uint8]
_TINY = 1e-7  # added to a probability that is divided by, as torch-cam does


def ranks(importance_HW: Floats, random: np.random.Generator) -> NDArray[np.int64]:
    """Return (H, W) places of the pixels, 0 for the most important; equals stand in random order.

    A class map has many zeros: without chance, the first rows of the picture would count as the more important ones.
    """
    values = importance_HW.reshape(-1)
    order = np.lexsort((random.random(values.size), -values))
    places = np.empty(values.size, np.int64)
    places[order] = np.arange(values.size)
    return places.reshape(importance_HW.shape)


def covered(pixels: Pixels, baseline: Pixels, places: NDArray[np.int64], shares: Sequence[float]) -> Pixels:
    """Return (len(shares), H, W, 3): the picture with that share of its most important pixels from ``baseline``."""
    counts = np.rint(np.asarray(shares) * places.size)
    hidden = places[None] < counts[:, None, None]
    return np.where(hidden[..., None], baseline, pixels)


def area(scores: Sequence[float] | Floats) -> float:
    """Return the area under a curve of scores at evenly spaced shares from 0 to 1, by trapezia."""
    values = np.asarray(scores, np.float64)
    return float((values[1:] + values[:-1]).mean() / 2)


def stretch(map_HW: Floats, size: int) -> Floats:
    """Return (size, size): the map enlarged over the whole picture as torch's bilinear interpolation does it."""
    rows, columns = (_stretching(cells, size) for cells in map_HW.shape)
    return np.asarray(rows @ map_HW @ columns.T, np.float32)


def _stretching(cells: int, size: int) -> Floats:
    """Return (size, cells): the weight of each cell at every pixel (``align_corners=False``)."""
    positions = ((np.arange(size) + 0.5) * cells / size - 0.5).clip(0, cells - 1)
    distance = np.abs(positions[:, None] - np.arange(cells))
    weights: Floats = np.maximum(0, 1 - distance).astype(np.float32)
    return weights


def dimmed(pixels: Pixels, shares_HW: Floats, mean: Sequence[float]) -> Pixels:
    """Return the (H, W, 3) picture faded towards the mean colour where the map, enlarged to it, is below 1.

    That is the standardised picture times the map, which torch-cam feeds to the network.
    """
    colour = np.asarray(mean, np.float32)
    faded = colour + shares_HW[..., None] * (pixels.astype(np.float32) - colour)
    return np.rint(faded).clip(0, 255).astype(np.uint8)


def shares_of(map_HW: Floats) -> Floats:
    """Return the map as torch-cam scales it: nothing below zero, the smallest cell 0 and the largest 1.

    It is 0 everywhere where all cells are equal.
    """
    positive = np.maximum(map_HW, 0)
    positive = positive - positive.min()
    most = positive.max()
    shares: Floats = positive / most if most > 0 else positive
    return shares


def drops(before: Floats, after: Floats) -> Floats:
    """Return (N,) the share of each probability that is lost; 0 where it rose."""
    lost: Floats = np.maximum(before - after, 0) / (before + _TINY)
    return lost


def increases(before: Floats, after: Floats) -> Floats:
    """Return (N,) 1 where the probability rose, else 0."""
    return (before < after).astype(np.float32)


def centre_map(cells: int) -> Floats:
    """Return (cells, cells): a bell around the middle, with a quarter of the side as its spread; a control."""
    offsets = (np.arange(cells) - (cells - 1) / 2) / (cells / 4)
    bell = np.exp(-(offsets**2) / 2)
    centred: Floats = np.outer(bell, bell).astype(np.float32)
    return centred
