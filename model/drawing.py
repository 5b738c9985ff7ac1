"""Draws pictures: kernels of conv1, a class map over its photo, the square that the network saw, channels. Pillow."""

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
# Cividis, in which the page shows activations.
_CIVIDIS = np.array(
    [
        *((0, 34, 78), (18, 53, 112), (59, 73, 108), (87, 93, 109), (112, 113, 115)),
        *((138, 134, 120), (165, 156, 116), (195, 179, 105), (225, 204, 85), (254, 232, 56)),
    ],
    np.float32,
)
_TILE = 44


def filters_png(weights: NDArray[np.float32]) -> bytes:
    """Return a PNG of (K, 3, 11, 11) kernels, 12 to a row without gaps, each scaled from its least to its largest."""
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
    """Return (S, S, 3) pixels with an (H, W) class map of shares from 0 to 1 over them in colour."""
    heat = enlarge(shares, len(pixels), architecture).clip(0, 1)
    colour = np.stack([np.interp(heat, _STOPS, _COLOURS[:, c]) for c in range(3)], -1)
    opacity = _OPACITY * heat[..., None]
    return np.rint(colour * opacity + pixels * (1 - opacity)).astype(np.uint8)


def enlarge(map_HW: NDArray[np.float32], size: int, architecture: Architecture) -> NDArray[np.float32]:
    """Return (size, size): a class map over the whole input, each cell at its place, linear between the cells."""
    layer = architecture.layer(architecture.last_convolution)
    centre = layer.start + (layer.receptive_field - 1) / 2
    weights = _interpolation(len(map_HW), size, centre, layer.jump)
    return np.asarray(weights @ map_HW @ weights.T, np.float32)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return (H, W, 3) pixels as the bytes of a PNG."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return (S, S, 3) pixels as a JPEG inside a ``data:`` URI."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode()


def strongest_channels(maps_CHW: NDArray[np.float32]) -> str:
    """Return the four channels with the highest activation, two by two in colour, as a WebP inside a ``data:`` URI."""
    strongest = np.argsort(-maps_CHW.max((1, 2)), kind="stable")[:4]
    sheet = Image.new("RGB", (2 * _TILE + 1, 2 * _TILE + 1), "white")
    for place, channel in enumerate(strongest.tolist()):
        values = maps_CHW[channel]
        shares = np.clip(values / max(float(values.max()), 1e-9), 0, 1)
        colour = np.stack([np.interp(shares, np.linspace(0, 1, len(_CIVIDIS)), _CIVIDIS[:, c]) for c in range(3)], -1)
        tile = Image.fromarray(np.rint(colour).astype(np.uint8)).resize((_TILE, _TILE), Image.Resampling.BOX)
        sheet.paste(tile, (place % 2 * (_TILE + 1), place // 2 * (_TILE + 1)))
    buffer = BytesIO()
    sheet.save(buffer, "WEBP", quality=60, method=6)
    return "data:image/webp;base64," + b64encode(buffer.getvalue()).decode()


def _interpolation(cells: int, size: int, centre: float, jump: float) -> NDArray[np.float32]:
    """Return (size, cells): the weight of each cell at every pixel, linear between the cells' centres."""
    positions = ((np.arange(size) - centre) / jump).clip(0, cells - 1)
    distance = np.abs(positions[:, None] - np.arange(cells))
    weights: NDArray[np.float32] = np.maximum(0, 1 - distance).astype(np.float32)
    return weights
