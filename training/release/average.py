"""Averages two networks of which one was trained further from the other: the mean is often better than both.

Wortsman et al., *Model soups*, ICML 2022.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.checkpoint import Checkpoint


def average(later: Checkpoint, earlier: Checkpoint) -> Checkpoint:
    """The folded network whose every weight is the mean of both; its provenance names ``earlier``, nothing is measured.

    Raises ValueError where ``later`` was not trained further from ``earlier``.
    """
    if later.provenance.get("started_from") != earlier.version:
        raise ValueError(
            f"Only a network and the one that it was trained further from have a mean: this one did not start from "
            f"version {earlier.version}."
        )
    later_folded = later.folded()
    earlier_weights = earlier.folded().weights
    weights = {
        name: np.float32(0.5) * (weight + earlier_weights[name]) for name, weight in later_folded.weights.items()
    }
    provenance = {**later_folded.provenance, "averaged_with": earlier.version}
    return replace(later_folded, weights=weights, provenance=provenance, measured={})
