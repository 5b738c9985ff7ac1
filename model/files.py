"""Files that are either whole and on disk, or not there: written beside, flushed, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, whose file takes the name ``path`` at the end, once it is whole and on disk.

    Until then, and where writing fails, a file that is already at ``path`` stays as it is. Missing folders are made.
    Raises OSError where the disk will not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".half")
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
