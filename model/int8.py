"""What a network needs to run in whole numbers of 8 bits: the range of what each layer with weights reads. numpy.

A layer's weights are whole numbers as they are stored (:mod:`model.compress`). Its inputs become such where the
largest activation that they stand for is known: activation = code * range / 255 (Jacob et al., *Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*, CVPR 2018). The pixels are whole numbers
already. ``training.release.int8`` fits the ranges on pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model.architecture import Architecture
from model.weights import Floats

LEVELS = 256
"""The values of an activation of 8 bits."""
_LARGEST_ERROR = 0.03
"""Root mean square by which an engine's logits may differ from float32, as a share of their standard deviation."""
_CYCLES = ((1, 2, 3), (7, 5, 4), (20, 31, 11))


@dataclass(frozen=True, kw_only=True)
class Int8:
    """How a network runs in whole numbers. Raises ValueError for a range that is not above 0."""

    ranges: Mapping[str, float]
    """Name of a row of the layer table -> the largest activation that its outputs' 8 bits stand for. A linear layer
    that reads a row without a range finds one for each few inputs, while it runs."""
    logits: tuple[tuple[float, ...], ...]
    """For each of :func:`probe_pictures` the logits in float32, by which an engine is tested; none: it is not."""
    same: Mapping[str, float]
    """Share of the pictures that it was measured on of which it says the same as in float32: the same ``sentence``,
    and the same first label by name of a vocabulary."""

    def __post_init__(self) -> None:
        for name, largest in self.ranges.items():
            if not 0 < largest <= float(np.finfo(np.float32).max):
                raise ValueError(f"the range of {name} is {largest}, not above 0 and finite")
        if self.logits and len({len(row) for row in self.logits}) + len(self.logits) != 1 + len(_CYCLES):
            raise ValueError(f"int8 holds no logits of {len(_CYCLES)} probe pictures, of one length each")

    def check(self, architecture: Architecture, labels: int) -> None:
        """Raise ValueError unless this belongs to a network with these layers and so many labels before teaching."""
        convolutions, linear = quantised_rows(architecture, "conv"), quantised_rows(architecture, "linear")
        if not set(convolutions) <= set(self.ranges) <= {*convolutions, *linear}:
            asked = f"the layer table asks for {convolutions} and may have {linear}"
            raise ValueError(f"int8 has ranges of {sorted(self.ranges)}, {asked}")
        if self.logits and len(self.logits[0]) != labels:
            raise ValueError(f"int8 holds {len(self.logits[0])} logits of a probe picture, the network has {labels}")

    def agrees(self, logits: Floats) -> bool:
        """Return whether (N, K) logits of :func:`probe_pictures` are those of the network, but for rounding."""
        if not self.logits:
            return True
        expected = np.array(self.logits)
        error = np.sqrt(np.mean((logits[:, : expected.shape[1]] - expected) ** 2))
        return bool(error <= _LARGEST_ERROR * expected.std())


def to_json(int8: Int8 | None) -> dict[str, Any] | None:
    """Return the JSON value that :func:`from_json` reads."""
    return None if int8 is None else asdict(int8)


def from_json(record: Mapping[str, Any] | None) -> Int8 | None:
    """Return what :func:`to_json` stored. Raises ValueError for anything else."""
    if record is None:
        return None
    try:
        ranges = {str(name): float(largest) for name, largest in record["ranges"].items()}
        logits = tuple(tuple(float(value) for value in row) for row in record["logits"])
        same = {str(name): float(share) for name, share in record["same"].items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("its int8 is not a record of ranges, logits and shares") from error
    return Int8(ranges=ranges, logits=logits, same=same)


def quantised_rows(architecture: Architecture, operation: Literal["conv", "linear"]) -> list[str]:
    """Return the rows whose outputs become whole numbers for the layers of an operation, but for conv1.

    Before a convolution that is the last row which is no pooling: the largest of several values is the same one after
    rounding. Only rectified activations are taken, which begin at 0, and no convolution pads the pixels, whose 0 is not
    grey.
    """
    if architecture.activation != "relu" or architecture.conv1_padding:
        return []
    rows: list[str] = []
    before = unpooled = ""
    for row in architecture.layers:
        if row.operation == operation and before:
            rows.append(unpooled if operation == "conv" else before)
        before = row.name
        if row.operation != "pool":
            unpooled = row.name
    return rows


def probe_pictures(size: int) -> NDArray[np.uint8]:
    """Return (3, size, size, 3) waves in colours, from coarse to fine, of no more contrast than photos have."""
    place = np.arange(size) / size
    pictures = []
    for across, down, both in _CYCLES:
        red, green = np.sin(2 * np.pi * across * place)[None, :], np.sin(2 * np.pi * down * place)[:, None]
        blue = np.sin(2 * np.pi * both * (place[None, :] + place[:, None]))
        pictures.append(np.stack(np.broadcast_arrays(red, green, blue), axis=-1))
    return np.asarray(127.5 + 60 * np.stack(pictures), np.uint8)
