"""Who may come in: as many at once as are answered soon. For one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

PATIENCE = 0.15
"""Seconds that a body may take before its sender's place is given to others until it is there."""


class FullError(Exception):
    """As many are inside as may be; nothing was counted."""


class Admission:
    """Counts requests in flight, and refuses more than are answered within some time.

    Whoever sends slowly costs memory, but no work: after ``PATIENCE`` he holds no place among those who are answered,
    and takes one again, unasked, once his body is there.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        """Requests in memory, slow senders included."""
        self.room = most
        """Requests being answered."""
        self.busy = 0
        """Of those: how many there are."""
        self.present = 0
        """All that are in memory."""

    def settle(self, rate: float, seconds: float, *, least: int) -> None:
        """Take as many at once as are answered in ``seconds`` at ``rate`` a second, but ``least`` in any case."""
        self.room = min(self.most, max(least, ceil(rate * seconds)))

    @contextmanager
    def enter(self) -> Iterator[Place]:
        """One request. Raises FullError."""
        if self.busy >= self.room or self.present >= self.most:
            raise FullError
        self.present += 1
        place = Place(self)
        try:
            yield place
        finally:
            place.release()
            self.present -= 1

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Work that whoever is inside brings with him; counted, not refused."""
        place = Place(self)
        try:
            yield
        finally:
            place.release()


class Place:
    """One of those who are answered; whoever got it and gave it back is not refused when he takes it again."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._held = False
        self.take()

    def take(self) -> None:
        """Count once."""
        self._admission.busy += not self._held
        self._held = True

    def release(self) -> None:
        """Count no more."""
        self._admission.busy -= self._held
        self._held = False

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """While the body is read: after ``PATIENCE`` the place is lent to others."""
        timer = asyncio.get_running_loop().call_later(PATIENCE, self.release)
        try:
            yield
        finally:
            timer.cancel()
            self.take()
