"""Micro-batching: many waiting callers, one worker thread, a bounded queue, and callers that may leave at any time.

Whenever the worker is free it takes everything that waits, up to the largest batch; it never waits for more. This
module knows nothing of networks, pictures or HTTP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class QueueFullError(Exception):
    """The queue is full; the item was not added."""


class ClosedError(Exception):
    """The batcher is closing and takes no more items."""


@dataclass(frozen=True)
class Done(Generic[Out]):
    """The result of one item, and how long it took."""

    result: Out
    """What ``work`` returned for this item."""
    queued_s: float
    """Seconds from ``submit`` to the start of the batch."""
    ran_s: float
    """Seconds that the whole batch took."""
    batch_size: int
    """Number of items in the batch that this one was part of."""


@dataclass(eq=False)
class _Entry(Generic[In, Out]):
    item: In
    future: asyncio.Future[Done[Out]]
    queued_at: float = field(default_factory=perf_counter)


Outcome = tuple[list[Out | Exception], float, float]
"""A result or an exception for each item, and when the batch began and ended (``perf_counter`` seconds)."""


class Batcher(Generic[In, Out]):
    """Runs ``work`` on batches, on a thread of its own. Use it from one event loop: ``start``, ``submit``, ``close``.

    ``work`` answers a sequence of items with as many results, in order. If it raises, each item is tried again alone,
    so that one bad item harms no other.
    """

    def __init__(self, work: Callable[[Sequence[In]], Sequence[Out]], *, max_batch: int, max_waiting: int) -> None:
        if max_batch < 1 or max_waiting < 1:
            raise ValueError("A batcher needs room for at least one item.")
        self._work = work
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[_Entry[In, Out]] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batcher")
        self._loop: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Number of items that wait for the worker."""
        return len(self._waiting)

    async def start(self) -> None:
        """Begin to work on the running event loop. To be called once."""
        assert self._loop is None
        self._loop = asyncio.create_task(self._run(), name="batcher")

    async def close(self) -> None:
        """Finish every item that waits, refuse new ones, and end the thread."""
        self._closing = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        self._thread.shutdown()

    async def submit(self, item: In, *, timeout: float | None = None) -> Done[Out]:
        """Queue one item and wait for its result.

        Raises QueueFullError or ClosedError at once, TimeoutError after ``timeout`` seconds, or what ``work`` raised
        for this item. A caller that is cancelled or timed out harms no other; its item is dropped if it has not begun.
        """
        if self._closing:
            raise ClosedError
        self._drop_abandoned()
        if len(self._waiting) >= self._max_waiting:
            raise QueueFullError
        entry: _Entry[In, Out] = _Entry(item, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._wake.set()
        async with asyncio.timeout(timeout):
            return await entry.future

    def _drop_abandoned(self) -> None:
        """Remove from a full queue the items whose callers have given up."""
        if len(self._waiting) >= self._max_waiting:
            self._waiting = deque(entry for entry in self._waiting if not entry.future.done())

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            if batch := self._take():
                await self._answer(batch)
            elif self._closing:
                return
            else:
                self._wake.clear()

    def _take(self) -> list[_Entry[In, Out]]:
        """The next batch, without the items whose callers have given up; empty where nothing waits."""
        batch: list[_Entry[In, Out]] = []
        while self._waiting and len(batch) < self._max_batch:
            entry = self._waiting.popleft()
            if not entry.future.done():  # a future is done here only where its caller has left
                batch.append(entry)
        return batch

    async def _answer(self, batch: list[_Entry[In, Out]]) -> None:
        loop = asyncio.get_running_loop()
        outcomes, began, ended = await loop.run_in_executor(self._thread, self._attempt, batch)
        for entry, outcome in zip(batch, outcomes, strict=True):
            if entry.future.done():
                continue
            if isinstance(outcome, Exception):
                entry.future.set_exception(outcome)
            else:
                entry.future.set_result(Done(outcome, began - entry.queued_at, ended - began, len(batch)))

    def _attempt(self, batch: list[_Entry[In, Out]]) -> Outcome[Out]:
        """On the worker thread: run all items together, and where that raises, each alone."""
        began = perf_counter()
        outcomes: list[Out | Exception]
        try:
            outcomes = [*self._run_together([entry.item for entry in batch])]
        except Exception:  # whatever it was, running each item alone shows which one causes it
            outcomes = [self._run_alone(entry) for entry in batch]
        return outcomes, began, perf_counter()

    def _run_together(self, items: list[In]) -> Sequence[Out]:
        results = self._work(items)
        if len(results) != len(items):
            raise ValueError(f"{len(results)} results for {len(items)} items")
        return results

    def _run_alone(self, entry: _Entry[In, Out]) -> Out | Exception:
        if entry.future.cancelled():
            return asyncio.InvalidStateError("the caller has left")
        try:
            return self._run_together([entry.item])[0]
        except Exception as error:
            return error
