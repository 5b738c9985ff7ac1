"""The order of pictures: pure functions of the seed, the set and the step, so that a resumed run needs no state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
_MIN_BLOCKS = 4


@dataclass(frozen=True)
class Blocks:
    """The rows of a set that are read together, as the row groups of Parquet shards are."""

    rows: tuple[int, ...]
    """Number of rows in each block, in the order in which the blocks lie."""
    window: int
    """Number of blocks whose rows are mixed with one another, and which a reader should therefore keep."""


def stream(count: int, start: int, number: int, seed: int, blocks: Blocks | None = None) -> Indices:
    """Entries ``start`` to ``start + number`` of an endless stream of seeded permutations of ``count`` pictures.

    A pure function of its arguments, so a resumed run needs no sampler state. With ``blocks`` the blocks are permuted,
    then the rows within each window of them, so that each block is needed during one short stretch of an epoch.
    """
    parts: list[Indices] = []
    position = start
    while position < start + number:
        epoch, offset = divmod(position, count)
        order = _epoch(count, epoch, seed, blocks)
        parts.append(order[offset : offset + start + number - position])
        position += len(parts[-1])
    return np.concatenate(parts)


@lru_cache(maxsize=8)  # a permutation of a million pictures takes longer than a step should wait
def _epoch(count: int, epoch: int, seed: int, blocks: Blocks | None) -> Indices:
    random = np.random.default_rng((seed, epoch))
    if blocks is None or blocks.window >= len(blocks.rows):
        return random.permutation(count)
    starts = np.cumsum((0, *blocks.rows))
    order = random.permutation(len(blocks.rows))
    windows = (order[at : at + blocks.window] for at in range(0, len(order), blocks.window))
    rows = (np.concatenate([np.arange(starts[b], starts[b + 1]) for b in window]) for window in windows)
    return np.concatenate([random.permutation(mixed) for mixed in rows])


def evenly_spaced(count: int, number: int, blocks: Blocks | None = None) -> Indices:
    """Indices of at most ``number`` of ``count`` pictures, evenly spaced over a set; the same each time.

    With ``blocks`` they come from few blocks, so that few have to be read.
    """
    rows = np.arange(count)
    if blocks is not None:
        few = max(_MIN_BLOCKS, math.ceil(number * len(blocks.rows) / count))
        starts = np.cumsum((0, *blocks.rows))
        chosen = np.unique(np.linspace(0, len(blocks.rows) - 1, few).astype(int))
        rows = np.concatenate([np.arange(starts[b], starts[b + 1]) for b in chosen])
    indices: Indices = rows[np.unique(np.linspace(0, len(rows) - 1, number).astype(int))]
    return indices


def shares(sizes: Sequence[int], batch_size: int) -> list[int]:
    """Number of pictures of each set in a batch, in proportion to the square root of the set's size.

    For 100,000 objects, 90,000 scenes and 6,091 caption pictures and batches of 256 that is 118, 110 and 28.
    """
    roots = np.sqrt(sizes)
    numbers = np.maximum(1, np.floor(batch_size * roots / roots.sum()).astype(int))
    numbers[0] += max(0, batch_size - int(numbers.sum()))
    return [int(n) for n in numbers]
