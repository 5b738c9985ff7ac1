"""Thresholds for claims about labels, chosen so that each tier keeps its promised accuracy (Deng et al., CVPR 2012).

A promise counts as kept where the lower end of Wilson's 95 % interval reaches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.describe import energies, gate_of, probabilities
from model.language.hedging import TARGET_ACCURACY, TIERS, Tier, Tree, most_telling, tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.caption_match import nodes_mentioned
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import wilson_interval

MIN_CLAIMS = 250
"""Claims on the fitting part below which a tier is not offered."""
_GRID = np.concatenate([np.arange(0.30, 0.90, 0.01), np.arange(0.90, 0.999, 0.0025)])
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NodePredictions:
    """How probable each node of a label tree is for N pictures, and whether it is true of them."""

    posterior: Floats
    """(N, nodes): the probability of each node."""
    correct: NDArray[np.bool_]
    """(N, nodes): whether the node is true of the picture."""

    def __add__(self, other: NodePredictions) -> NodePredictions:
        return NodePredictions(
            np.concatenate([self.posterior, other.posterior]), np.concatenate([self.correct, other.correct])
        )


def node_predictions(
    predictions: Predictions, vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary]
) -> NodePredictions:
    """Predictions of a softmax vocabulary's nodes, for its own set, whose classes are known, or one with captions."""
    tree = tree_of(vocabulary.labels)
    rows = rows_of(vocabularies)[vocabulary.name]
    gate = gate_of(energies(predictions.logits, vocabularies), vocabulary, [v.name for v in vocabularies])
    posterior = tree.posterior(probabilities(predictions.logits[:, rows], vocabulary)) * gate[:, None]
    if predictions.captions:
        return NodePredictions(posterior, nodes_mentioned(predictions.captions, tree, vocabulary.labels))
    return NodePredictions(posterior, tree.matrix[:, np.asarray(predictions.targets)].T > 0)


def choose_nodes(nodes: NodePredictions, tree: Tree, tier: Tier, threshold: float) -> NDArray[np.int64]:
    """(N,): number of the node that a tier would claim of each picture, -1 for none."""
    return most_telling(nodes.posterior, tree.may_be_said(tier), tree, threshold)


def fit_label_thresholds(nodes: NodePredictions, tree: Tree) -> dict[str, float]:
    """For each tier, surest first, the lowest threshold at which its claims keep its promised accuracy."""
    remaining = np.ones(len(nodes.posterior), bool)
    thresholds: dict[str, float] = {}
    for tier in TIERS[:-1]:
        highest = min(thresholds.values(), default=1.0)
        for threshold in _GRID[highest >= _GRID]:
            chosen = choose_nodes(nodes, tree, tier, threshold)
            claimed = remaining & (chosen >= 0)
            correct = nodes.correct[claimed, chosen[claimed]]
            if keeps_promise(int(correct.sum()), len(correct), tier):
                thresholds[tier] = round(float(threshold), 4)
                remaining &= ~claimed
                break
    return thresholds


def keeps_promise(correct: int, claims: int, tier: Tier) -> bool:
    """Whether there are enough claims to judge a tier, and enough of them are correct for its target accuracy."""
    return claims >= MIN_CLAIMS and wilson_interval(correct, claims)[0] >= TARGET_ACCURACY[tier]
