"""Thresholds whose claims keep a promise (Deng et al., CVPR 2012), by the lower bound of Wilson's interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.describe import energies, gate_of, probabilities
from model.language.hedging import TARGET_ACCURACY, TIERS, Tier, Tree, most_telling, tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.caption_match import right
from training.evaluation.predictions import Observed
from training.evaluation.statistics import wilson

FEWEST = 250
"""Claims on the fitting half below which a tier is not offered."""
_GRID = np.concatenate([np.arange(0.30, 0.90, 0.01), np.arange(0.90, 0.999, 0.0025)])
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Claims:
    """What could be said of some pictures, and whether it would be right."""

    posterior: Floats
    """(N, nodes)."""
    right: NDArray[np.bool_]
    """(N, nodes)."""

    def __add__(self, other: Claims) -> Claims:
        return Claims(np.concatenate([self.posterior, other.posterior]), np.concatenate([self.right, other.right]))


def claims_of(one: Observed, vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary]) -> Claims:
    """Claims of an exclusive vocabulary on a set: its own, whose classes are known, or one with captions."""
    tree, rows = tree_of(vocabulary.labels), rows_of(vocabularies)[vocabulary.name]
    gate = gate_of(energies(one.logits, vocabularies), vocabulary, [v.name for v in vocabularies])
    posterior = tree.posterior(probabilities(one.logits[:, rows], vocabulary)) * gate[:, None]
    if one.captions:
        return Claims(posterior, right(one.captions, tree, vocabulary.labels))
    return Claims(posterior, tree.matrix[:, np.asarray(one.targets)].T > 0)


def chosen(claims: Claims, tree: Tree, tier: Tier, threshold: float) -> NDArray[np.int64]:
    """(N,): the node that a tier would say of each picture, -1 for none."""
    return most_telling(claims.posterior, tree.may_be_said(tier), tree, threshold)


def fit_thresholds(claims: Claims, tree: Tree) -> dict[str, float]:
    """For each tier the lowest threshold whose claims keep its promise by the lower 95 % bound; surest tier first."""
    left = np.ones(len(claims.posterior), bool)
    found: dict[str, float] = {}
    for tier in TIERS[:-1]:
        highest = min(found.values(), default=1.0)
        for threshold in _GRID[highest >= _GRID]:
            node = chosen(claims, tree, tier, threshold)
            said = left & (node >= 0)
            hits = claims.right[said, node[said]]
            if keeps(int(hits.sum()), len(hits), tier):
                found[tier] = round(float(threshold), 4)
                left &= ~said
                break
    return found


def keeps(hits: int, number: int, tier: Tier) -> bool:
    """Whether so many right claims are enough, and often enough right."""
    return number >= FEWEST and wilson(hits / number, number)[0] >= TARGET_ACCURACY[tier]
