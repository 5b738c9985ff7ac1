"""The device that trains: which one, in which precision, and how memory is reused on it."""

from __future__ import annotations

import ctypes
import re
import sys
from contextlib import suppress

import torch

from training.config import Precision

_MMAP_MAX = -4  # these three: mallopt(3)
_TRIM_THRESHOLD = -1
_TOP_PAD = -2


def pick_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is the first CUDA device where there is one, else the CPU.

    Raises ValueError for another name than auto, cpu, cuda or cuda:N, and for a CUDA device that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ValueError(f"--device {name} is no device: give auto, cpu, cuda or cuda:N.")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"--device {name} is not on this machine, or this torch cannot use it: give auto or cpu.")
    return device


def resolve_precision(precision: Precision, device: torch.device) -> Precision:
    """The precision itself; for ``auto`` bf16 where the device has instructions for it, else f32.

    On a processor without them bf16 is several times slower than f32.
    """
    if precision != "auto":
        return precision
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    fast = device.type == "cuda" or capabilities.get("amx_bf16") or capabilities.get("avx512_bf16")
    return "bf16" if fast else "f32"


def reuse_freed_memory() -> None:
    """Tell glibc to keep the memory that one step frees for the next, instead of returning it to the system each time.

    A fifth more pictures a second on two cores (docs/experiments.md, 3). No effect with other C libraries.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**29)):
                libc.mallopt(option, value)
