"""Decides whether a decoded set fits into the memory that is free."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

from training.data.decode import Decoder
from training.data.errors import DataError

Cache = Literal["auto", "memory", "none"]
SHARE = 0.5
"""Share of the free memory that one decoded set may take under ``auto``; the network and other sets need the rest."""
_GUESS = 4 * 2**30


def free_bytes() -> int:
    """Bytes of memory that the kernel calls available, or that the container's limit leaves where that is less."""
    free = _available_bytes()
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):  # no limit is "max", which is no number
        limit, used = (int((group / f"memory.{n}").read_text()) for n in ("max", "current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        free = min(free, limit - used + int(stat["inactive_file"]))
    return max(0, free)


def _available_bytes() -> int:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable")))
    with suppress(ValueError, AttributeError, OSError):  # no such file on macOS: half of what is built in
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return _GUESS


def decoded_bytes(decoder: Decoder) -> int:
    """Bytes of all pictures once decoded, three a pixel."""
    height, width = decoder.shape
    return len(decoder.pictures) * height * width * 3


def fits_in_memory(decoder: Decoder, cache: Cache, place: str, world: int) -> bool:
    """Whether the set is to be decoded into memory, where each of ``world`` processes does the same.

    ``place`` names the set in errors. Raises DataError where memory is too small for what ``cache`` demands, ValueError
    for an unknown ``cache``.
    """
    if cache not in get_args(Cache):
        raise ValueError(f"cache must be one of {', '.join(get_args(Cache))}, not {cache!r}.")
    needed = decoded_bytes(decoder)
    free = free_bytes() // world
    if cache == "memory" and needed > free:
        raise DataError(
            f"Decoded, {place} takes {format_bytes(needed)} and {format_bytes(free)} of memory are free: let it stream "
            "(cache auto or none), or decode it smaller."
        )
    if cache == "memory" or (cache == "auto" and needed <= SHARE * free):
        return True
    cached = decoder.pictures.cached_bytes
    if cached > free:
        raise DataError(
            f"Streaming {place} keeps {format_bytes(cached)} of its row groups and {format_bytes(free)} of memory "
            "are free: write its shards with smaller row groups, of a thousand rows or fewer."
        )
    return False


def format_bytes(count: int) -> str:
    """A number of bytes in a unit that suits it: ``1.2 GB``, ``340.0 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
