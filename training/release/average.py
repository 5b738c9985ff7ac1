"""The mean of two networks of which one was trained further from the other: often better than both.

Wortsman et al., *Model soups*, ICML 2022.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.checkpoint import Checkpoint


def average(later: Checkpoint, earlier: Checkpoint) -> Checkpoint:
    """The mean of both in every weight, folded; it knows what it was made of, and has not been measured.

    Raises ValueError where one was not trained further from the other.
    """
    if later.provenance.get("started_from") != earlier.version:
        raise ValueError(
            f"Only a network and the one that it was trained further from have a mean: this one did not start from "
            f"version {earlier.version}."
        )
    one, other = later.folded(), earlier.folded()
    weights = {name: np.float32(0.5) * (weight + other.weights[name]) for name, weight in one.weights.items()}
    provenance = {**one.provenance, "averaged_with": earlier.version}
    return replace(one, weights=weights, provenance=provenance, measured={})
