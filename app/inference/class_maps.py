"""The class map of one label, or of one claim of the sentence, from one forward pass. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.errors import NoSuchLabelError
from app.inference.results import Answered, Explained, ForwardResult
from model import explain
from model.checkpoint import Checkpoint
from model.describe import describe, shares_by_row
from model.explain import Method
from model.vocabulary import Label
from model.weights import Floats


def answered(checkpoint: Checkpoint, row: int, logits: Floats) -> Answered:
    """Return what (K,) logits answer for a row of fc8."""
    vocabulary, rows = checkpoint.vocabulary_at(row)
    index = row - rows.start
    return Answered(label=vocabulary.labels[index], vocabulary=vocabulary, logits=logits[rows], index=index)


def map_of_label(result: ForwardResult, checkpoint: Checkpoint, row: int, method: Method) -> Explained:
    """Return the class map of the label in a row of fc8."""
    answer = answered(checkpoint, row, result.output.logits[0])
    return _class_map(result, checkpoint, {row: 1.0}, method, answer.label, answer.vocabulary.name)


def map_of_claim(result: ForwardResult, checkpoint: Checkpoint, number: int, method: Method) -> Explained:
    """Return the class map of a claim: those of its labels, each by its share. Raises NoSuchLabelError."""
    claims = describe(result.output.logits[0], checkpoint, pixels=result.image.pixels).caption.claims
    if number >= len(claims):
        raise NoSuchLabelError(
            f"Claims are counted from 0, and this sentence has {len(claims)}: there is no claim {number}."
        )
    claim = claims[number]
    shares = shares_by_row(claim, checkpoint)
    if len(shares) == 1:
        return map_of_label(result, checkpoint, next(iter(shares)), method)
    label = Label(id=claim.node, name=claim.phrase, phrase=claim.phrase)
    return _class_map(result, checkpoint, shares, method, label, claim.vocabulary)


def _class_map(
    result: ForwardResult,
    checkpoint: Checkpoint,
    shares: Mapping[int, float],
    method: Method,
    label: Label,
    vocabulary: str,
) -> Explained:
    gradient = explain.gradient_of_any(result.output, 0, checkpoint, shares)
    layer = checkpoint.architecture.last_convolution
    activations_CHW = result.output.maps[layer][0]
    evidence = explain.class_map(gradient, activations_CHW, method)
    maximum = float(evidence.max())
    return Explained(
        image=result.image,
        label=label,
        vocabulary=vocabulary,
        layer=layer,
        map=evidence / maximum if maximum > 0 else np.zeros_like(evidence),
        maximum=maximum,
        relevance=explain.relevance(gradient, activations_CHW),
    )
