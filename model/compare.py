"""Why one label came out above another: their difference, taken apart by place, channel and unit. numpy, no autograd.

From the last convolution's activations to a logit the network is linear in pieces. The difference of two logits is
therefore a sum over cells and channels of gradient times activation, plus what no place of the photo adds; and a sum
over the units of fc7 of activation times the difference of two weights, plus that of two biases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model import explain
from model.checkpoint import Checkpoint
from model.describe import probabilities
from model.engines import Output
from model.vocabulary import Label, Vocabulary
from model.weights import Floats, vector_times_weight


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one label stands among those of its vocabulary, for one picture."""

    row: int
    """The row of fc8 that it is."""
    label: Label
    vocabulary: str
    logit: float
    probability: float
    rank: int
    """1 for the likeliest label of the vocabulary."""
    of: int
    """How many labels the vocabulary has."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What speaks for one label and against another, or for a word that is asked about alone."""

    label: Place
    against: Place | None
    """The likeliest other label of a softmax vocabulary; None for a word, or for an only name, which have no rival."""
    lead: float
    """Logit of ``against`` minus that of ``label``: positive where ``label`` lost. For a word, its own logit."""
    cells: Floats
    """(H, W) parts of the lead that came from each cell of the last convolution."""
    elsewhere: float
    """The part that came from no cell: biases. With the cells it adds up to the lead."""
    channels: Floats
    """(C,) the same parts, by channel."""
    values: Floats
    """(F,) activations of the units of fc7. Times the weights they add up to the lead, but for two biases."""
    weights: Floats
    """(F,) weight of each unit of fc7 for ``against``, minus that for ``label``."""


def compare(output: Output, checkpoint: Checkpoint, row: int) -> Comparison:
    """Compare the label in a row of fc8 with the likeliest other one of its vocabulary, for one picture.

    ``output`` holds :func:`model.explain.needed_activations` of one picture, ``checkpoint`` is folded.
    """
    vocabulary, rows = checkpoint.vocabulary_at(row)
    logits = output.logits[0]
    places = _places(vocabulary, rows, logits)
    against = None
    if vocabulary.activation == "softmax" and len(places) > 1:
        against = max((p for p in places if p.row != row), key=lambda p: p.probability)
    asked = places[row - rows.start]
    activations_CHW = output.maps[checkpoint.architecture.last_convolution][0]
    shares = {against.row: 1.0, row: -1.0} if against else {row: 1.0}
    signs = np.zeros(len(logits), np.float32)
    signs[list(shares)] = list(shares.values())
    parts_CHW = explain.gradient_of_any(output, 0, checkpoint, shares) * activations_CHW
    lead = float(signs @ logits)
    weights = vector_times_weight(signs, checkpoint.weights, "fc8.weight")
    return Comparison(
        label=asked,
        against=against,
        lead=lead,
        cells=parts_CHW.sum(0),
        elsewhere=lead - float(parts_CHW.sum()),
        channels=parts_CHW.sum((1, 2)),
        values=output.maps["fc7"][0],
        weights=weights,
    )


def _places(vocabulary: Vocabulary, rows: slice, logits: Floats) -> list[Place]:
    """Where each label of a vocabulary stands, in the vocabulary's order."""
    shares = probabilities(logits[rows], vocabulary)
    ranks = np.empty(len(shares), int)
    ranks[np.argsort(-shares, kind="stable")] = np.arange(1, len(shares) + 1)
    return [
        Place(
            row=rows.start + number,
            label=label,
            vocabulary=vocabulary.name,
            logit=float(logits[rows.start + number]),
            probability=float(shares[number]),
            rank=int(ranks[number]),
            of=len(shares),
        )
        for number, label in enumerate(vocabulary.labels)
    ]
