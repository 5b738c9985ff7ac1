"""Weights at rest: dense tensors, and int8 codes with a scale for each row, which a look-up makes dense."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_FEW_ROWS = 32
_INLINE = 1 << 18  # multiplications of a product up to which OpenBLAS takes no threads


@dataclass(frozen=True)
class Quantised:
    """A quantised weight: row i is ``scale[i] * codes[i]``. Raises ValueError unless each row has a scale."""

    codes: NDArray[np.int8]
    """Whole numbers in the shape of the weight."""
    scale: Floats
    """(rows,) factor of each row."""

    def __post_init__(self) -> None:
        if self.scale.shape != self.codes.shape[:1]:
            raise ValueError(f"scales of shape {self.scale.shape} do not fit {len(self.codes)} rows")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the weight, as of a dense tensor."""
        return self.codes.shape

    def dense(self) -> Floats:
        """Return the weight as a new float32 tensor."""
        weight: Floats = self.codes * self.scale.reshape(-1, *[1] * (self.codes.ndim - 1))
        return weight


class Weights(Mapping[str, Floats]):
    """A mapping of name to dense tensor that holds some weights quantised: a look-up makes those dense each time."""

    def __init__(self, parts: Mapping[str, Floats | Quantised]) -> None:
        self.parts = dict(parts)
        """The weights as they are held, dense or quantised."""

    def __getitem__(self, name: str) -> Floats:
        part = self.parts[name]
        return part.dense() if isinstance(part, Quantised) else part

    def __contains__(self, name: object) -> bool:
        return name in self.parts  # that of Mapping would make the tensor to find out

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)


def quantised(weights: Mapping[str, Floats], name: str) -> Quantised | None:
    """Return one weight in its quantised form; None where it is held dense."""
    part = weights.parts[name] if isinstance(weights, Weights) else None
    return part if isinstance(part, Quantised) else None


def times(a: Floats, b: Floats) -> Floats:
    """Return ``a`` (…, rows, n) times ``b`` (…, n, columns), a few rows at a time.

    So few that BLAS takes no threads for them: those spin for a while after each product, beside the engine's.
    """
    rows, shared = a.shape[-2:]
    most = _INLINE // (shared * b.shape[-1])
    few = next((number for number in range(min(rows, most), 0, -1) if rows % number == 0), 1)
    parts = a.reshape(*a.shape[:-2], rows // few, few, shared) @ b[..., None, :, :]
    product: Floats = parts.reshape(*a.shape[:-1], b.shape[-1])
    return product


def weight_rows(weights: Mapping[str, Floats], name: str, rows: Sequence[int]) -> Floats:
    """Return some rows of a weight, dense, without making the others so."""
    weight = quantised(weights, name)
    chosen = list(rows)
    return weights[name][chosen] if weight is None else Quantised(weight.codes[chosen], weight.scale[chosen]).dense()


def vector_times_weight(vector: Floats, weights: Mapping[str, Floats], name: str) -> Floats:
    """Return ``vector`` (rows,) times the weight (rows, columns): (columns,). Rows times zero are never read."""
    rows = np.flatnonzero(vector)
    weight = quantised(weights, name)
    if weight is None:
        return vector[rows] @ weights[name][rows]
    # Not by BLAS: its threads spin for a while after each product, beside the engine's. A few rows at a time: as
    # floats, all of them would take longer to lay out in memory than to multiply.
    product = np.zeros(weight.shape[1], np.float32)
    for few in np.split(rows, range(_FEW_ROWS, len(rows), _FEW_ROWS)):
        scaled = vector[few] * weight.scale[few]
        product += np.einsum("r,rc->c", scaled, weight.codes[few].astype(np.float32))
    return product
