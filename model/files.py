"""Files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomically(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the name ``path`` when it is whole and on disk; until then the old one stays.

    Raises OSError where the disk will not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".half")
    try:
        with half.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """The same for a text."""
    with atomically(path) as file:
        file.write(text.encode())
