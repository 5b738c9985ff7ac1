"""Many files: the job behind ``glassbot caption``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import answers
from app.errors import GlassbotError
from app.predictor import Predictor

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
    | {".heic", ".heif", ".hif"}
)


@dataclass(frozen=True)
class Line:
    """What came of one file."""

    file: Path
    answer: dict[str, Any] | None
    """The JSON line, or None where there is a ``fault``."""
    fault: str = ""


def find(paths: Iterable[Path]) -> list[Path]:
    """The files named, and all pictures below the folders named, sorted by path, none twice.

    In a folder pictures are told by their suffix; a file that is named is taken as it is. Names that begin with a dot
    are passed over.
    """
    return sorted({file for path in paths for file in _below(path)})


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in path.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.suffix.lower() in SUFFIXES and not hidden and file.is_file():
            yield file


async def caption(predictor: Predictor, files: Iterable[Path], *, ahead: int) -> AsyncIterator[Line]:
    """A line for each file, in their order; ``ahead`` of them are read and decoded while the network works."""
    pending: deque[asyncio.Task[Line]] = deque()
    try:
        for file in files:
            pending.append(asyncio.create_task(_one(predictor, file)))
            if len(pending) >= ahead:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()


async def _one(predictor: Predictor, file: Path) -> Line:
    try:
        body = await asyncio.to_thread(file.read_bytes)
        described = await predictor.describe(body)
    except OSError as error:
        return Line(file, None, f"it cannot be read ({error.strerror or error}).")
    except GlassbotError as error:
        return Line(file, None, error.detail)
    answer = answers.prediction(described, predictor.checkpoint).model_dump(exclude={"timing_ms"})
    return Line(file, {"file": str(file), **answer})
