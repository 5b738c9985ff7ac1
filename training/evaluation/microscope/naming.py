"""Names for units, with evidence: what is true of the pictures that excite a unit most.

A name is chosen on one half of the validation pictures, among all labels, words and kinds, and measured on the other:
so the best of 500 chances is not mistaken for a fit. N pictures, C units, L candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.evaluation.microscope.responses import Floats, Responses, Truth
from training.evaluation.statistics import logit_interval

LIFT = 3.0
"""The floor: the lower end of the interval of the average precision is at least so many times the share of the pictures
of which the name is true, which is what a unit that knows nothing would have …"""
LEAST_PRECISION = 0.1
"""… and the average precision is at least this: a unit that is right less often has no name."""
LEAST_POSITIVES = 8
"""Pictures of which a name must be true in each half."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """What a unit is called, and how well that fits, on pictures that the name was not chosen by."""

    id: str
    """Id of a label, or a kind: the ancestor of several labels."""
    vocabulary: str
    """Name of the vocabulary whose pictures were used."""
    kind: bool
    """Whether it is a kind of labels and not a label itself."""
    precision: float
    """Average precision: the mean, over the pictures of which the name is true, of the share of true ones among those
    that excite the unit at least as much."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    """Upper end of its 95 % interval."""
    base: float
    """Share of all pictures of which the name is true."""

    def to_json(self) -> dict[str, Any]:
        """The fields, with numbers rounded to three digits after the point."""
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(self).items()}


def name_units(responses: Sequence[Responses], layer: str, *, shuffled: bool = False) -> list[Name | None]:
    """A name for each unit of a layer, or None where none reaches the floor.

    ``shuffled``: the same with each unit's answers given to other pictures. What is named then is named by chance.
    """
    candidates = [_best_in(one, layer, shuffled) for one in responses]
    channels = responses[0].values[layer].shape[1]
    best = [max((found[channel] for found in candidates), key=lambda pair: pair[0]) for channel in range(channels)]
    return [name if name is not None and _reaches_floor(name) else None for _, name in best]


def _reaches_floor(name: Name) -> bool:
    return name.precision >= LEAST_PRECISION and name.low >= LIFT * name.base


def _best_in(one: Responses, layer: str, shuffled: bool) -> list[tuple[float, Name | None]]:
    """For each unit how well the best candidate of one vocabulary fits the half that chooses, and its name.

    Fits of vocabularies whose candidates are true of more or fewer pictures are compared by what is above chance:
    (precision - base) / (1 - base).
    """
    order = np.random.default_rng(0).permutation(len(one.choosing))  # so that the order of files decides no tie
    choosing = one.choosing[order]
    values = one.values[layer][order]
    if shuffled:
        values = values[np.random.default_rng(1).permutation(len(values))]
    names, truth = one.truth()
    truth = truth[order]
    enough = np.minimum(truth[choosing].sum(0), truth[~choosing].sum(0)) >= LEAST_POSITIVES
    columns = np.flatnonzero(enough)
    if not len(columns):
        return [(-np.inf, None)] * values.shape[1]
    base = truth[choosing][:, columns].mean(0)
    fits = (average_precisions(values[choosing], truth[choosing][:, columns]) - base) / (1 - base)
    found: list[tuple[float, Name | None]] = []
    for channel, column in enumerate(fits.argmax(1)):
        id, kind = names[columns[column]]
        held_out = truth[~choosing][:, columns[[column]]]
        precision = float(average_precisions(values[~choosing][:, [channel]], held_out)[0, 0])
        low, high = logit_interval(precision, int(held_out.sum()))
        name = Name(
            id=id,
            vocabulary=one.vocabulary.name,
            kind=kind,
            precision=precision,
            low=low,
            high=high,
            base=float(held_out.mean()),
        )
        found.append((float(fits[channel, column]), name))
    return found


def average_precisions(values: Floats, truth: Truth) -> Floats:
    """(C, L) average precision of each of C units (N, C) as a score for each of L candidates (N, L)."""
    ranks = np.arange(1, len(values) + 1, dtype=np.float32)[:, None]
    positives = truth.sum(0)
    result = np.empty((values.shape[1], truth.shape[1]), np.float32)
    for channel in range(values.shape[1]):
        ranked = truth[np.argsort(-values[:, channel], kind="stable")]
        precision = np.cumsum(ranked, axis=0, dtype=np.float32) / ranks
        result[channel] = np.einsum("nl,nl->l", precision, ranked) / positives
    return result
