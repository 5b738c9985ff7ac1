"""Similar photos by the cosine of their embeddings. numpy alone: see docs/find.md for why no index structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR_DUPLICATE = 0.95
"""Least cosine of two files of the same photo: saved again, made smaller, flipped, or cut by a tenth.

docs/find.md says how many copies that finds, and how many other photos it takes for one."""
_ROWS_AT_ONCE = 4096

Rows = NDArray[np.float32]
"""(N, size) embeddings of length 1."""


def unit_rows(embeddings: NDArray[np.float16]) -> Rows:
    """Return (N, size) embeddings at length 1, so that their products are cosines."""
    rows = embeddings.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return rows


def most_similar(query: NDArray[np.float32], rows: Rows, most: int) -> list[tuple[int, float]]:
    """Return number and cosine of at most ``most`` rows, from the most similar to a (size,) query of length 1 on."""
    cosines = rows @ query
    chosen = np.argpartition(-cosines, most)[:most] if most < len(rows) else np.arange(len(rows))
    in_order = chosen[np.lexsort((chosen, -cosines[chosen]))]
    return [(int(number), min(1.0, float(cosines[number]))) for number in in_order]


def groups_of_duplicates(rows: Rows) -> list[list[int]]:
    """Return groups of rows that are all near-duplicates of the first one in their group; in order.

    So no chain of photos, each a little like the next, becomes one group. Every row that is in no group yet is compared
    with all later ones, in blocks, so that memory stays bounded.
    """
    first = np.full(len(rows), -1)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[start : start + _ROWS_AT_ONCE]
        near: dict[int, list[int]] = {}
        for other in range(start, len(rows), _ROWS_AT_ONCE):
            left, right = np.nonzero(block @ rows[other : other + _ROWS_AT_ONCE].T >= NEAR_DUPLICATE)
            for one, two in zip((left + start).tolist(), (right + other).tolist(), strict=True):
                if one < two:
                    near.setdefault(one, []).append(two)
        for one in sorted(near):
            if first[one] < 0:
                free = [two for two in near[one] if first[two] < 0]
                first[free] = one
    groups: dict[int, list[int]] = {}
    for number in np.flatnonzero(first >= 0).tolist():
        groups.setdefault(int(first[number]), [int(first[number])]).append(number)
    return [groups[one] for one in sorted(groups)]
