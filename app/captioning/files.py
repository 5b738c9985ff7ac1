"""The pictures that ``glassbot caption`` finds below its paths, and their captions, in order."""

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
    {
        ".apng",
        ".avif",
        ".bmp",
        ".gif",
        ".heic",
        ".heif",
        ".hif",
        ".jfif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".png",
        ".tif",
        ".tiff",
        ".webp",
    }
)
"""The suffixes, in lower case, by which a picture in a folder is recognised."""

PredictionFields = dict[str, Any]
"""The fields ``model``, ``image``, ``caption``, ``labels`` and ``words`` of an answer of ``POST /predict``."""


@dataclass(frozen=True)
class Captioner:
    """Something that captions pictures: the network in this process, or a service elsewhere.

    :mod:`local_network` and :mod:`remote_network` open one each.
    """

    version: str
    """The version of the network, as in the field ``model`` of its predictions."""
    predict: Callable[[bytes], Awaitable[PredictionFields]]
    """Caption the picture in a file's bytes.

    Raises GlassbotError where this picture cannot be captioned; any other exception ends the command.
    """
    max_pending: int
    """The number of pictures in progress at once that keeps it busy."""


@dataclass(frozen=True)
class CaptionLine:
    """The result of one file: a prediction, or an error."""

    file: Path
    prediction: PredictionFields | None
    """The prediction, or None where there is an ``error``."""
    error: str = ""
    """Why there is no prediction, in one sentence."""


def prediction_fields(response: PredictResponse) -> PredictionFields:
    """Return the fields of an answer that are the same each time the picture is sent: all but request id and times."""
    return response.model_dump(exclude={"request_id", "timing_ms"})


def find_pictures(paths: Iterable[Path]) -> list[Path]:
    """Return the files in ``paths`` and all pictures below its folders, sorted and without duplicates.

    In a folder, pictures are recognised by their suffix; a file in ``paths`` is taken whatever its suffix. In folders,
    names that begin with a dot are skipped.
    """
    found = {file for path in paths for file in _below(path)}
    return sorted(found, key=lambda file: sort_key(file_name(file)))


def file_name(file: Path) -> str:
    """Return the path as text that can be encoded in UTF-8: a byte that is not UTF-8 becomes ``\\xff``."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def sort_key(name: str) -> tuple[str, ...]:
    """Return the key that sorts names folder by folder."""
    return Path(name).parts


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in path.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.suffix.lower() in SUFFIXES and not hidden and file.is_file():
            yield file


async def caption_files(captioner: Captioner, files: Iterable[Path]) -> AsyncGenerator[CaptionLine]:
    """Yield one line for each file, in the order of ``files``.

    At most ``captioner.max_pending`` files are in progress, or finished and waiting for an earlier one.
    """
    pending: deque[asyncio.Task[CaptionLine]] = deque()
    try:
        for file in files:
            pending.append(asyncio.create_task(_caption_file(captioner, file)))
            if len(pending) >= captioner.max_pending:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _caption_file(captioner: Captioner, file: Path) -> CaptionLine:
    try:
        body = await asyncio.to_thread(file.read_bytes)
        return CaptionLine(file, await captioner.predict(body))
    except OSError as error:
        return CaptionLine(file, None, f"The file cannot be read ({error.strerror or error}).")
    except GlassbotError as error:
        return CaptionLine(file, None, error.detail)
