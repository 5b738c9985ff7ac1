"""A cache of bounded size that several threads share."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T")


class Cache(Generic[T]):
    """Keeps the values that were used last, at most ``size`` of them, by name. Any thread may use it."""

    def __init__(self, size: int) -> None:
        self._values: LRUCache[str, T] = LRUCache(size)
        self._lock = Lock()

    def get(self, name: str) -> T | None:
        """Return the value of that name, which counts as a use of it; None where it is not kept."""
        with self._lock:
            return self._values.get(name)

    def put(self, name: str, value: T) -> None:
        """Keep a value in the place of the one that was used longest ago."""
        with self._lock, suppress(ValueError):  # how a cache of size 0 refuses every value
            self._values[name] = value
