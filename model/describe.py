"""Turns logits, activations and pixels into labels, words and a sentence, for serving and evaluation alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
"""Least probability of a word that is listed."""
MOST_WORDS = 12
"""Largest number of words that are listed."""
_UNITS = 64  # of fc7 and of fc6: enough to tell in which third of a picture the evidence lies


@dataclass(frozen=True)
class Scored:
    """A label with the probability that a picture shows it."""

    label: Label
    vocabulary: str
    """Name of the label's vocabulary."""
    score: float
    """Of a softmax vocabulary its probability there, multiplied by the gate; of a sigmoid one that of the word."""


@dataclass(frozen=True)
class Strengths:
    """How strongly each vocabulary answers N pictures."""

    names: tuple[str, ...]
    """Of the columns: a vocabulary's name for its energy, after ``strongest`` for its highest logit."""
    values: NDArray[np.float32]
    """(N, columns): one row a picture."""


@dataclass(frozen=True, kw_only=True)
class Believed(Output):
    """What one run of the network gave for N pictures, and what it believes of each of them."""

    beliefs: Sequence[Sequence[Belief]]
    """For each picture the belief in each vocabulary."""

    @classmethod
    def of(cls, output: Output, vocabularies: Sequence[Vocabulary]) -> Believed:
        """An output with beliefs; for many pictures at once that takes hardly more time than for one."""
        return cls(output.logits, output.maps, beliefs=believe(output.logits, vocabularies))

    def one(self, number: int, layers: Sequence[str]) -> Believed:
        """The part of one picture, with the activations of these layers; views of the whole."""
        rows = slice(number, number + 1)
        maps = {name: self.maps[name][rows] for name in layers}
        return Believed(self.logits[rows], maps, beliefs=self.beliefs[rows])


@dataclass(frozen=True)
class Description:
    """The answer for one picture: labels, words and a sentence."""

    labels: tuple[Scored, ...]
    """Labels of the softmax vocabularies, most probable first."""
    words: tuple[Scored, ...]
    """Labels of the sigmoid vocabularies, most probable first, none below ``LOWEST_WORD_SCORE``."""
    caption: Caption
    """The sentence and what it asserts."""
    gates: Mapping[str, float]
    """Softmax vocabulary -> the probability that the picture shows any of its labels: what the scores of all sum to."""


def describe(
    logits: NDArray[np.float32],
    checkpoint: Checkpoint,
    *,
    top_k: int = 5,
    vocabulary: str | None = None,
    pixels: NDArray[np.uint8] | None = None,
    output: Output | None = None,
) -> Description:
    """Describe one picture from its (K,) logits, with at most ``top_k`` labels, and as many of taught ones beside them.

    ``vocabulary`` keeps the labels of one softmax vocabulary only. With (S, S, 3) ``pixels`` the sentence may say that
    the photo is grey or dark. With an ``output`` of this picture that holds ``model.explain.needed_activations`` it may
    say where its subject lies, and one that is :class:`Believed` need not be believed again.
    """
    vocabularies = checkpoint.vocabularies
    exclusive = [v.name for v in vocabularies if v.activation == "softmax"]
    listed = exclusive if vocabulary is None else [vocabulary]
    beliefs = (output.beliefs if isinstance(output, Believed) else believe(logits[None], vocabularies))[0]
    labels = _most_probable([b for b in beliefs if b.vocabulary.name in listed and not b.vocabulary.taught], top_k)
    taught = _most_probable([b for b in beliefs if b.vocabulary.name in listed and b.vocabulary.taught], top_k)
    labels = sorted([*labels, *taught], key=lambda scored: -scored.score)
    words = _most_probable([b for b in beliefs if b.vocabulary.name not in exclusive], MOST_WORDS)
    words = [word for word in words if word.score >= LOWEST_WORD_SCORE]
    tone = "plain" if pixels is None else evidence.tone(pixels)
    sentence = caption(beliefs, tone, lambda claim: _frame(claim, checkpoint, output))
    gates = {belief.vocabulary.name: belief.gate for belief in beliefs if belief.vocabulary.name in listed}
    return Description(tuple(labels), tuple(words), sentence, gates)


