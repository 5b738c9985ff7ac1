"""The pictures that ``glassbot caption`` finds below its paths, and their captions, in order."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import EmptyBodyError, GlassbotError
from app.http.schemas import PredictResponse
from model.picture_files import list_pictures

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


@dataclass(frozen=True, kw_only=True)
class FoundPictures:
    """The pictures in the paths of a command, and what else lies there."""

    files: list[Path]
    """The pictures, sorted folder by folder and without duplicates."""
    passed_over: Counter[str]
    """Kind of a file or name of a folder -> how many are not looked at."""
    unreadable: dict[Path, str]
    """Folder or link that the system does not let us look at -> why, in words."""


def find_pictures(paths: Iterable[Path]) -> FoundPictures:
    """Find the files in ``paths`` and all pictures below its folders.

    In a folder, pictures are recognised by their suffix (see :mod:`model.picture_files`); a file in ``paths`` is taken
    whatever its suffix.
    """
    files: set[Path] = set()
    passed_over: Counter[str] = Counter()
    unreadable: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            listing = list_pictures(path)
            files.update(path / name for name in listing.pictures)
            passed_over += listing.passed_over
            unreadable.update({path / name: reason for name, reason in listing.unreadable.items()})
        else:
            files.add(path)
    in_order = sorted(files, key=lambda file: sort_key(file_name(file)))
    return FoundPictures(files=in_order, passed_over=passed_over, unreadable=unreadable)


def file_name(file: Path) -> str:
    """Return the path as text that can be encoded in UTF-8: a byte that is not UTF-8 becomes ``\\xff``."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def sort_key(name: str) -> tuple[str, ...]:
    """Return the key that sorts names folder by folder."""
    return Path(name).parts


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
    except EmptyBodyError:
        return CaptionLine(file, None, "The file is empty: it holds no bytes.")
    except GlassbotError as error:
        return CaptionLine(file, None, error.detail)
