"""What the predictor hands to the routes: results of one picture, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.inference.images import DecodedImage
from model.cells import Cell
from model.contributions import Connections
from model.describe import Description, probabilities
from model.engines import Output
from model.vocabulary import Label, Vocabulary


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
    """All of it, and what was made of it: the labels and the sentence."""


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


@dataclass(frozen=True)
class Embedded:
    """A decoded picture and its embedding."""

    image: DecodedImage
    network: str
    """Name of the network that embedded it; embeddings of others cannot be compared with it."""
    embedding: NDArray[np.float16]
    """(size,) numbers of half precision."""


@dataclass(frozen=True)
class Connected:
    """What fed the answer for one label."""

    image: DecodedImage
    answer: Answered
    connections: Connections


@dataclass(frozen=True)
class Traced:
    """How one number of the network came about."""

    image: DecodedImage
    cell: Cell
    answer: Answered | None
    """The label that a number of fc8 speaks for; None of any other layer."""


@dataclass(frozen=True)
class Occluded:
    """How much one label's answer falls when a part of the square is covered."""

    image: DecodedImage
    answer: Answered
    """What the network answers for the whole picture."""
    probability: NDArray[np.float32]
    """(cells, cells) what the label's probability loses; below 0 where it gains."""
    logit: NDArray[np.float32]
    """(cells, cells) what its logit loses."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One label's answer for a picture: its logit, and how a probability is made of it."""

    label: Label
    vocabulary: Vocabulary
    logits: NDArray[np.float32]
    """(K,) of the label's vocabulary."""
    index: int
    """The label's place in them."""

    @property
    def logit(self) -> float:
        """What fc8 answers for the label."""
        return float(self.logits[self.index])

    @property
    def probability(self) -> float:
        """The calibrated probability of the label within its vocabulary."""
        return float(probabilities(self.logits, self.vocabulary)[self.index])


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
