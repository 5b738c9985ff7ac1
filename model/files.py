"""Files that are either whole and on disk, or not there: written beside, flushed, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

_LONGEST_NAME = 240
"""Bytes of the longest name that gets a suffix; most file systems take 255."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, whose file takes the name ``path`` at the end, once it is whole and on disk.

    Until then, and where writing fails, a file that is already at ``path`` stays as it is. Missing folders are made.
    Raises OSError where the disk will not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = _half_of(path)
    try:
        yield half
        with half.open("r+b") as file:
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


@contextmanager
def atomically(path: Path) -> Iterator[IO[bytes]]:
    """Yield an open binary file that takes the name ``path`` when it is whole and on disk: see :func:`replacing`."""
    with replacing(path) as half, half.open("wb") as file:
        yield file


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in UTF-8 as :func:`replacing` does. Raises OSError."""
    with atomically(path) as file:
        file.write(text.encode())


def _half_of(path: Path) -> Path:
    """Where the file is written until it is whole; a name that has no room for a suffix is replaced by its hash."""
    name = os.fsencode(path.name)
    if len(name) > _LONGEST_NAME:
        return path.with_name(blake2b(name, digest_size=16).hexdigest() + ".half")
    return path.with_name(path.name + ".half")
