"""A sample of the pictures of some sets, as a network sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.preprocess import prepare_all
from training import data
from training.data.split import SplitName


def sample_pictures(network: Checkpoint, specs: Sequence[str], number: int, split: SplitName) -> NDArray[np.uint8]:
    """About ``number`` pictures (n, S, S, 3), as many of each ``[NAME=]PATH``, the same each time. Raises DataError."""
    each = -(-number // len(specs))
    sets = (data.load_for(network.vocabularies, spec, split, cache="none") for spec in specs)
    return prepare_all([picture for one in sets for picture in one.sample(each)], network.architecture)
