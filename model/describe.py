"""Logits to labels, words and a sentence: the one copy, for serving, evaluation and the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.language.beliefs import Belief
from model.language.sentence import Caption, caption
from model.vocabulary import Label, Vocabulary, rows_of

LOWEST_WORD_SCORE = 0.1
MOST_WORDS = 12


class UnknownKindError(ValueError):
    """``kind`` names no exclusive vocabulary of the network."""


@dataclass(frozen=True)
class Scored:
    """A label with its probability within its vocabulary."""

    label: Label
    kind: str
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
    logits: NDArray[np.float32], checkpoint: Checkpoint, *, top_k: int = 5, kind: str | None = None
) -> Description:
    """Describe one picture from its (K,) logits.

    ``kind`` keeps the labels of one exclusive vocabulary only; raises UnknownKindError if there is no such one.
    """
    vocabularies, slices = checkpoint.vocabularies, checkpoint.slices()
    exclusive = [v.name for v in vocabularies if v.kind == "exclusive"]
    if kind is not None and kind not in exclusive:
        raise UnknownKindError(f"kind is one of {', '.join(exclusive)}, not {kind!r}.")
    energy, names = energies(logits[None], vocabularies), [v.name for v in vocabularies]
    beliefs = [
        Belief(v, probabilities(logits[slices[v.name]], v), float(gate_of(energy, v, names)[0])) for v in vocabularies
    ]
    scored = [
        Scored(label, belief.vocabulary.name, float(score))
        for belief in beliefs
        for label, score in zip(belief.vocabulary.labels, belief.probabilities, strict=True)
    ]
    scored.sort(key=lambda s: -s.score)
    labels = [s for s in scored if s.kind in exclusive and kind in (None, s.kind)]
    words = [s for s in scored if s.kind not in exclusive and s.score >= LOWEST_WORD_SCORE]
    return Description(tuple(labels[:top_k]), tuple(words[:MOST_WORDS]), caption(beliefs))


def probabilities(logits: NDArray[np.float32], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Softmax or sigmoids of (…, K) logits, at the vocabulary's temperature and with its biases."""
    scaled = logits.astype(np.float64) / vocabulary.temperature
    if vocabulary.bias:
        scaled = scaled + np.array(vocabulary.bias)
    if vocabulary.kind == "exclusive":
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
