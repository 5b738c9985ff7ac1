"""What the predictor hands to the routes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.inference.images import Sight
from model.describe import Description
from model.engines import Output
from model.vocabulary import Label


@dataclass(frozen=True)
class Timing:
    """Seconds; 0 for what was remembered."""

    decode: float
    queue: float
    model: float
    total: float


@dataclass(frozen=True)
class Seen:
    """A picture and what the network made of it."""

    sight: Sight
    output: Output
    timing: Timing


@dataclass(frozen=True)
class Described:
    """A picture and what we say of it."""

    sight: Sight
    description: Description
    timing: Timing


@dataclass(frozen=True)
class Explained:
    """Where the evidence for one label lay."""

    sight: Sight
    label: Label
    kind: str
    layer: str
    """The convolution whose cells the map has: the last of the network."""
    map: NDArray[np.float32]
    """(H, W), as shares of ``maximum``."""
    maximum: float
    relevance: NDArray[np.float32]
    """(C,): what each channel of the layer adds to the evidence for the label."""
