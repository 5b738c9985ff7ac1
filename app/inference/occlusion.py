"""The occlusion map: how much a label's answer falls when one patch of the square after the other is covered.

Zeiler and Fergus, ECCV 2014. A patch is covered by the network's mean colour, which its first layer reads as zero.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from app.inference.engine_host import EngineHost
from model.checkpoint import Preprocessing
from model.weights import Floats

TOGETHER = 8
"""Most covered pictures that wait for the engine at once: half of its largest batch, so that others need not wait."""
_SHARE = 4  # of all slots, the part that one map may take: one of so many

Pixels = NDArray[np.uint8]


def patches(size: int, cells: int) -> list[tuple[slice, slice]]:
    """Return the cells × cells patches of a square of ``size`` pixels, row by row; they hold each pixel once."""
    edges = [round(number * size / cells) for number in range(cells + 1)]
    sides = [slice(first, end) for first, end in pairwise(edges)]
    return list(product(sides, sides))


def covered(pixels: Pixels, patch: tuple[slice, slice], preprocessing: Preprocessing) -> Pixels:
    """Return a copy of (S, S, 3) pixels in which one patch has the mean colour."""
    picture = pixels.copy()
    picture[patch] = np.rint(preprocessing.mean).clip(0, 255).astype(np.uint8)
    return picture


async def logits_when_covered(
    pixels: Pixels, cells: int, host: EngineHost, run: Callable[[Pixels], Awaitable[Floats]]
) -> Floats:
    """Return (cells², K) logits, for each patch those that ``run`` answers for the picture without it. Raises as it.

    Each covered picture counts as a request of its own while it waits. At most a quarter of all slots is taken so, and
    the rest is for others.
    """

    async def without(patch: tuple[slice, slice]) -> Floats:
        with host.admission.extra_slot():
            return await run(covered(pixels, patch, host.checkpoint.preprocessing))

    every = patches(len(pixels), cells)
    together = min(TOGETHER, max(1, host.admission.capacity // _SHARE))
    rows: list[Floats] = []
    for first in range(0, len(every), together):
        rows += await asyncio.gather(*map(without, every[first : first + together]))
    return np.stack(rows)
