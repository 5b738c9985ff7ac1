"""Weights at rest: dense tensors, and whole numbers with a scale for each row, made dense only when looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Quantised:
    """A weight whose row i is ``scale[i] * codes[i]``."""

    codes: NDArray[np.int8]
    """In the shape of the weight."""
    scale: Floats
    """(rows,)."""

    def __post_init__(self) -> None:
        if self.scale.shape != self.codes.shape[:1]:
            raise ValueError(f"scales of shape {self.scale.shape} do not fit {len(self.codes)} rows")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight."""
        return self.codes.shape

    def dense(self) -> Floats:
        """The weight itself, a new tensor each time."""
        made: Floats = self.codes * self.scale.reshape(-1, *[1] * (self.codes.ndim - 1))
        return made


class Weights(Mapping[str, Floats]):
    """Name -> dense tensor, as any mapping; what is quantised stays so, and a look-up makes its tensor anew."""

    def __init__(self, parts: Mapping[str, Floats | Quantised]) -> None:
        self.parts = dict(parts)
        """As they are kept."""

    def __getitem__(self, name: str) -> Floats:
        part = self.parts[name]
        return part.dense() if isinstance(part, Quantised) else part

    def __contains__(self, name: object) -> bool:
        return name in self.parts  # a mapping's own makes the tensor to see whether it can

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)


def quantised(weights: Mapping[str, Floats], name: str) -> Quantised | None:
    """The whole numbers of one weight; None where it is kept dense."""
    part = weights.parts[name] if isinstance(weights, Weights) else None
    return part if isinstance(part, Quantised) else None


def vector_times_weight(vector: Floats, weights: Mapping[str, Floats], name: str) -> Floats:
    """Return ``vector`` (rows,) times the weight (rows, columns): (columns,). Rows times zero are never read."""
    rows = np.flatnonzero(vector)
    whole = quantised(weights, name)
    if whole is None:
        return vector[rows] @ weights[name][rows]
    # Not by BLAS: its threads spin for a while after each product, beside the engine's.
    scaled, codes = vector[rows] * whole.scale[rows], whole.codes[rows].astype(np.float32)
    product: Floats = np.einsum("r,rc->c", scaled, codes)
    return product
