"""Engines run the network: one interface, with OpenVINO behind it on a CPU and torch on a GPU."""

from __future__ import annotations

import sys
from ctypes import CDLL

from model.checkpoint import Checkpoint
from model.engines.interface import Engine, EngineName, Output, Precision, check_pictures

# OpenVINO's telemetry needs a home folder (a container's user may have none), writes into it, and sends what is
# converted to a server of others. Without its package, which no module of ours needs, OpenVINO does without it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None lets an import fail
# Its converter of other programs' models takes 40 ms of the start and 7 MB; training.trainer.teachers brings it back.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]

__all__ = ["Engine", "EngineName", "Output", "Precision", "check_pictures", "create_engine"]


def create_engine(
    checkpoint: Checkpoint, *, engine: EngineName = "auto", precision: Precision = "auto", threads: int = 0
) -> Engine:
    """Return an engine that runs the network of a checkpoint.

    ``engine`` auto is torch where that is installed and sees a CUDA device, else OpenVINO. ``precision`` auto is int8
    where the checkpoint has ranges for it and the processor its instructions, else bfloat16 where the hardware has it.
    ``threads`` 0 leaves the number to OpenVINO; torch takes no heed of it. Raises ValueError for a precision that this
    network or this machine cannot do.
    """
    if engine == "torch" or (engine == "auto" and _cuda()):
        from model.engines.torch_engine import TorchEngine

        return TorchEngine(checkpoint, precision=precision)
    from model.engines.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(checkpoint, precision=precision, threads=threads)


def _cuda() -> bool:
    """Return whether torch sees a CUDA device. Without a driver torch, which takes seconds, is not imported."""
    try:
        CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        from model.engines.torch_engine import cuda_available
    except (OSError, ImportError):  # no driver; torch not installed, or broken: serving on a CPU needs neither
        return False
    return cuda_available()
