"""What the device at hand does well."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import torch

from training.config import Precision

_MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD = -4, -1, -2  # mallopt(3)


def choose(name: str) -> torch.device:
    """``auto`` is the first CUDA device where there is one, else the CPU."""
    return torch.device(name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu")


def settle(precision: Precision, device: torch.device) -> Precision:
    """bf16 for ``auto`` on CUDA and on processors with instructions for it; elsewhere it is several times slower."""
    if precision != "auto":
        return precision
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    fast = device.type == "cuda" or able.get("amx_bf16") or able.get("avx512_bf16")
    return "bf16" if fast else "f32"


def keep_freed_memory() -> None:
    """Tell glibc to reuse the memory of one step in the next, instead of giving hundreds of megabytes back each time.

    A fifth more pictures a second on two cores (docs/experiments.md, 3). No effect with other C libraries.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**29)):
                libc.mallopt(option, value)
