"""Micro-batching: many waiting callers, one worker thread, a bounded queue, and callers that may leave at any time.

Whenever the worker is free it takes everything that waits, up to the largest batch. It waits for more only while it is
told that the processor is busy making more; and never for what becomes of its results: a second thread makes the
answers of a whole batch, and wakes the event loop once for them. This module knows nothing of networks, pictures or
HTTP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Condition, Thread
from time import perf_counter
from typing import Any, Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")

_MOST_GATHERED_S = 0.05
"""Seconds that a first item waits for others, at most."""


class QueueFullError(Exception):
    """The queue is full; the item was not added."""


class ClosedError(Exception):
    """The batcher is closing and takes no more items."""


@dataclass(frozen=True)
class Done(Generic[T]):
    """The result of one item, and how long it took."""

    result: T
    """What ``then`` made of what ``work`` returned for this item."""
    began: float
    """When the batch began, by ``time.perf_counter()``."""
    queued_s: float
    """Seconds from ``submit`` to that moment."""
    ran_s: float
    """Seconds that ``work`` took for the whole batch."""
    batch_size: int
    """Number of items in the batch that this one was part of."""


@dataclass(eq=False)
class _Entry(Generic[In, Out]):
    item: In
    then: Callable[[Out], Any]
    future: asyncio.Future[Done[Any]]
    queued_at: float = field(default_factory=perf_counter)


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
        self._enough = max(1, max_batch // 2)
        self._max_waiting = max_waiting
        self.more_to_come: Callable[[], bool] = lambda: False
        """Whether further items are being made, by as many threads as the processor has room for."""
        self._waiting: deque[_Entry[In, Out]] = deque()
        self._closing = False
        self._changed = Condition()
        """Guards the two above, and tells the thread of every change."""
        self._thread: Thread | None = None
        self._answering = ThreadPoolExecutor(1, thread_name_prefix="answer")

    def __len__(self) -> int:
        """Number of items that wait for the worker."""
        return len(self._waiting)

    async def start(self) -> None:
        """Begin to work for the running event loop. To be called once."""
        assert self._thread is None
        self._thread = Thread(target=self._run, args=(asyncio.get_running_loop(),), name="batcher", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish every item that waits, refuse new ones, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._answering.shutdown)

    async def submit(self, item: In, then: Callable[[Out], T], *, timeout: float | None = None) -> Done[T]:
        """Queue one item and wait for its result, of which ``then`` makes the answer, on the answering thread.

        Raises QueueFullError or ClosedError at once, TimeoutError after ``timeout`` seconds, or what ``work`` or
        ``then`` raised for this item. A caller that is cancelled or timed out harms no other; its item is dropped if it
        has not begun.
        """
        entry: _Entry[In, Out] = _Entry(item, then, asyncio.get_running_loop().create_future())
        with self._changed:
            if self._closing:
                raise ClosedError
            self._drop_abandoned()
            if len(self._waiting) >= self._max_waiting:
                raise QueueFullError
            self._waiting.append(entry)
            self._changed.notify()
        async with asyncio.timeout(timeout):
            return await entry.future

    def _drop_abandoned(self) -> None:
        """Remove from a full queue the items whose callers have given up."""
        if len(self._waiting) >= self._max_waiting:
            self._waiting = deque(entry for entry in self._waiting if not entry.future.done())

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """On the worker's thread: run one batch after another, until the batcher closes and nothing waits."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                self._changed.wait_for(self._gathered, _MOST_GATHERED_S)
                batch = self._take()
            if batch:
                results, began, ran_s = self._results(batch)
                self._answering.submit(_answer, loop, batch, results, began, ran_s)

    def _gathered(self) -> bool:
        """Whether it is time to begin: half a full batch waits, or the processor would have nothing else to do.

        More pictures in a batch save little, and those that come meanwhile keep the processor busy where the work has
        only one thread.
        """
        return self._closing or len(self._waiting) >= self._enough or not self.more_to_come()

    def _take(self) -> list[_Entry[In, Out]]:
        """The next batch, without the items whose callers have given up."""
        batch: list[_Entry[In, Out]] = []
        while self._waiting and len(batch) < self._max_batch:
            entry = self._waiting.popleft()
            if not entry.future.done():  # a future is done here only where its caller has left
                batch.append(entry)
        return batch

    def _results(self, batch: list[_Entry[In, Out]]) -> tuple[list[Out | Exception], float, float]:
        """Run all items together, and where that raises, each alone; also when that began and how long it took."""
        began = perf_counter()
        results: list[Out | Exception]
        try:
            results = [*self._run_together([entry.item for entry in batch])]
        except BaseException:  # whatever it was, running each item alone shows which one causes it
            results = [self._run_alone(entry) for entry in batch]
        return results, began, perf_counter() - began

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
        except BaseException as error:
            return _failure(error)


def _answer(
    loop: asyncio.AbstractEventLoop,
    batch: list[_Entry[In, Out]],
    results: list[Out | Exception],
    began: float,
    ran_s: float,
) -> None:
    """On the answering thread: make the answers of a batch, and tell its callers together."""
    answers: list[Done[Any] | Exception] = []
    for entry, result in zip(batch, results, strict=True):
        try:
            if isinstance(result, Exception):
                raise result
            answers.append(Done(entry.then(result), began, began - entry.queued_at, ran_s, len(batch)))
        except BaseException as error:
            answers.append(_failure(error))
    loop.call_soon_threadsafe(_tell, batch, answers)


def _failure(error: BaseException) -> Exception:
    """Return what a future can hold: not StopIteration, nor what would end a thread and all who wait for it."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def _tell(batch: list[_Entry[In, Out]], answers: list[Done[Any] | Exception]) -> None:
    """On the event loop: wake those callers of a batch who have not left."""
    for entry, answer in zip(batch, answers, strict=True):
        if entry.future.done():
            continue
        if isinstance(answer, Exception):
            entry.future.set_exception(answer)
        else:
            entry.future.set_result(answer)
