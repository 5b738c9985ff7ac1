"""Which pictures come when: pure functions of the seed, the set and the step, so that a resumed run needs no state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
_FEW_BLOCKS = 4


@dataclass(frozen=True)
class Blocks:
    """Rows that are read together, as the row groups of Parquet shards are."""

    rows: tuple[int, ...]
    """Rows in each block, in the order in which they lie."""
    window: int
    """Blocks whose rows are mixed with one another, and which a reader should therefore keep."""


def stream(count: int, start: int, number: int, seed: int, blocks: Blocks | None = None) -> Indices:
    """Entries ``start`` to ``start + number`` of an endless stream of seeded permutations of ``count`` pictures.

    A pure function of its arguments, so a resumed run needs no sampler state. With ``blocks`` the blocks are permuted,
    then the rows within each window of them, so that each block is needed during one short stretch of an epoch.
    """
    parts, at = [], start
    while at < start + number:
        epoch, offset = divmod(at, count)
        order = _epoch(count, epoch, seed, blocks)
        parts.append(order[offset : offset + start + number - at])
        at += len(parts[-1])
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


def spread(count: int, number: int, blocks: Blocks | None = None) -> Indices:
    """At most ``number`` of ``count`` pictures from all over a set, of few blocks; the same each time."""
    rows = np.arange(count)
    if blocks is not None:
        some = max(_FEW_BLOCKS, math.ceil(number * len(blocks.rows) / count))
        starts = np.cumsum((0, *blocks.rows))
        chosen = np.unique(np.linspace(0, len(blocks.rows) - 1, some).astype(int))
        rows = np.concatenate([np.arange(starts[b], starts[b + 1]) for b in chosen])
    even: Indices = rows[np.unique(np.linspace(0, len(rows) - 1, number).astype(int))]
    return even


def shares(sizes: Sequence[int], batch_size: int) -> list[int]:
    """How many pictures of each set go into a batch: in proportion to the square root of the set's size.

    For 100,000 objects, 90,000 scenes and 6,091 caption pictures and batches of 256 that is 118, 110 and 28.
    """
    roots = np.sqrt(sizes)
    numbers = np.maximum(1, np.floor(batch_size * roots / roots.sum()).astype(int))
    numbers[0] += max(0, batch_size - int(numbers.sum()))
    return [int(n) for n in numbers]
