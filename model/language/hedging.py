"""From calibrated probabilities to what may be said: a label or one of its ancestors, and how surely. Pure.

To back off up a tree until an accuracy is guaranteed, and to count the information of an answer in bits, follows Deng
et al., *Hedging Your Bets* (DARTS), CVPR 2012.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import Label, Vocabulary

Tier = Literal["sure", "think", "hedge", "pass"]
TIERS: tuple[Tier, ...] = get_args(Tier)
"""Tiers from the surest to none; ``pass`` asserts nothing."""
TARGET_ACCURACY: Mapping[Tier, float] = {"sure": 0.95, "think": 0.85, "hedge": 0.65}
"""Share of the claims of each tier that shall be right, on held-out pictures."""
NEVER = 2.0
"""The threshold of a tier that was found to keep no promise, so that nothing is said."""
_THINK_BITS = 3.0
"""Least information of an ancestor that is said by ``think``: it stands for at most an eighth of the labels."""


@dataclass(frozen=True)
class Node:
    """A label, or an ancestor of several."""

    name: str
    """Natural name of the label or ancestor: ``beagle``, ``dog``."""
    rows: tuple[int, ...]
    """Rows of the labels below it, within the vocabulary; its own row where it is a label."""
    bits: float
    """Its information: the logarithm to base 2 of how many times fewer labels remain."""
    leaf: bool
    """Whether it is a label."""


@dataclass(frozen=True)
class HedgedLabel:
    """The label or ancestor that may be said of one picture in one vocabulary."""

    node: Node
    probability: float
    """Probability that any label below the node holds."""
    tier: Tier
    """How surely it may be said."""


class Tree:
    """The labels of a softmax vocabulary and all their ancestors."""

    def __init__(self, labels: Sequence[Label]) -> None:
        below: dict[str, list[int]] = {}
        for row, label in enumerate(labels):
            for name in dict.fromkeys(label.ancestors):
                below.setdefault(name, []).append(row)
        whole = log2(max(1, len(labels)))
        leaves = [Node(label.name, (row,), whole, True) for row, label in enumerate(labels)]
        # Of names for the same labels the most specific, which came first.
        shared: dict[tuple[int, ...], str] = {}
        for name, rows in below.items():
            if 1 < len(rows) < len(labels):
                shared.setdefault(tuple(rows), name)
        inner = [Node(name, rows, whole - log2(len(rows)), False) for rows, name in shared.items()]
        self.nodes = (*leaves, *sorted(inner, key=lambda node: -node.bits))
        """All labels, then the ancestors from the most to the least informative."""
        self.matrix = np.zeros((len(self.nodes), len(labels)), np.float32)
        """(nodes, labels): 1 where a label lies below a node, else 0."""
        for number, node in enumerate(self.nodes):
            self.matrix[number, list(node.rows)] = 1
        self.bits = np.array([node.bits for node in self.nodes])
        self.leaf = np.array([node.leaf for node in self.nodes])

    def posterior(
        self, probabilities: NDArray[np.float32], gate: NDArray[np.float32] | float = 1.0, kinship: float = 0.0
    ) -> NDArray[np.float32]:
        """Sum (…, labels) probabilities of labels to (…, nodes) of nodes.

        ``gate`` (…,) is the probability that a picture shows any label: a label needs that, an ancestor holds without
        it as often as ``kinship`` says.
        """
        nodes: NDArray[np.float32] = np.minimum(probabilities @ self.matrix.T, 1)
        shown = np.asarray(gate, np.float32)[..., None]
        return np.asarray(nodes * np.where(self.leaf, shown, shown + (1 - shown) * kinship), np.float32)

    def may_be_said(self, tier: Tier) -> NDArray[np.bool_]:
        """Return (nodes,): by ``sure`` only labels, by ``think`` informative ancestors, too, by ``hedge`` any node."""
        if tier == "sure":
            return self.leaf
        return self.leaf | (self.bits >= (_THINK_BITS if tier == "think" else 0))


@lru_cache(maxsize=8)
def tree_of(vocabulary: Vocabulary) -> Tree:
    """Return the tree of a vocabulary's labels, which is built once."""
    return Tree(vocabulary.labels)


def most_telling(
    posterior: NDArray[np.float32], allowed: NDArray[np.bool_], tree: Tree, least: float
) -> NDArray[np.int64]:
    """Return (…,) the most informative allowed node of at least ``least`` in a (…, nodes) posterior.

    Of equally informative nodes the more probable; -1 where there is none.
    """
    return most_telling_of(allowed & (posterior >= least), tree.bits, posterior)


def most_telling_of(
    safe: NDArray[np.bool_], bits: NDArray[np.float64], posterior: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return (…,) the place of the most informative of the ``safe`` (…, nodes), as :func:`most_telling` does."""
    value = np.where(safe, bits + 1e-3 * posterior, -1)
    return np.where(safe.any(-1), value.argmax(-1), -1)


def hedge(posterior: NDArray[np.float32], tree: Tree, thresholds: Mapping[str, float]) -> HedgedLabel | None:
    """Return what the surest tier with a safe node says of a (nodes,) posterior; None is a pass.

    A tier without a threshold is left out.
    """
    for tier in TIERS[:-1]:
        if tier in thresholds:
            number = int(most_telling(posterior, tree.may_be_said(tier), tree, thresholds[tier]))
            if number >= 0:
                return HedgedLabel(tree.nodes[number], float(posterior[number]), tier)
    return None