def believe(logits: NDArray[np.float32], vocabularies: Sequence[Vocabulary]) -> list[list[Belief]]:
    """Return for each picture of (N, K) logits the network's belief in each vocabulary."""
    strength = strengths(logits, vocabularies)
    rows = rows_of(vocabularies)
    beliefs = []
    for vocabulary in vocabularies:
        scores = probabilities(logits[:, rows[vocabulary.name]], vocabulary)
        gates = gate_of(strength, vocabulary).tolist()
        denied = denials(logits, vocabulary)
        beliefs.append([Belief(vocabulary, *one) for one in zip(scores, gates, denied, strict=True)])
    return [list(of_picture) for of_picture in zip(*beliefs, strict=True)]


def _frame(claim: Claim, checkpoint: Checkpoint, output: Output | None) -> Frame:
    """Return where the evidence for a claim lies; ``whole`` for a claim of many labels, which may lie anywhere."""
    if output is None or len(claim.members) != 1:
        return "whole"
    gradient = explain.gradient_of_any(output, 0, checkpoint.folded(), shares_by_row(claim, checkpoint), most=_UNITS)
    activations = output.maps[checkpoint.architecture.last_convolution][0]
    return evidence.frame(explain.class_map(gradient, activations, "hirescam"))


def shares_by_row(claim: Claim, checkpoint: Checkpoint) -> dict[int, float]:
    """Return the rows of fc8 whose labels a claim is made of, each with how much of the claim it is; they sum to 1."""
    shares = {}
    for member, share in claim.shares.items():
        shares[explain.find_row(checkpoint, member.label.id, member.vocabulary)] = share
    return shares


def _most_probable(beliefs: Sequence[Belief], most: int) -> list[Scored]:
    scored = [
        Scored(belief.vocabulary.labels[row], belief.vocabulary.name, float(belief.probabilities[row]) * belief.gate)
        for belief in beliefs
        for row in np.argsort(-belief.probabilities, kind="stable")[:most]
    ]
    return sorted(scored, key=lambda s: -s.score)[:most]


def probabilities(logits: NDArray[np.float32], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Return (…, K) probabilities of a vocabulary's (…, K) logits, at its temperature and with its biases."""
    scaled = logits.astype(np.float64) / vocabulary.temperature + vocabulary.bias_array
    if vocabulary.activation == "softmax":
        shifted = np.exp(scaled - scaled.max(-1, keepdims=True))
        return np.asarray(shifted / shifted.sum(-1, keepdims=True), np.float32)
    return np.asarray(1 / (1 + np.exp(-scaled)), np.float32)


def strengths(logits: NDArray[np.float32], vocabularies: Sequence[Vocabulary]) -> Strengths:
    """Return how strongly each vocabulary answers (N, K) logits: by its energy, and by its highest logit.

    Energy is the logarithm of the sum of the exponentials (Liu et al., NeurIPS 2020, with the sign turned); the highest
    logit tells things without a name better where there are many labels (Hendrycks et al., ICML 2022).
    """
    energy = {}
    strongest = {}
    rows = rows_of(vocabularies)
    for vocabulary in vocabularies:
        scaled = logits[:, rows[vocabulary.name]].astype(np.float64) / vocabulary.temperature
        top = scaled.max(1)
        energy[vocabulary.name] = top + np.log(np.exp(scaled - top[:, None]).sum(1))
        strongest[f"strongest {vocabulary.name}"] = top
    columns = energy | strongest
    return Strengths(tuple(columns), np.stack(list(columns.values()), axis=1).astype(np.float32))


def logistic(strength: Strengths, weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Return the (N,) probabilities of a logistic regression on strengths, with ``constant`` among its weights.

    What has no weight does not count.
    """
    slopes = np.array([weights.get(name, 0.0) for name in strength.names])
    odds = (strength.values * slopes).sum(-1) + weights["constant"]  # BLAS would add a batch up in another order
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def gate_of(strength: Strengths, vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Return (N,) probabilities that a picture shows any label of the vocabulary; 1 where no gate was fitted."""
    if not vocabulary.gate:
        return np.ones(len(strength.values), np.float32)
    return logistic(strength, vocabulary.gate)


def denials(logits: NDArray[np.float32], vocabulary: Vocabulary) -> list[frozenset[str]]:
    """Return for each row of (N, K) logits the subjects that a sigmoid vocabulary has no consent to claim."""
    denied: list[frozenset[str]] = [frozenset()] * len(logits)
    exact = logits.astype(np.float64)
    for subject, consent in vocabulary.consent.items():
        odds = (exact * consent.array).sum(-1) + consent.constant
        there = 1 / (1 + np.exp(-odds))
        denied = [d | {subject} if p < consent.least else d for d, p in zip(denied, there.tolist(), strict=True)]
    return denied
