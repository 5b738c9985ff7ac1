"""A sheet of sprites: one small picture that holds the kernels of conv1 and each layer's activations for a photo.

Tiles lie in blocks, 12 to a row; ``docs/runlog.md`` gives the format. Numbers are rounded to about 20 levels, because
noise does not compress: with 256 levels the kernels alone would fill the whole 33 kB that an epoch may take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLUMNS = 12
"""Tiles in a row of a sheet."""
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")
"""Layers whose activations a sheet shows, as far as the network has them, from top to bottom, below the kernels."""

_LARGEST_TILE = 27  # cells along a side: at 227 px conv2 as it is, conv1 in half
_LEVEL = 12  # distance of neighbouring levels, in steps of a byte
_ZERO_WEIGHT = 128
_KERNEL_LEVELS = 10  # above zero, and as many below
_MAP_LEVELS = 21  # above zero
_MOST_LAYERS = 16
_MOST_TILES = 1024
_MOST_PIXELS = 16383  # the limit of WebP


@dataclass(frozen=True, kw_only=True)
class Block:
    """Where the tiles of one layer, or of the kernels, lie in a sheet. Raises ValueError where they do not fit."""

    name: str
    """``kernels``, or a layer of :data:`LAYERS`."""
    shape: tuple[int, int, int]
    """(kernels, 11, 11), or the layer's own (C, H, W)."""
    side: int
    """Side of a tile, in pixels of the sheet."""
    y: int
    """First row of pixels of the block."""
    peaks: tuple[float, ...]
    """What full strength means in each tile: its largest weight of either sign, or its largest activation."""

    def __post_init__(self) -> None:
        within = 0 < self.side <= _MOST_PIXELS // COLUMNS and self.y >= 0 and self.bottom <= _MOST_PIXELS
        if not (within and 0 < len(self.peaks) <= _MOST_TILES):
            raise ValueError(f"The block {self.name!r} does not fit into a sheet.")

    @property
    def rows(self) -> int:
        """Number of rows of tiles."""
        return -(-len(self.peaks) // COLUMNS)

    @property
    def bottom(self) -> int:
        """First row of pixels below the block."""
        return self.y + self.rows * self.side


def encode(kernels: NDArray[np.float32], maps: Mapping[str, NDArray[np.float32]]) -> tuple[bytes, list[Block]]:
    """Draw (K, 3, 11, 11) kernels and activations (C, H, W) by layer: a lossless WebP, and where its tiles lie."""
    tiles, peaks = _kernel_tiles(kernels)
    pieces = [_pack(tiles)]
    blocks = [_block("kernels", (len(kernels), *kernels.shape[2:]), tiles, 0, peaks)]
    for name in LAYERS:
        if name in maps:
            tiles, peaks = _map_tiles(maps[name], 4 * COLUMNS if name == "pool5" else COLUMNS)
            blocks.append(_block(name, maps[name].shape, tiles, blocks[-1].bottom, peaks))
            pieces.append(_pack(tiles))
    width = max(piece.shape[1] for piece in pieces)
    sheet = np.concatenate([np.pad(piece, ((0, 0), (0, width - piece.shape[1]), (0, 0))) for piece in pieces])
    file = BytesIO()
    Image.fromarray(sheet).save(file, "WEBP", lossless=True, quality=100, method=6)
    return file.getvalue(), blocks


def to_json(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return the blocks as plain JSON values, with peaks rounded to three digits."""
    return [
        {"name": b.name, "shape": list(b.shape), "side": b.side, "y": b.y, "peaks": [_three_digits(p) for p in b.peaks]}
        for b in blocks
    ]


def from_json(record: Any) -> tuple[Block, ...]:
    """Read what :func:`to_json` wrote. Raises ValueError, KeyError, TypeError or OverflowError for anything else."""
    if not (isinstance(record, list) and 0 < len(record) <= _MOST_LAYERS):
        raise ValueError(f"A sheet has 1 to {_MOST_LAYERS} blocks.")
    return tuple(_block_from_json(item) for item in record)


def _block_from_json(record: Mapping[str, Any]) -> Block:
    channels, height, width = (int(n) for n in record["shape"])
    return Block(
        name=str(record["name"]),
        shape=(channels, height, width),
        side=int(record["side"]),
        y=int(record["y"]),
        peaks=tuple(float(peak) for peak in record["peaks"]),
    )


def _kernel_tiles(kernels: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return (K, 11, 11, 3) tiles, grey where a weight is 0, and (K,) the largest weight of each, of either sign."""
    peaks = np.abs(kernels).max((1, 2, 3))
    scaled = kernels * _reciprocals(peaks)[:, None, None, None] * _KERNEL_LEVELS
    return (_ZERO_WEIGHT + _LEVEL * np.rint(scaled)).astype(np.uint8).transpose(0, 2, 3, 1), peaks


def _map_tiles(map_: NDArray[np.float32], most: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return (n, side, side, 3) grey tiles of at most ``most`` channels of a (C, H, W) map, and (n,) their peaks.

    The channels are evenly spread, so that both columns are among them.
    """
    number = min(most, len(map_))
    channels = map_[np.arange(number) * len(map_) // number]
    if map_.shape[1] > _LARGEST_TILE:
        channels = np.stack([_shrunk(channel) for channel in channels])
    peaks = channels.max((1, 2)).clip(0)  # below zero only where the activation is no ReLU; shown as 0
    scaled = channels.clip(0) * _reciprocals(peaks)[:, None, None] * _MAP_LEVELS
    grey = (_LEVEL * np.rint(scaled)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3), peaks


def _shrunk(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (27, 27) means of the cells beneath each cell."""
    size = (_LARGEST_TILE, _LARGEST_TILE)
    return np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.BOX))


def _reciprocals(peaks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 / peak; 0 for a peak of 0."""
    return np.divide(1, peaks, out=np.zeros_like(peaks), where=peaks > 0)


def _pack(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay (n, side, side, 3) tiles into (rows * side, 12 * side, 3) pixels; black where the last row has no more."""
    number, side = len(tiles), tiles.shape[1]
    rows = -(-number // COLUMNS)
    full = np.zeros((rows * COLUMNS, *tiles.shape[1:]), np.uint8)
    full[:number] = tiles
    grid = full.reshape(rows, COLUMNS, side, side, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * side, COLUMNS * side, 3)


def _block(name: str, shape: Sequence[int], tiles: NDArray[np.uint8], y: int, peaks: NDArray[np.float32]) -> Block:
    channels, height, width = shape
    return Block(
        name=name, shape=(channels, height, width), side=tiles.shape[1], y=y, peaks=tuple(float(p) for p in peaks)
    )


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")
