"""One interface to run the network, two engines behind it: OpenVINO on a CPU, torch on a GPU."""

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
    """What one run gives for N pictures."""

    logits: NDArray[np.float32]
    """(N, K) for the K rows of fc8."""
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Row name -> activations (N, C, H, W), or (N, F) for fc6 and fc7, after the row's ReLU."""


class Engine(Protocol):
    """Pictures in, answers out; blocking, and safe to call from several threads."""

    name: str
    architecture: Architecture

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        """(N, S, S, 3) uint8 pictures to logits, and the activations asked for. Raises ValueError for other shapes."""


def create_engine(
    checkpoint: Checkpoint, *, engine: EngineName = "auto", precision: Precision = "auto", threads: int = 0
) -> Engine:
    """The engine for this machine: CUDA through torch where torch is installed and sees a device, else OpenVINO.

    ``precision`` auto is bfloat16 where the hardware has it. ``threads`` 0 leaves the number to the engine.
    """
    if engine == "torch" or (engine == "auto" and _cuda()):
        from model.engines.torch_engine import TorchEngine

        return TorchEngine(checkpoint, precision=precision)
    from model.engines.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(checkpoint, precision=precision, threads=threads)


def check_pictures(pictures: NDArray[np.uint8], size: int) -> None:
    """Raises ValueError unless ``pictures`` is (N >= 1, size, size, 3) uint8."""
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (size, size, 3) or not len(pictures):
        raise ValueError(f"The engine takes uint8 (N, {size}, {size}, 3), not {pictures.dtype} {pictures.shape}.")


def _cuda() -> bool:
    """Whether torch sees a device; torch, which takes seconds and 300 MB, is not even asked where no driver lies."""
    try:
        CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        from model.engines.torch_engine import cuda_available
    except (OSError, ImportError):  # no driver; torch not installed, or broken: serving on a CPU needs neither
        return False
    return cuda_available()
