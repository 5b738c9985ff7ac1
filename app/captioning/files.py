"""Many pictures: which there are, in which order, and what comes of each. The job behind ``glassbot caption``."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import GlassbotError
from app.http.schemas import PredictResponse

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
    | {".heic", ".heif", ".hif"}
)

Answer = dict[str, Any]
"""``model``, ``image``, ``caption``, ``labels`` and ``words`` of ``POST /predict``."""


@dataclass(frozen=True)
class Network:
    """Who answers: the network in this process (:mod:`local_network`), or a service (:mod:`remote_network`)."""

    version: str
    ask: Callable[[bytes], Awaitable[Answer]]
    """Raises GlassbotError for a fault of the picture; whatever else it raises ends the job."""
    ahead: int
    """How many pictures it takes to keep it busy."""


@dataclass(frozen=True)
class Line:
    """What came of one file."""

    file: Path
    answer: Answer | None
    """None where there is a ``fault``."""
    fault: str = ""


def lasting(response: PredictResponse) -> Answer:
    """All of an answer that is the same each time the picture is sent."""
    return response.model_dump(exclude={"request_id", "timing_ms"})


def find(paths: Iterable[Path]) -> list[Path]:
    """The files named, and all pictures below the folders named, sorted, none twice.

    In a folder pictures are told by their suffix; a file that is named is taken as it is. Names that begin with a dot
    are passed over.
    """
    return sorted({file for path in paths for file in _below(path)}, key=lambda file: place(name(file)))


def name(file: Path) -> str:
    """The path as text that every reader takes: a byte that is no UTF-8 becomes ``\\xff``."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def place(name: str) -> tuple[str, ...]:
    """By which names are sorted: folder by folder."""
    return Path(name).parts


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in path.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.suffix.lower() in SUFFIXES and not hidden and file.is_file():
            yield file


async def caption(network: Network, files: Iterable[Path]) -> AsyncGenerator[Line]:
    """A line for each file, in their order; at most ``network.ahead`` are under way or wait for an earlier one."""
    pending: deque[asyncio.Task[Line]] = deque()
    try:
        for file in files:
            pending.append(asyncio.create_task(_one(network, file)))
            if len(pending) >= network.ahead:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _one(network: Network, file: Path) -> Line:
    try:
        body = await asyncio.to_thread(file.read_bytes)
        return Line(file, await network.ask(body))
    except OSError as error:
        return Line(file, None, f"It cannot be read ({error.strerror or error}).")
    except GlassbotError as error:
        return Line(file, None, error.detail)
