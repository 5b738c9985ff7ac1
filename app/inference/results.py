"""What the predictor hands to the routes: results of one picture, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.inference.images import DecodedImage
from model.describe import Description
from model.engines import Output
from model.vocabulary import Label


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds that the steps of one answer took; 0 for a step whose result came from a cache."""

    decode_s: float
    """From the bytes of the file to prepared pixels, the wait for a thread included."""
    queue_s: float
    """From the queue to the start of the forward pass."""
    model_s: float
    """The forward pass of the whole batch."""
    total_s: float
    """All of it, up to the end of the forward pass."""


@dataclass(frozen=True)
class ForwardResult:
    """A decoded picture and what one forward pass of the network gave for it."""

    image: DecodedImage
    output: Output
    timing: Timing


@dataclass(frozen=True)
class Described:
    """A decoded picture with its labels, words and sentence."""

    image: DecodedImage
    description: Description
    timing: Timing


@dataclass(frozen=True, kw_only=True)
class Explained:
    """The class map of one label or of one claim: where in a picture the evidence for it lay."""

    image: DecodedImage
    label: Label
    """What the map is of; of a claim of several labels one that is made of the claim's name."""
    vocabulary: str
    """Name of the vocabulary that the label belongs to."""
    layer: str
    """The convolution whose cells the map has: the last one of the network."""
    map: NDArray[np.float32]
    """(H, W) of that layer, 13 × 13 at 227 pixels, as shares of ``maximum``."""
    maximum: float
    """The largest cell of the map, in units of a logit; 0 where there is no evidence."""
    relevance: NDArray[np.float32]
    """(C,) what each channel of that layer adds to the evidence for the label."""
