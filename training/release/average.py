"""Averages two networks of which one was trained further from the other: the mean is often better than both.

Wortsman et al., *Model soups*, ICML 2022.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from model.checkpoint import Checkpoint


def average(later: Checkpoint, earlier: Checkpoint, *, kept: Iterable[str] = ()) -> Checkpoint:
    """The folded network whose every weight is the mean of both; its provenance names ``earlier``, nothing is measured.

    Of the vocabularies ``kept`` the rows of fc8 are those of ``earlier``: rows of a few thousand pictures learn these
    by heart before the layers below them have learned all they can. Raises ValueError where ``later`` was not trained
    further from ``earlier``, and where it has no such vocabulary.
    """
    kept, slices = tuple(kept), earlier.slices()
    if unknown := [name for name in kept if name not in slices]:
        raise ValueError(f"The network has no vocabulary {', '.join(unknown)}, only {', '.join(slices)}.")
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
    for name in kept:
        for part in ("fc8.weight", "fc8.bias"):
            weights[part][slices[name]] = earlier_weights[part][slices[name]]
    provenance = {**later_folded.provenance, "averaged_with": earlier.version}
    if kept:
        provenance["kept"] = list(kept)
    return replace(later_folded, weights=weights, provenance=provenance, measured={})
