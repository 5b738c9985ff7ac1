"""Logits to labels, words and a sentence: the one copy, for serving, evaluation and the gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.language.sentence import Caption, Guess, caption
from model.vocabulary import Label, Vocabulary

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
    exclusive = [v.name for v in checkpoint.vocabularies if v.kind == "exclusive"]
    if kind is not None and kind not in exclusive:
        raise UnknownKindError(f"kind is one of {', '.join(exclusive)}, not {kind!r}.")
    scored: list[Scored] = []
    slices = checkpoint.slices()
    for vocabulary in checkpoint.vocabularies:
        scores = probabilities(logits[slices[vocabulary.name]], vocabulary)
        scored += [Scored(label, vocabulary.name, float(s)) for label, s in zip(vocabulary.labels, scores, strict=True)]
    scored.sort(key=lambda s: -s.score)
    labels = [s for s in scored if s.kind in exclusive and kind in (None, s.kind)]
    words = [s for s in scored if s.kind not in exclusive and s.score >= LOWEST_WORD_SCORE]
    guesses = [Guess(label=s.label, kind=s.kind, exclusive=s.kind in exclusive, probability=s.score) for s in scored]
    calibrated = all(v.calibrated for v in checkpoint.vocabularies)
    return Description(tuple(labels[:top_k]), tuple(words[:MOST_WORDS]), caption(guesses, calibrated=calibrated))


def probabilities(logits: NDArray[np.float32], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Softmax or sigmoids of (K,) logits, at the vocabulary's temperature."""
    scaled = logits.astype(np.float64) / vocabulary.temperature
    if vocabulary.kind == "exclusive":
        shifted = np.exp(scaled - scaled.max())
        return np.asarray(shifted / shifted.sum(), np.float32)
    return np.asarray(1 / (1 + np.exp(-scaled)), np.float32)
