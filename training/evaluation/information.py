"""How many bits are told at a promised accuracy: by hedging up the tree (DARTS), or by naming only labels (top-1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import Tree, most_telling
from training.evaluation.label_thresholds import NodePredictions
from training.evaluation.statistics import wilson_interval

PROMISED_ACCURACIES = (0.65, 0.75, 0.85, 0.95)
"""The accuracies at which both ways are compared."""
_GRID = np.concatenate([np.arange(0.05, 0.90, 0.01), np.arange(0.90, 0.9999, 0.0025)])
_NEVER = 2.0  # a threshold that no probability reaches


def information(fitting: NodePredictions, reporting: NodePredictions, tree: Tree) -> list[dict[str, float]]:
    """For each promised accuracy: bits told per picture, accuracy and coverage, of DARTS and of top-1.

    A correct claim tells the bits of its node, a wrong one and silence none (Deng et al., CVPR 2012, section 3). Both
    ways have the lowest threshold whose accuracy on the fitting part is as promised, by the lower 95 % bound.
    """
    ways = {"darts": np.ones(len(tree.nodes), np.bool_), "top1": tree.leaf}
    rows = []
    for promise in PROMISED_ACCURACIES:
        row: dict[str, float] = {"promise": promise}
        for way, allowed in ways.items():
            threshold = _lowest_threshold(fitting, tree, allowed, promise)
            row |= {f"{way}_{name}": value for name, value in _figures(reporting, tree, allowed, threshold).items()}
        rows.append(row)
    return rows


def _lowest_threshold(nodes: NodePredictions, tree: Tree, allowed: NDArray[np.bool_], promise: float) -> float:
    for threshold in _GRID:
        chosen = most_telling(nodes.posterior, allowed, tree, float(threshold))
        correct = nodes.correct[chosen >= 0, chosen[chosen >= 0]]
        if len(correct) and wilson_interval(int(correct.sum()), len(correct))[0] >= promise:
            return float(threshold)
    return _NEVER


def _figures(nodes: NodePredictions, tree: Tree, allowed: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    chosen = most_telling(nodes.posterior, allowed, tree, threshold)
    claimed = chosen >= 0
    correct = nodes.correct[claimed, chosen[claimed]]
    bits = float((tree.bits[chosen[claimed]] * correct).sum() / len(chosen))
    return {
        "bits": round(bits, 3),
        "accuracy": round(float(correct.mean()), 4) if len(correct) else 0.0,
        "coverage": round(float(claimed.mean()), 4),
    }
