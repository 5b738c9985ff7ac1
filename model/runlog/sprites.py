"""A network at one step in one small picture: the kernels of conv1, and what each layer makes of one fixed photo.

Tiles lie in blocks, 12 to a row; ``docs/journal.md`` gives the format. Numbers are kept in few steps, because noise
does not compress: at 8 bits the kernels alone would fill the whole 33 kB that an epoch may take.
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
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")
"""Layers whose activations a sheet shows, from top to bottom; kernels lie above them."""

_LARGEST = 27  # cells along a side: conv2 at 227 px as it is, conv1 in half
_STEP = 12
_MIDDLE, _KERNEL_STEPS = 128, 10
_MAP_STEPS = 21
_MOST_LAYERS, _MOST_TILES, _MOST_PIXELS = 16, 1024, 16383  # the last is WebP's own


@dataclass(frozen=True, kw_only=True)
class Block:
    """The tiles of one layer, or of the kernels."""

    name: str
    """``kernels``, or a layer of :data:`LAYERS`."""
    shape: tuple[int, int, int]
    """(kernels, 11, 11), or the layer's own C, H, W."""
    side: int
    """Of a tile, in pixels of the sheet."""
    y: int
    """First row of pixels."""
    peaks: tuple[float, ...]
    """What full strength means in each tile: the largest weight either way, or the largest activation."""

    def __post_init__(self) -> None:
        within = 0 < self.side <= _MOST_PIXELS // COLUMNS and self.y >= 0 and self.bottom <= _MOST_PIXELS
        if not (within and 0 < len(self.peaks) <= _MOST_TILES):
            raise ValueError(f"The block {self.name!r} does not fit into a sheet.")

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return -(-len(self.peaks) // COLUMNS)

    @property
    def bottom(self) -> int:
        """First row of pixels below it."""
        return self.y + self.rows * self.side


def encode(kernels: NDArray[np.float32], maps: Mapping[str, NDArray[np.float32]]) -> tuple[bytes, list[Block]]:
    """(K, 3, 11, 11) kernels and activations (C, H, W) by layer -> a lossless WebP and where its tiles lie."""
    tiles, peaks = _kernel_tiles(kernels)
    pieces, blocks = [], [_block("kernels", (len(kernels), *kernels.shape[2:]), tiles, 0, peaks)]
    pieces.append(_pack(tiles))
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
    """Plain JSON values; peaks to three digits."""
    return [
        {"name": b.name, "shape": list(b.shape), "side": b.side, "y": b.y, "peaks": [_short(p) for p in b.peaks]}
        for b in blocks
    ]


def from_json(record: Any) -> tuple[Block, ...]:
    """The inverse of :func:`to_json`. Raises ValueError, KeyError, TypeError or OverflowError for anything else."""
    if not (isinstance(record, list) and 0 < len(record) <= _MOST_LAYERS):
        raise ValueError("A sheet has blocks.")
    blocks = []
    for item in record:
        channels, height, width = (int(n) for n in item["shape"])
        blocks.append(
            Block(
                name=str(item["name"]), shape=(channels, height, width), side=int(item["side"]), y=int(item["y"]),
                peaks=tuple(float(peak) for peak in item["peaks"]),
            )
        )  # fmt: skip
    return tuple(blocks)


def _kernel_tiles(kernels: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(K, 11, 11, 3), grey where a weight is 0; and the largest weight of each, either way."""
    peaks = np.abs(kernels).max((1, 2, 3))
    scaled = kernels * _share(peaks)[:, None, None, None] * _KERNEL_STEPS
    return (_MIDDLE + _STEP * np.rint(scaled)).astype(np.uint8).transpose(0, 2, 3, 1), peaks


def _map_tiles(map_: NDArray[np.float32], most: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(n, side, side, 3) grey tiles of n channels, evenly spread, so that both columns are among them."""
    number = min(most, len(map_))
    chosen = map_[np.arange(number) * len(map_) // number]
    side = map_.shape[1]
    if side > _LARGEST:
        small = [Image.fromarray(one).resize((_LARGEST, _LARGEST), Image.Resampling.BOX) for one in chosen]
        chosen = np.stack([np.asarray(one) for one in small])
    peaks = chosen.max((1, 2)).clip(0)  # below zero only where the activation is no ReLU; shown as 0
    scaled = chosen.clip(0) * _share(peaks)[:, None, None] * _MAP_STEPS
    grey = (_STEP * np.rint(scaled)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3), peaks


def _share(peaks: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.divide(1, peaks, out=np.zeros_like(peaks), where=peaks > 0)


def _pack(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, side, side, 3) -> (rows * side, 12 * side, 3); black where the last row has no more tiles."""
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


def _short(value: float) -> float:
    return float(f"{value:.3g}")
