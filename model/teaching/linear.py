"""Two classifiers in closed form, which answer by one row a name, and what they answer photos that were held back.

Nearest mean: the cosine of each centred embedding to the mean direction of a name, as SimpleShot does (Wang et al.,
2019). Ridge: regression on who is what, with photos of other things as nobody. Both are linear in the embedding, so
that each name becomes a row of fc8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RIDGE_STRENGTHS = (0.3, 1.0, 3.0)
"""Factors of ridge regression's penalty, in units of the embeddings' mean squared length."""


@dataclass(frozen=True)
class Samples:
    """The photos of all K names together, and those of other things."""

    embeddings: Numbers
    """(N, size) numbers, a row a photo."""
    owners: NDArray[np.int64]
    """(N,) which name each photo is of."""
    outside: Numbers
    """(M, size) of other things; M may be 0."""
    count: int
    """K, the number of names."""

    @property
    def per_name(self) -> NDArray[np.int64]:
        """(K,) number of photos of each name."""
        return np.bincount(self.owners, minlength=self.count)

    @property
    def tested(self) -> NDArray[np.bool_]:
        """(N,) whether a photo can be held back, since its name has another one."""
        return np.asarray(self.per_name[self.owners] > 1)


@dataclass(frozen=True)
class Linear:
    """A row of numbers and a constant for each name."""

    method: str
    """Its name: ``nearest mean`` or ``ridge``."""
    weight: Numbers
    """(K, size) a row for each name."""
    bias: Numbers
    """(K,) a constant for each name."""
    held_out: Numbers
    """(N, K) what each photo is answered by rows that were made without it."""
    held_out_outside: Numbers
    """(M, K) the same for photos of other things."""


def candidates(samples: Samples) -> list[Linear]:
    """Return every classifier that is tried."""
    return [nearest_mean(samples), *(ridge(samples, strength) for strength in RIDGE_STRENGTHS)]


def nearest_mean(samples: Samples) -> Linear:
    """Return the classifier by mean directions. A photo is held back by taking it out of its name's mean."""
    centre = (samples.outside if len(samples.outside) else samples.embeddings).mean(0)
    offset = samples.embeddings - centre
    directions = _unit(offset)
    sums = np.zeros((samples.count, offset.shape[1]))
    np.add.at(sums, samples.owners, directions)
    weight = _unit(sums)
    held_out = offset @ weight.T
    own = _unit(sums[samples.owners] - directions)
    held_out[range(len(offset)), samples.owners] = (offset * own).sum(1)
    return Linear("nearest mean", weight, -weight @ centre, held_out, (samples.outside - centre) @ weight.T)


def ridge(samples: Samples, strength: float) -> Linear:
    """Return ridge regression on one-hot targets, zero for other things, with a constant that is not penalised.

    What it answers a photo that was held back follows from the diagonal of the hat matrix, without fitting again.
    """
    rows = np.concatenate([samples.embeddings, samples.outside])
    targets = np.zeros((len(rows), samples.count))
    targets[range(len(samples.owners)), samples.owners] = 1
    centre, level = rows.mean(0), targets.mean(0)
    rows, targets = rows - centre, targets - level
    penalty = strength * max(float((rows**2).sum()) / len(rows), 1e-12)
    weight, fitted, leverage = _solve(rows, targets, penalty)
    slack = np.maximum(1 - leverage - 1 / len(rows), 1e-9)[:, None]
    held_out = level + targets - (targets - fitted) / slack
    number = len(samples.owners)
    return Linear("ridge", weight, level - weight @ centre, held_out[:number], held_out[number:])


def _solve(rows: Numbers, targets: Numbers, penalty: float) -> tuple[Numbers, Numbers, Numbers]:
    """Return (K, size) weights, the fitted (rows, K), and each row's leverage, by whichever side is smaller."""
    number, size = rows.shape
    if number <= size:
        inverse = np.linalg.inv(rows @ rows.T + penalty * np.eye(number))
        dual = inverse @ targets
        return dual.T @ rows, targets - penalty * dual, 1 - penalty * np.diag(inverse)
    projected = np.linalg.solve(rows.T @ rows + penalty * np.eye(size), rows.T)
    weight = (projected @ targets).T
    return weight, rows @ weight.T, (rows.T * projected).sum(0)


def _unit(rows: Numbers) -> Numbers:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
