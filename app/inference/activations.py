"""Every layer of one picture in one binary body, little endian.

    bytes 0-3   "GBA1"
    bytes 4-7   uint32, length H of the header
    H bytes     the header: UTF-8 JSON, padded with spaces so that 8 + H is a multiple of 4
    per layer   C float32, the largest activation of each channel; then C·H·W uint8, each
                round(255 · activation / that maximum), padded with zeros to a multiple of 4

The header holds ``image`` (sha256, width, height), ``crop``, and ``layers``: name, shape [C, H, W], offset of the
float32 from the start of the body, receptive_field, jump, start.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.inference.images import Sight
from model.architecture import Architecture
from model.engines import Output

MAGIC = b"GBA1"


def encode(sight: Sight, output: Output, architecture: Architecture, names: Sequence[str]) -> bytes:
    """The body for the layers in ``names``, in that order. ``output`` holds one picture."""
    maps = [_channels(output.maps[name][0]) for name in names]
    blocks = [_block(map_) for map_ in maps]
    layers = [_facts(architecture, name, map_.shape) for name, map_ in zip(names, maps, strict=True)]
    header = _header(sight, layers, blocks)
    return b"".join([MAGIC, struct.pack("<I", len(header)), header, *blocks])


def _channels(map_: NDArray[np.float32]) -> NDArray[np.float32]:
    """(C, H, W); the units of fc6 and fc7 are channels of one cell."""
    return map_ if map_.ndim == 3 else map_.reshape(-1, 1, 1)


def _block(map_: NDArray[np.float32]) -> bytes:
    maxima = map_.max((1, 2))
    scale = np.divide(255, maxima, out=np.zeros_like(maxima), where=maxima > 0)
    # Below zero only where the activation is no ReLU; such cells are shown as 0.
    cells: bytes = np.rint(map_ * scale[:, None, None]).clip(0, 255).astype(np.uint8).tobytes()
    maxima_bytes: bytes = maxima.astype("<f4").tobytes()
    return maxima_bytes + cells + bytes(-len(cells) % 4)


def _facts(architecture: Architecture, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    layer = architecture.layer(name)
    return {
        "name": name,
        "shape": list(shape),
        "receptive_field": layer.receptive_field,
        "jump": layer.jump,
        "start": layer.start,
    }


def _header(sight: Sight, layers: Sequence[dict[str, Any]], blocks: Sequence[bytes]) -> bytes:
    """Offsets are counted from the start of the body, so the header holds its own length: repeat until it fits."""
    start = 0
    while True:
        at = start
        for facts, block in zip(layers, blocks, strict=True):
            facts["offset"] = at
            at += len(block)
        image = {"sha256": sight.sha256, "width": sight.width, "height": sight.height}
        text = json.dumps({"image": image, "crop": asdict(sight.crop), "layers": list(layers)}).encode()
        needed = 8 + len(text) + -(8 + len(text)) % 4
        if needed <= start:
            return text.ljust(start - 8)
        start = needed
