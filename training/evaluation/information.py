"""How much is told at a promised accuracy: hedging up the tree against naming the thing itself or nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import Tree, most_telling
from training.evaluation.label_thresholds import Claims
from training.evaluation.statistics import wilson

PROMISED = (0.65, 0.75, 0.85, 0.95)
_GRID = np.concatenate([np.arange(0.05, 0.90, 0.01), np.arange(0.90, 0.9999, 0.0025)])


def information(fitting: Claims, reporting: Claims, tree: Tree) -> list[dict[str, float]]:
    """For each promise: bits told per picture, and accuracy, of DARTS and of top-1.

    A right claim tells the bits of its node, a wrong one and silence nothing (Deng et al., CVPR 2012, section 3). Both
    have the lowest threshold that keeps the promise by the lower 95 % bound on the fitting half.
    """
    ways = {"darts": np.ones(len(tree.nodes), np.bool_), "top1": tree.leaf}
    return [
        {"promise": promise}
        | {
            f"{way}_{name}": value
            for way, allowed in ways.items()
            for name, value in _told(reporting, tree, allowed, _threshold(fitting, tree, allowed, promise)).items()
        }
        for promise in PROMISED
    ]


def _threshold(claims: Claims, tree: Tree, allowed: NDArray[np.bool_], promise: float) -> float:
    """2 where none keeps the promise: then nothing is said."""
    for threshold in _GRID:
        node = most_telling(claims.posterior, allowed, tree, float(threshold))
        hits = claims.right[node >= 0, node[node >= 0]]
        if len(hits) and wilson(float(hits.mean()), len(hits))[0] >= promise:
            return float(threshold)
    return 2.0


def _told(claims: Claims, tree: Tree, allowed: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    node = most_telling(claims.posterior, allowed, tree, threshold)
    said = node >= 0
    hits = claims.right[said, node[said]]
    bits = float((tree.bits[node[said]] * hits).sum() / len(node))
    return {
        "bits": round(bits, 3),
        "accuracy": round(float(hits.mean()), 4) if len(hits) else 0.0,
        "coverage": round(float(said.mean()), 4),
    }
