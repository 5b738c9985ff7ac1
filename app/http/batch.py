"""Answers the files of one ``POST /predict/batch``: several at the same time, each with a result or a problem."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.errors import GlassbotError, NoSuchVocabularyError
from app.http import answers, bodies
from app.http.bodies import Upload
from app.http.schemas import BatchItem
from app.inference.admission import Admission, Slot
from app.inference.predictor import Predictor

Item = TypeVar("Item")


async def in_turns(
    files: Sequence[Upload], slot: Slot, admission: Admission, work: Callable[[Upload], Awaitable[Item]]
) -> list[Item]:
    """What ``work`` returns for each file, in their order. Raises what it raises.

    Each file takes a slot of its own, and ``slot``, that of the request, is released. A batch uses at most half of the
    capacity at once, so that other requests are answered, too.
    """
    slot.release()
    turns = asyncio.Semaphore(max(1, admission.capacity // 2))

    async def in_turn(file: Upload) -> Item:
        async with turns:
            with admission.extra_slot():
                return await work(file)

    return await asyncio.gather(*map(in_turn, files))


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What all files of one batch have in common."""

    predictor: Predictor
    max_file_bytes: int
    """A larger file is a problem of its own item."""
    request_id: str
    top_k: int
    """How many labels each file gets."""
    vocabulary: str | None
    """Name of the only vocabulary that labels come from, or None for all."""

    async def items(self, files: Sequence[Upload], slot: Slot) -> list[BatchItem]:
        """An item for each file, in their order. Raises NoSuchVocabularyError, which no file is to blame for."""
        return await in_turns(files, slot, self.predictor.host.admission, self._item)

    async def _item(self, file: Upload) -> BatchItem:
        try:
            if len(file.content) > self.max_file_bytes:
                raise bodies.too_large(self.max_file_bytes)
            described = await self.predictor.describe(file.content, top_k=self.top_k, vocabulary=self.vocabulary)
        except NoSuchVocabularyError:
            raise
        except GlassbotError as error:
            return BatchItem(file=file.name, ok=None, problem=answers.problem(error, self.request_id))
        prediction = answers.prediction(described, self.predictor.checkpoint)
        return BatchItem(file=file.name, ok=prediction, problem=None)
