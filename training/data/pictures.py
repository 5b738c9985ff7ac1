"""The decoded pictures of one half, all in memory or decoded as they are needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.data.decode import Decoder, Pixels
from training.data.errors import Broken
from training.data.order import Blocks, Indices

_RUN = 64  # pictures that one task decodes into memory
_AHEAD = 3  # batches decoded or being decoded that nobody has taken yet


class Pictures(Protocol):
    """Uint8 pictures of one shape, taken by index; both forms give the same."""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""

    @property
    def blocks(self) -> Blocks | None:
        """How to shuffle them: for ``stream``. The same in both forms, so that a run resumed in the other goes on."""

    @property
    def broken(self) -> tuple[Broken, ...]:
        """The broken ones met so far."""

    def __len__(self) -> int:
        """All, the broken ones included."""

    def take(self, indices: Indices) -> tuple[Pixels, Indices]:
        """(n, H, W, 3), and which they are: the next good picture stands in for a broken one. Raises DataError."""

    def ahead(self, indices: Indices) -> None:
        """Say that ``take(indices)`` comes soon."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InMemory:
    """All of them, decoded once."""

    array: Pixels
    """(N, H, W, 3)"""
    shown: Indices
    """(N,) which picture each is: itself, or what stands in for it."""
    blocks: Blocks | None = None
    broken: tuple[Broken, ...] = ()

    @classmethod
    def of(cls, array: Pixels) -> InMemory:
        """Pictures (N, H, W, 3) that are decoded already."""
        return cls(array=array, shown=np.arange(len(array)))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.array.shape[1], self.array.shape[2]

    def __len__(self) -> int:
        return len(self.array)

    def take(self, indices: Indices) -> tuple[Pixels, Indices]:
        """A copy."""
        return self.array[indices], self.shown[indices]

    def ahead(self, indices: Indices) -> None:
        """Nothing to do."""


def decode_all(decoder: Decoder, pool: ThreadPoolExecutor) -> InMemory:
    """Every picture of a half. Raises DataError where too many are broken."""
    count = len(decoder.pictures)
    array, shown = np.empty((count, *decoder.shape, 3), np.uint8), np.empty(count, np.int64)

    def fill(start: int) -> None:
        for index in range(start, min(start + _RUN, count)):
            shown[index] = decoder.fill(index, array[index])

    for _ in pool.map(fill, range(0, count, _RUN)):
        pass
    return InMemory(array=array, shown=shown, blocks=decoder.pictures.blocks, broken=decoder.broken)


@dataclass(frozen=True)
class _Batch:
    pixels: Pixels
    shown: list[Future[int]]

    def drop(self) -> None:
        for future in self.shown:
            future.cancel()


class Streamed:
    """Decoded when they are needed, or a little before. Not for use from several threads."""

    def __init__(self, decoder: Decoder, pool: ThreadPoolExecutor) -> None:
        self.shape, self.blocks = decoder.shape, decoder.pictures.blocks
        self._decoder, self._pool = decoder, pool
        self._coming: OrderedDict[bytes, _Batch] = OrderedDict()

    def __len__(self) -> int:
        return len(self._decoder.pictures)

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Those met so far."""
        return self._decoder.broken

    def take(self, indices: Indices) -> tuple[Pixels, Indices]:
        """Waits for what is not decoded yet. Raises DataError."""
        batch = self._coming.pop(indices.tobytes(), None) or self._begun(indices)
        try:
            shown = [future.result() for future in batch.shown]
        finally:
            batch.drop()
        return batch.pixels, np.array(shown, np.int64)

    def ahead(self, indices: Indices) -> None:
        """Begin to decode them; the oldest batch that was announced and never taken gives way."""
        if indices.tobytes() in self._coming:
            return
        if len(self._coming) >= _AHEAD:
            self._coming.popitem(last=False)[1].drop()
        self._coming[indices.tobytes()] = self._begun(indices)

    def _begun(self, indices: Iterable[int]) -> _Batch:
        numbers = [int(i) for i in indices]
        pixels = np.empty((len(numbers), *self.shape, 3), np.uint8)
        fill = self._decoder.fill
        return _Batch(pixels, [self._pool.submit(fill, i, row) for i, row in zip(numbers, pixels, strict=True)])
