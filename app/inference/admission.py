"""Admission control: only as many requests at once as are answered soon. For use within one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

SLOW_SENDER_AFTER_S = 0.15
"""Seconds that a body may take to arrive before the slot of its request is lent to others."""


class FullError(Exception):
    """No slot is free, or too many requests are in memory; the request was not counted."""


class Admission:
    """Counts requests in flight, and refuses more than are answered within a set time.

    A slow upload costs memory but no work. After ``SLOW_SENDER_AFTER_S`` seconds its request holds no slot any more,
    and takes one again, without being refused, once the body has arrived.
    """

    def __init__(self, max_in_memory: int) -> None:
        self.max_in_memory = max_in_memory
        """Most requests in memory, slow uploads included."""
        self.capacity = max_in_memory
        """Most requests that are answered at the same time."""
        self.active = 0
        """Slots taken at this moment: requests, or files of a batch, that are being answered."""
        self.in_memory = 0
        """Requests in memory at this moment, slow uploads included."""

    def settle(self, rate: float, seconds: float, *, least: int) -> None:
        """Set the capacity to what is answered in ``seconds`` at ``rate`` answers a second, but to ``least`` or more.

        The capacity never exceeds ``max_in_memory``.
        """
        self.capacity = min(self.max_in_memory, max(least, ceil(rate * seconds)))

    @contextmanager
    def enter(self) -> Iterator[Slot]:
        """Admit one request while the block runs. Raises FullError where there is no capacity left."""
        if self.active >= self.capacity or self.in_memory >= self.max_in_memory:
            raise FullError
        self.in_memory += 1
        slot = Slot(self)
        try:
            yield slot
        finally:
            slot.release()
            self.in_memory -= 1

    @contextmanager
    def extra_slot(self) -> Iterator[None]:
        """Count further work of an admitted request, such as one file of its batch, without ever refusing it."""
        slot = Slot(self)
        try:
            yield
        finally:
            slot.release()


class Slot:
    """The right of one admitted request to be answered; released and taken again as often as needed."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._taken = False
        self.take()

    def take(self) -> None:
        """Count this slot as active; a slot that is taken already is not counted twice."""
        self._admission.active += not self._taken
        self._taken = True

    def release(self) -> None:
        """Count this slot as free; a slot that is free already is not counted twice."""
        self._admission.active -= self._taken
        self._taken = False

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Wrap the reading of the body: after ``SLOW_SENDER_AFTER_S`` seconds the slot is lent to other requests."""
        timer = asyncio.get_running_loop().call_later(SLOW_SENDER_AFTER_S, self.release)
        try:
            yield
        finally:
            timer.cancel()
            self.take()
