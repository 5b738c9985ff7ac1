"""Pictures that we draw: the kernels of conv1, a class map over its picture, the square that the network saw."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.architecture import Architecture

_COLUMNS = 12
_STOPS = np.linspace(0, 1, 5)
# Dark violet to pale yellow, growing in lightness, so that it also reads without colour.
_COLOURS = np.array([(13, 8, 60), (110, 10, 120), (205, 55, 90), (250, 140, 40), (252, 245, 160)], np.float32)
_OPACITY = 0.75


def filters_png(weights: NDArray[np.float32]) -> bytes:
    """(96, 3, 11, 11) kernels -> PNG of 12 columns x 8 rows without gaps, each from its own least to its most."""
    low = weights.min((1, 2, 3), keepdims=True)
    span = weights.max((1, 2, 3), keepdims=True) - low
    tiles = np.divide(weights - low, span, out=np.full_like(weights, 0.5), where=span > 0)
    number, channels, height, width = tiles.shape
    rows = -(-number // _COLUMNS)
    sheet = np.zeros((rows * _COLUMNS, channels, height, width), np.float32)
    sheet[:number] = tiles
    grid = sheet.reshape(rows, _COLUMNS, channels, height, width).transpose(0, 3, 1, 4, 2)
    return png(np.rint(255 * grid).astype(np.uint8).reshape(rows * height, _COLUMNS * width, channels))


def overlay(pixels: NDArray[np.uint8], shares: NDArray[np.float32], architecture: Architecture) -> NDArray[np.uint8]:
    """A (13, 13) class map of shares 0 to 1, in colour over the (S, S, 3) picture it explains: (S, S, 3)."""
    layer = architecture.layer(architecture.last_convolution)
    centre = layer.start + (layer.receptive_field - 1) / 2
    weights = _interpolation(len(shares), len(pixels), centre, layer.jump)
    heat = (weights @ shares @ weights.T).clip(0, 1)
    colour = np.stack([np.interp(heat, _STOPS, _COLOURS[:, c]) for c in range(3)], -1)
    opacity = _OPACITY * heat[..., None]
    return np.rint(colour * opacity + pixels * (1 - opacity)).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) pixels as a PNG."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """(S, S, 3) pixels as a JPEG inside a URI."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode()


def _interpolation(cells: int, size: int, centre: float, jump: float) -> NDArray[np.float32]:
    """(size, cells): how much of each cell every pixel gets, linearly between the cells' centres."""
    positions = ((np.arange(size) - centre) / jump).clip(0, cells - 1)
    distance = np.abs(positions[:, None] - np.arange(cells))
    weights: NDArray[np.float32] = np.maximum(0, 1 - distance).astype(np.float32)
    return weights
