"""The captions of pictures, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.errors import GlassbotError
from app.http.schemas import PredictResponse
from app.inference.offline.in_order import in_order
from app.inference.offline.paths import reading_error

PredictionFields = dict[str, Any]
"""The fields ``model``, ``image``, ``caption``, ``labels`` and ``words`` of an answer of ``POST /predict``."""


@dataclass(frozen=True)
class CaptionLine:
    """The result of one file: a prediction, or an error."""

    file: Path
    prediction: PredictionFields | None
    """The prediction, or None where there is an ``error``."""
    error: str = ""
    """Why there is no prediction, in one sentence."""


class Captioner(Protocol):
    """Something that captions pictures: the network in this process, or a service elsewhere.

    :mod:`local_network` and :mod:`remote_network` open one each.
    """

    @property
    def version(self) -> str:
        """The version of the network, as in the field ``model`` of its predictions."""

    def lines(self, files: Iterable[Path]) -> AsyncGenerator[CaptionLine]:
        """Yield one line for each file, in the order of ``files``."""


@dataclass(frozen=True)
class OneByOne:
    """A captioner that is given one picture at a time, some of them at once."""

    version: str
    """The version of the network."""
    predict: Callable[[bytes], Awaitable[PredictionFields]]
    """Caption the picture in a file's bytes.

    Raises GlassbotError where this picture cannot be captioned; any other exception ends the command.
    """
    max_pending: int
    """The number of pictures in progress, or finished and waiting for an earlier one, that keeps it busy."""

    async def lines(self, files: Iterable[Path]) -> AsyncGenerator[CaptionLine]:
        """Yield one line for each file, in the order of ``files``."""
        async with aclosing(in_order(files, self._caption, self.max_pending)) as lines:
            async for line in lines:
                yield line

    async def _caption(self, file: Path) -> CaptionLine:
        try:
            body = await asyncio.to_thread(file.read_bytes)
            return CaptionLine(file, await self.predict(body))
        except (OSError, GlassbotError) as error:
            return CaptionLine(file, None, reading_error(error))


def prediction_fields(response: PredictResponse) -> PredictionFields:
    """Return the fields of an answer that are the same each time the picture is sent: all but request id and times."""
    return response.model_dump(exclude={"request_id", "timing_ms"})
