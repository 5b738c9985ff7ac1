"""How much memory is free, and whether a decoded set may have it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

from training.data.decode import Decoder
from training.data.errors import DataError

Cache = Literal["auto", "memory", "none"]
SHARE = 0.5
"""Of the free memory that one decoded set may take under ``auto``; the network and the other sets need the rest."""
_GUESS = 4 * 2**30


def free_bytes() -> int:
    """What the kernel calls available, or what the container's limit leaves where that is less."""
    free = _available()
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):  # no limit is "max", which is no number
        limit, used = (int((group / f"memory.{n}").read_text()) for n in ("max", "current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        free = min(free, limit - used + int(stat["inactive_file"]))
    return max(0, free)


def _available() -> int:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable")))
    with suppress(ValueError, AttributeError, OSError):  # no such file on macOS: half of what is built in
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return _GUESS


def decoded_bytes(decoder: Decoder) -> int:
    """Of all pictures, three bytes a pixel."""
    height, width = decoder.shape
    return len(decoder.pictures) * height * width * 3


def in_memory(decoder: Decoder, cache: Cache, where: str, world: int) -> bool:
    """Whether the set is decoded into memory; each of ``world`` processes may do the same.

    Raises DataError where memory is too small for what ``cache`` asks, ValueError where it asks for no known thing.
    """
    if cache not in get_args(Cache):
        raise ValueError(f"cache must be one of {', '.join(get_args(Cache))}, not {cache!r}.")
    need, free = decoded_bytes(decoder), free_bytes() // world
    if cache == "memory" and need > free:
        raise DataError(
            f"Decoded, {where} takes {gigabytes(need)} and {gigabytes(free)} of memory are free: let it stream "
            "(cache auto or none), or decode it smaller."
        )
    if cache == "memory" or (cache == "auto" and need <= SHARE * free):
        return True
    if decoder.pictures.kept > free:
        raise DataError(
            f"Streaming {where} keeps {gigabytes(decoder.pictures.kept)} of its row groups and {gigabytes(free)} of "
            "memory are free: write its shards with smaller row groups, of a thousand rows or fewer."
        )
    return False


def gigabytes(count: int) -> str:
    """``1.2 GB``, ``340 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
