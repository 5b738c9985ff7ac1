"""From calibrated probabilities to what may be said: the label, or an ancestor, and how surely. Pure.

Backing off up a tree until a promise of accuracy is kept, and counting what was told in bits, follows Deng et al.,
*Hedging Your Bets* (DARTS), CVPR 2012.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import Label

Tier = Literal["sure", "think", "hedge", "pass"]
TIERS: tuple[Tier, ...] = get_args(Tier)
PROMISES: Mapping[Tier, float] = {"sure": 0.95, "think": 0.85, "hedge": 0.65}
"""How often a claim of each tier is right, on held-out pictures."""
TIGHT = 3.0
"""Bits that an ancestor must tell to be said by ``think``: it stands for at most an eighth of the labels."""


@dataclass(frozen=True)
class Node:
    """A label, or an ancestor of several."""

    name: str
    rows: tuple[int, ...]
    """Of the labels below it."""
    bits: float
    """What it tells: the logarithm of how many times fewer labels remain."""
    leaf: bool


@dataclass(frozen=True)
class Said:
    """What may be said of one picture in one vocabulary."""

    node: Node
    probability: float
    tier: Tier


class Tree:
    """The labels of an exclusive vocabulary and all their ancestors."""

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
        """Most telling first."""
        self.matrix = np.zeros((len(self.nodes), len(labels)), np.float32)
        """(nodes, labels): 1 where a label lies below a node."""
        for number, node in enumerate(self.nodes):
            self.matrix[number, list(node.rows)] = 1
        self.bits = np.array([node.bits for node in self.nodes])
        self.leaf = np.array([node.leaf for node in self.nodes])

    def posterior(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(…, labels) -> (…, nodes)."""
        summed: NDArray[np.float32] = np.minimum(probabilities @ self.matrix.T, 1)
        return summed

    def may_be_said(self, tier: Tier) -> NDArray[np.bool_]:
        """(nodes,): ``sure`` names the thing itself, ``think`` a tight ancestor at most, ``hedge`` any."""
        return self.leaf if tier == "sure" else self.leaf | (self.bits >= (TIGHT if tier == "think" else 0))


@lru_cache(maxsize=8)
def tree_of(labels: tuple[Label, ...]) -> Tree:
    """The tree of a vocabulary, made once."""
    return Tree(labels)


def most_telling(
    posterior: NDArray[np.float32], allowed: NDArray[np.bool_], tree: Tree, least: float
) -> NDArray[np.int64]:
    """(…, nodes) -> (…,): the allowed node of at least ``least`` that tells most; of equals the more probable.

    -1 where there is none.
    """
    safe = allowed & (posterior >= least)
    value = np.where(safe, tree.bits + 1e-3 * posterior, -1)
    return np.where(safe.any(-1), value.argmax(-1), -1)


def hedge(probabilities: NDArray[np.float32], tree: Tree, thresholds: Mapping[str, float]) -> Said | None:
    """What the surest tier with anything to say says; None is a pass. A tier without a threshold is not offered."""
    posterior = tree.posterior(probabilities)
    for tier in TIERS[:-1]:
        if tier in thresholds:
            number = int(most_telling(posterior, tree.may_be_said(tier), tree, thresholds[tier]))
            if number >= 0:
                return Said(tree.nodes[number], float(posterior[number]), tier)
    return None
