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


def groups_of_duplicates(rows: Rows, least: float = NEAR_DUPLICATE) -> list[list[int]]:
    """Return the groups of rows that belong together, each pair directly or by others between them; in order.

    Every row is compared with every other one, in blocks, so that memory stays bounded.
    """
    parents = np.arange(len(rows))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = int(parents[number])
        return number

    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[start : start + _ROWS_AT_ONCE]
        for other in range(start, len(rows), _ROWS_AT_ONCE):
            left, right = np.nonzero(block @ rows[other : other + _ROWS_AT_ONCE].T >= least)
            for one, two in zip((left + start).tolist(), (right + other).tolist(), strict=True):
                if one < two and (roots := sorted((root(one), root(two))))[0] != roots[1]:
                    parents[roots[1]] = roots[0]
    groups: dict[int, list[int]] = {}
    for number in range(len(rows)):
        groups.setdefault(root(number), []).append(number)
    return [group for group in groups.values() if len(group) > 1]
