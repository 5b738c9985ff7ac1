"""Engines run the network: one interface, with OpenVINO behind it on a CPU and torch on a GPU."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from ctypes import CDLL
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from model.architecture import Architecture
from model.checkpoint import Checkpoint

EngineName = Literal["auto", "openvino", "torch"]
Precision = Literal["auto", "f32", "bf16"]


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


def create_engine(
    checkpoint: Checkpoint, *, engine: EngineName = "auto", precision: Precision = "auto", threads: int = 0
) -> Engine:
    """Return an engine that runs the network of a checkpoint.

    ``engine`` auto is torch where that is installed and sees a CUDA device, else OpenVINO. ``precision`` auto is
    bfloat16 where the hardware has it. ``threads`` 0 leaves the number to OpenVINO; torch takes no heed of it.
    """
    if engine == "torch" or (engine == "auto" and _cuda()):
        from model.engines.torch_engine import TorchEngine

        return TorchEngine(checkpoint, precision=precision)
    from model.engines.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(checkpoint, precision=precision, threads=threads)


def check_pictures(pictures: NDArray[np.uint8], size: int) -> None:
    """Raise ValueError unless ``pictures`` is uint8 and (N, size, size, 3), with N at least 1."""
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (size, size, 3) or not len(pictures):
        raise ValueError(f"The engine takes uint8 (N, {size}, {size}, 3), not {pictures.dtype} {pictures.shape}.")


def _cuda() -> bool:
    """Return whether torch sees a CUDA device. Without a driver torch, which takes seconds, is not imported."""
    try:
        CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        from model.engines.torch_engine import cuda_available
    except (OSError, ImportError):  # no driver; torch not installed, or broken: serving on a CPU needs neither
        return False
    return cuda_available()
