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

from app.inference.images import DecodedImage
from model.architecture import Architecture
from model.engines import Output

MAGIC = b"GBA1"


def encode(image: DecodedImage, output: Output, architecture: Architecture, names: Sequence[str]) -> bytes:
    """The body for the layers in ``names``, in that order. ``output`` holds the activations of one picture."""
    maps_CHW = [_channels(output.maps[name][0]) for name in names]
    blocks = [_block(map_CHW) for map_CHW in maps_CHW]
    layers = [_layer_facts(architecture, name, map_CHW.shape) for name, map_CHW in zip(names, maps_CHW, strict=True)]
    header = _header(image, layers, blocks)
    return b"".join([MAGIC, struct.pack("<I", len(header)), header, *blocks])


def _channels(activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """(C, H, W) as it is; the (F,) units of fc6 and fc7 become (F, 1, 1), channels of one cell."""
    return activations if activations.ndim == 3 else activations.reshape(-1, 1, 1)


def _block(map_CHW: NDArray[np.float32]) -> bytes:
    """The maxima and the padded cells of one layer, as the module's docstring draws them."""
    maxima = map_CHW.max((1, 2))
    scale = np.divide(255, maxima, out=np.zeros_like(maxima), where=maxima > 0)
    # Below zero only where the activation is no ReLU; such cells are shown as 0.
    cells: bytes = np.rint(map_CHW * scale[:, None, None]).clip(0, 255).astype(np.uint8).tobytes()
    maxima_bytes: bytes = maxima.astype("<f4").tobytes()
    padding = bytes(-len(cells) % 4)
    return maxima_bytes + cells + padding


def _layer_facts(architecture: Architecture, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    layer = architecture.layer(name)
    return {
        "name": name,
        "shape": list(shape),
        "receptive_field": layer.receptive_field,
        "jump": layer.jump,
        "start": layer.start,
    }


def _header(image: DecodedImage, layers: Sequence[dict[str, Any]], blocks: Sequence[bytes]) -> bytes:
    """The JSON header, padded; fills in the ``offset`` of each layer.

    Offsets are counted from the start of the body, so they depend on the length of the header that holds them: repeat
    with a later start of the first block until the header fits before it.
    """
    image_facts = {"sha256": image.sha256, "width": image.width, "height": image.height}
    first_block = 0
    while True:
        offset = first_block
        for facts, block in zip(layers, blocks, strict=True):
            facts["offset"] = offset
            offset += len(block)
        text = json.dumps({"image": image_facts, "crop": asdict(image.crop), "layers": list(layers)}).encode()
        needed = 8 + len(text) + -(8 + len(text)) % 4
        if needed <= first_block:
            return text.ljust(first_block - 8)
        first_block = needed
