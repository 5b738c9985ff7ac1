"""Thresholds for claims about labels, chosen so that each tier keeps its promised accuracy (Deng et al., CVPR 2012).

A promise counts as kept where the lower end of Wilson's 95 % interval reaches it: on all pictures of a vocabulary
together, and on every set of them apart. On pictures of things without a label it may also be kept by saying little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.describe import gate_of, probabilities, strengths
from model.language.hedging import TARGET_ACCURACY, TIERS, Tier, Tree, most_telling, most_telling_of, tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.beyond import ClassPictures, nodes_of_classes
from training.evaluation.caption_match import nodes_mentioned
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import wilson_interval

MIN_CLAIMS = 250
"""Claims on the fitting part below which a tier is not offered."""
SMALL_SET_SLACK = 0.03
"""How far below the promise the interval of a set apart may begin where it has fewer claims than ``MIN_CLAIMS``."""
SPOKEN_SHARE = 0.1
"""Of the pictures of a set apart, a tier may be wrong about as many as if it spoke of this share and kept its promise.

Of a thing without a label every label is wrong. What can be promised there is that little is said.
"""
_GRID = np.concatenate([np.arange(0.30, 0.90, 0.01), np.arange(0.90, 0.999, 0.0025)])
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NodePredictions:
    """How probable each node of a label tree is for N pictures, and whether it is true of them."""

    posterior: Floats
    """(N, nodes): the probability of each node."""
    correct: NDArray[np.bool_]
    """(N, nodes): whether the node is true of the picture."""


def node_predictions(
    pictures: Predictions | ClassPictures, vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary]
) -> NodePredictions:
    """Predictions of a softmax vocabulary's nodes, for its own sets, one with captions, or one of any classes."""
    tree = tree_of(vocabulary)
    scores = probabilities(pictures.logits[:, rows_of(vocabularies)[vocabulary.name]], vocabulary)
    gate = gate_of(strengths(pictures.logits, vocabularies), vocabulary)
    posterior = tree.posterior(scores, gate, vocabulary.kinship)
    if isinstance(pictures, ClassPictures):
        return NodePredictions(posterior, nodes_of_classes(pictures.classes, vocabulary))
    if pictures.captions:
        return NodePredictions(posterior, nodes_mentioned(pictures.captions, tree, vocabulary.labels))
    return NodePredictions(posterior, tree.matrix[:, np.asarray(pictures.targets)].T > 0)


def choose_nodes(nodes: NodePredictions, tree: Tree, tier: Tier, threshold: float) -> NDArray[np.int64]:
    """(N,): number of the node that a tier would claim of each picture, -1 for none."""
    return most_telling(nodes.posterior, tree.may_be_said(tier), tree, threshold)


def fit_label_thresholds(nodes: NodePredictions, tree: Tree, apart: Sequence[NodePredictions] = ()) -> dict[str, float]:
    """For each tier, surest first, the lowest threshold at which its claims keep its promised accuracy.

    They do on all ``nodes`` together, and on each of the sets ``apart`` (:func:`keeps_promise_apart`).
    """
    sets = [_Probable.of(one_set) for one_set in (nodes, *apart)]
    remaining = [np.ones(len(one_set.posterior), np.bool_) for one_set in sets]
    thresholds: dict[str, float] = {}
    for tier in TIERS[:-1]:
        highest = min(thresholds.values(), default=1.0)
        for threshold in _GRID[highest >= _GRID]:
            claims = [one.claims(tree, tier, threshold, left) for one, left in zip(sets, remaining, strict=True)]
            (_, correct), *others = claims
            if keeps_promise(int(correct.sum()), len(correct), tier) and all(
                keeps_promise_apart(int(hits.sum()), len(hits), len(claimed), tier) for claimed, hits in others
            ):
                thresholds[tier] = round(float(threshold), 4)
                remaining = [left & ~claimed for left, (claimed, _) in zip(remaining, claims, strict=True)]
                break
    return thresholds


@dataclass(frozen=True)
class _Probable:
    """Of each picture the nodes that a threshold can let through: a few of hundreds, which makes the search fast."""

    number: NDArray[np.int64]
    """(N, few): numbers of the nodes, in their order."""
    posterior: Floats
    """(N, few)."""
    correct: NDArray[np.bool_]
    """(N, few)."""

    @classmethod
    def of(cls, nodes: NodePredictions) -> _Probable:
        few = max(1, int((nodes.posterior >= _GRID[0]).sum(1).max(initial=0)))
        number = np.sort(np.argsort(-nodes.posterior, axis=1, kind="stable")[:, :few], axis=1)
        return cls(number, np.take_along_axis(nodes.posterior, number, 1), np.take_along_axis(nodes.correct, number, 1))

    def claims(
        self, tree: Tree, tier: Tier, threshold: float, remaining: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of which pictures a tier claims a node (N,), and whether each claim is correct (claims,)."""
        safe = tree.may_be_said(tier)[self.number] & (self.posterior >= threshold)
        chosen = most_telling_of(safe, tree.bits[self.number], self.posterior)
        claimed = remaining & (chosen >= 0)
        return claimed, self.correct[claimed, chosen[claimed]]


def keeps_promise(correct: int, claims: int, tier: Tier, least: int = MIN_CLAIMS) -> bool:
    """Whether there are claims enough to judge a tier, ``least``, and enough are correct for its target accuracy."""
    return claims >= least and wilson_interval(correct, claims)[0] >= TARGET_ACCURACY[tier]


def keeps_promise_apart(correct: int, claims: int, pictures: int, tier: Tier) -> bool:
    """Whether a tier may be offered for all that it claims on a set apart, of so many ``pictures``.

    Its claims keep the promise, or it hardly ever says anything wrong there.
    """
    target = TARGET_ACCURACY[tier]
    if claims - correct <= SPOKEN_SHARE * (1 - target) * pictures:
        return True
    slack = 0.0 if claims >= MIN_CLAIMS else SMALL_SET_SLACK
    return wilson_interval(correct, claims)[0] >= target - slack
