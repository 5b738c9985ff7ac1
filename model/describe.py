"""Logits, maps and pixels to labels, words and a sentence: the one copy, for serving, evaluation and the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import evidence, explain
from model.checkpoint import Checkpoint
from model.engines import Output
from model.language.beliefs import Belief, Claim
from model.language.sentence import Caption, Frame, caption
from model.vocabulary import Label, Vocabulary, rows_of

LOWEST_WORD_SCORE = 0.1
MOST_WORDS = 12
_UNITS = 64
"""Of fc7 and fc6 that a map flows through where only a third of the picture is asked for."""


class UnknownVocabularyError(ValueError):
    """The network has no vocabulary of that name whose labels exclude each other."""


@dataclass(frozen=True)
class Scored:
    """A label with its probability within its vocabulary."""

    label: Label
    vocabulary: str
    score: float


@dataclass(frozen=True)
class Description:
    """All that is said of one picture."""

    labels: tuple[Scored, ...]
    """Of the exclusive vocabularies, best first."""
    words: tuple[Scored, ...]
    """Of the independent ones, best first, none below ``LOWEST_WORD_SCORE``."""
    caption: Caption


def describe(
    logits: NDArray[np.float32],
    checkpoint: Checkpoint,
    *,
    top_k: int = 5,
    vocabulary: str | None = None,
    pixels: NDArray[np.uint8] | None = None,
    output: Output | None = None,
) -> Description:
    """Describe one picture from its (K,) logits.

    ``vocabulary`` keeps the labels of one softmax vocabulary only; raises UnknownVocabularyError if there is no such
    one. (S, S, 3) ``pixels`` show whether the photo is grey or dark. An ``output`` of this picture with
    ``model.explain.needed_activations`` shows where the thing lies that the sentence is about.
    """
    vocabularies = checkpoint.vocabularies
    exclusive = [v.name for v in vocabularies if v.activation == "softmax"]
    if vocabulary is not None and vocabulary not in exclusive:
        raise UnknownVocabularyError(f"vocabulary is one of {', '.join(exclusive)}, not {vocabulary!r}.")
    beliefs = believe(logits[None], vocabularies)[0]
    labels = _best([b for b in beliefs if b.vocabulary.name in ([vocabulary] if vocabulary else exclusive)], top_k)
    words = _best([b for b in beliefs if b.vocabulary.name not in exclusive], MOST_WORDS)
    words = [word for word in words if word.score >= LOWEST_WORD_SCORE]
    seen = "plain" if pixels is None else evidence.tone(pixels)
    said = caption(beliefs, seen, lambda claim: _frame(claim, checkpoint, output))
    return Description(tuple(labels), tuple(words), said)


def believe(logits: NDArray[np.float32], vocabularies: Sequence[Vocabulary]) -> list[list[Belief]]:
    """(N, K) logits -> for each picture what the network holds in each vocabulary."""
    energy, names, rows = energies(logits, vocabularies), [v.name for v in vocabularies], rows_of(vocabularies)
    scores = {v.name: probabilities(logits[:, rows[v.name]], v) for v in vocabularies}
    gates = {v.name: gate_of(energy, v, names) for v in vocabularies}
    return [
        [Belief(v, scores[v.name][number], float(gates[v.name][number])) for v in vocabularies]
        for number in range(len(logits))
    ]


def _frame(claim: Claim, checkpoint: Checkpoint, output: Output | None) -> Frame:
    """Where the evidence for a claim lies; nothing is said of an ancestor, which has no map."""
    if output is None:
        return "whole"
    try:
        row = explain.find_row(checkpoint, claim.node, claim.vocabulary)
    except explain.UnknownLabelError:
        return "whole"
    gradient = explain.gradient(output, 0, checkpoint.folded(), row, most=_UNITS)
    activations = output.maps[checkpoint.architecture.last_convolution][0]
    return evidence.frame(explain.class_map(gradient, activations, "hirescam"))


def _best(beliefs: Sequence[Belief], most: int) -> list[Scored]:
    scored = [
        Scored(belief.vocabulary.labels[row], belief.vocabulary.name, float(belief.probabilities[row]))
        for belief in beliefs
        for row in np.argsort(-belief.probabilities, kind="stable")[:most]
    ]
    return sorted(scored, key=lambda s: -s.score)[:most]


def probabilities(logits: NDArray[np.float32], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Softmax or sigmoids of (…, K) logits, at the vocabulary's temperature and with its biases."""
    scaled = logits.astype(np.float64) / vocabulary.temperature
    if vocabulary.bias:
        scaled = scaled + np.array(vocabulary.bias)
    if vocabulary.activation == "softmax":
        shifted = np.exp(scaled - scaled.max(-1, keepdims=True))
        return np.asarray(shifted / shifted.sum(-1, keepdims=True), np.float32)
    return np.asarray(1 / (1 + np.exp(-scaled)), np.float32)


def energies(logits: NDArray[np.float32], vocabularies: Sequence[Vocabulary]) -> NDArray[np.float32]:
    """(N, K) logits -> (N, vocabularies): how strongly each answers at all (logarithm of the sum of exponentials)."""
    parts, rows = [], rows_of(vocabularies)
    for vocabulary in vocabularies:
        scaled = logits[:, rows[vocabulary.name]].astype(np.float64) / vocabulary.temperature
        top = scaled.max(1)
        parts.append(top + np.log(np.exp(scaled - top[:, None]).sum(1)))
    return np.stack(parts, axis=1).astype(np.float32)


def gate_of(energy: NDArray[np.float32], vocabulary: Vocabulary, names: Sequence[str]) -> NDArray[np.float32]:
    """(N,): how probable it is that a picture shows any label of the vocabulary; 1 where that was never fitted."""
    if not vocabulary.gate:
        return np.ones(len(energy), np.float32)
    weights = np.array([vocabulary.gate.get(name, 0.0) for name in names])
    return np.asarray(1 / (1 + np.exp(-(energy @ weights + vocabulary.gate["constant"]))), np.float32)
