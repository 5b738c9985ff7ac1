"""Work on many things, some at once, whose results come in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


async def in_order(things: Iterable[In], work: Callable[[In], Awaitable[Out]], max_pending: int) -> AsyncGenerator[Out]:
    """Yield what ``work`` gives for each thing, in their order.

    At most ``max_pending`` things are in progress, or finished and waiting for an earlier one.
    """
    pending: deque[asyncio.Task[Out]] = deque()
    try:
        for thing in things:
            pending.append(asyncio.create_task(_task(work, thing)))
            if len(pending) >= max_pending:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _task(work: Callable[[In], Awaitable[Out]], thing: In) -> Out:
    return await work(thing)
