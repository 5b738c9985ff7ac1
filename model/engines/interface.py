"""The interface of the engines that run the network: what goes in, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from model.architecture import Architecture

EngineName = Literal["auto", "openvino", "torch"]
Precision = Literal["auto", "int8", "bf16", "f32"]


@dataclass(frozen=True)
class Output:
    """The logits and activations of one run for N pictures."""

    logits: NDArray[np.float32]
    """(N, K), for the K rows of fc8."""
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Name of a row -> its activations: (N, C, H, W), or (N, F) for fc6 and fc7."""


class Engine(Protocol):
    """Runs a network on pictures; blocks until it is done, and may be called from several threads."""

    name: str
    """Library, device and precision: ``openvino-cpu-bf16``."""
    architecture: Architecture
    """The table of the network that it runs, without batch norm."""

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        """Return the logits of (N, S, S, 3) uint8 pictures, and the activations of the rows named in ``maps``.

        Raises ValueError for pictures of another shape or type.
        """


def check_pictures(pictures: NDArray[np.uint8], size: int) -> None:
    """Raise ValueError unless ``pictures`` is uint8 and (N, size, size, 3), with N at least 1."""
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (size, size, 3) or not len(pictures):
        raise ValueError(f"The engine takes uint8 (N, {size}, {size}, 3), not {pictures.dtype} {pictures.shape}.")
