"""The decoded pictures of one split, all in memory or decoded as they are needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.data.decode import Decoder, Pixels
from training.data.errors import BrokenPicture
from training.data.order import Blocks, Indices

_PICTURES_PER_TASK = 64  # that one thread decodes into memory at a time
_MAX_PREFETCHED = 3  # batches decoded or being decoded that were not read yet


class Pictures(Protocol):
    """Uint8 pictures of one shape, read by index; InMemory and Streamed give the same pixels."""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of every picture."""

    @property
    def blocks(self) -> Blocks | None:
        """How ``stream`` shuffles them; the same in both forms, so that a run can be resumed in the other one."""

    @property
    def broken(self) -> tuple[BrokenPicture, ...]:
        """The broken pictures met so far."""

    def __len__(self) -> int:
        """The number of pictures, the broken ones included."""

    def read_batch(self, indices: Indices) -> tuple[Pixels, Indices]:
        """(n, H, W, 3) pixels, and (n,) indices of the pictures they show.

        The next good picture stands in for a broken one. Raises DataError.
        """

    def prefetch(self, indices: Indices) -> None:
        """Announce that ``read_batch(indices)`` comes soon."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InMemory:
    """All pictures of a split, decoded once."""

    array: Pixels
    """The pixels of all pictures, (N, H, W, 3) uint8."""
    indices: Indices
    """(N,) index of the picture that each row shows: its own, or that of the good one that stands in for it."""
    blocks: Blocks | None = None
    broken: tuple[BrokenPicture, ...] = ()

    @classmethod
    def of(cls, array: Pixels) -> InMemory:
        """Pictures (N, H, W, 3) that are decoded already, none of them broken."""
        return cls(array=array, indices=np.arange(len(array)))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of every picture."""
        return self.array.shape[1], self.array.shape[2]

    def __len__(self) -> int:
        return len(self.array)

    def read_batch(self, indices: Indices) -> tuple[Pixels, Indices]:
        """A copy of (n, H, W, 3) pixels, and (n,) indices of the pictures they show."""
        return self.array[indices], self.indices[indices]

    def prefetch(self, indices: Indices) -> None:
        """Do nothing: all pictures are in memory."""


def decode_all(decoder: Decoder, pool: ThreadPoolExecutor) -> InMemory:
    """Decode every picture of a split into memory. Raises DataError where too many are broken."""
    count = len(decoder.pictures)
    array = np.empty((count, *decoder.shape, 3), np.uint8)
    indices = np.empty(count, np.int64)

    def fill(start: int) -> None:
        for index in range(start, min(start + _PICTURES_PER_TASK, count)):
            indices[index] = decoder.decode_into(index, array[index])

    for _ in pool.map(fill, range(0, count, _PICTURES_PER_TASK)):
        pass
    return InMemory(array=array, indices=indices, blocks=decoder.pictures.blocks, broken=decoder.broken)


@dataclass(frozen=True)
class _Batch:
    pixels: Pixels
    indices: list[Future[int]]

    def cancel(self) -> None:
        for future in self.indices:
            future.cancel()


class Streamed:
    """Pictures that are decoded when they are needed, or a little before. Not for use from several threads."""

    def __init__(self, decoder: Decoder, pool: ThreadPoolExecutor) -> None:
        self.shape = decoder.shape
        self.blocks = decoder.pictures.blocks
        self._decoder = decoder
        self._pool = pool
        self._prefetched: OrderedDict[bytes, _Batch] = OrderedDict()

    def __len__(self) -> int:
        return len(self._decoder.pictures)

    @property
    def broken(self) -> tuple[BrokenPicture, ...]:
        """The broken pictures met so far."""
        return self._decoder.broken

    def read_batch(self, indices: Indices) -> tuple[Pixels, Indices]:
        """(n, H, W, 3) pixels and (n,) indices of the pictures they show, once decoded. Raises DataError."""
        batch = self._prefetched.pop(indices.tobytes(), None) or self._start_decoding(indices)
        try:
            actual = [future.result() for future in batch.indices]
        finally:
            batch.cancel()
        return batch.pixels, np.array(actual, np.int64)

    def prefetch(self, indices: Indices) -> None:
        """Begin to decode a batch; the oldest one that was prefetched and never read is dropped."""
        if indices.tobytes() in self._prefetched:
            return
        if len(self._prefetched) >= _MAX_PREFETCHED:
            _, oldest = self._prefetched.popitem(last=False)
            oldest.cancel()
        self._prefetched[indices.tobytes()] = self._start_decoding(indices)

    def _start_decoding(self, indices: Iterable[int]) -> _Batch:
        numbers = [int(index) for index in indices]
        pixels = np.empty((len(numbers), *self.shape, 3), np.uint8)
        decode_into = self._decoder.decode_into
        futures = [self._pool.submit(decode_into, i, row) for i, row in zip(numbers, pixels, strict=True)]
        return _Batch(pixels, futures)
