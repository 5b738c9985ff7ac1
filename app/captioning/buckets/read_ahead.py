"""Files that are read before they are asked for, as far as memory allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from app.captioning.buckets.pictures import StoredPicture

_AHEAD = 32
"""Pictures that are read ahead of the one that is asked for: two batches of the network."""
_HELD_BYTES = 64_000_000
"""Most bytes that are read ahead, or wait to be taken."""
_LARGEST_BYTES = 1_000_000_000


class ReadAhead:
    """Reads pictures by ``read`` on the threads of ``pool``. Each is taken once, about in order, from any thread."""

    def __init__(
        self, pictures: Sequence[StoredPicture], read: Callable[[StoredPicture], bytes], pool: ThreadPoolExecutor
    ) -> None:
        self._pictures = pictures
        self._read = read
        self._pool = pool
        self._lock = Lock()
        self._begun: dict[int, Future[bytes]] = {}
        self._taken: set[int] = set()
        self._held = 0

    def take(self, number: int) -> bytes:
        """Return the bytes of the picture of this number. Raises OSError where it cannot be read."""
        size = self._pictures[number].size
        if size > _LARGEST_BYTES:
            raise OSError(f"it holds {size / 1e9:.1f} GB, and at most {_LARGEST_BYTES / 1e9:.0f} GB are read")
        with self._lock:
            if number not in self._begun:
                self._begin(number)
            self._taken.add(number)
            self._look_ahead(number)
            future = self._begun.pop(number)
        try:
            return future.result()
        finally:
            with self._lock:
                self._held -= size

    def _begin(self, number: int) -> None:
        self._begun[number] = self._pool.submit(self._read, self._pictures[number])
        self._held += self._pictures[number].size

    def _look_ahead(self, number: int) -> None:
        for later in range(number + 1, min(number + 1 + _AHEAD, len(self._pictures))):
            if later in self._begun or later in self._taken:
                continue
            if self._held + self._pictures[later].size > _HELD_BYTES:
                return
            self._begin(later)
