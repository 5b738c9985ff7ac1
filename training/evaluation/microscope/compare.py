"""Whether two networks name their units alike: units are matched by what they answer to the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.microscope.naming import Name, name_units
from training.evaluation.microscope.responses import Floats, Responses, pooled

LEAST_CORRELATION = 0.5
"""Correlation over the pictures from which on two units are taken for the same."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How many units of one layer of two networks are alike, and are called alike."""

    pairs: int
    """Units of which each is the other's, in the best matching of all, at a correlation of at least 0.5."""
    named: int
    """Pairs of which both have a name."""
    same: int
    """Pairs that have the same name."""


def compare(ours: Sequence[Responses], others: Sequence[Responses], layer: str) -> Comparison:
    """Match the units of a layer of two networks, each of which looked at the same sets.

    Units are matched by the correlation of their largest activations, all at once and each with one at most (the
    assignment problem, scipy). Raises ValueError where the networks saw different pictures.
    """
    if [len(one.targets) for one in ours] != [len(one.targets) for one in others]:
        raise ValueError("The two networks saw different pictures: their vocabularies or sets differ.")
    correlation = _correlation(_all(ours, layer), _all(others, layer))
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-correlation)
    names, theirs = name_units(pooled(ours), layer), name_units(pooled(others), layer)
    pairs = [
        (names[row], theirs[column])
        for row, column in zip(rows, columns, strict=True)
        if correlation[row, column] >= LEAST_CORRELATION
    ]
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    return Comparison(pairs=len(pairs), named=len(both), same=sum(_key(one) == _key(other) for one, other in both))


def _key(name: Name) -> tuple[str, str, bool]:
    return name.vocabulary, name.id, name.kind


def _all(responses: Sequence[Responses], layer: str) -> Floats:
    return np.concatenate([one.values[layer] for one in responses])


def _correlation(ours: Floats, others: Floats) -> Any:
    """(C, D) Pearson's correlation of each of C units with each of D others, over N pictures; 0 for a constant one."""
    first, second = (_standardised(values) for values in (ours, others))
    return first.T @ second / len(ours)


def _standardised(values: Floats) -> Floats:
    centred = values - values.mean(0)
    spread = centred.std(0)
    standardised: Floats = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    return standardised
