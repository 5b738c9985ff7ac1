"""Thresholds for sentences made of words alone, chosen by what people wrote of the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.describe import probabilities
from model.language.beliefs import Belief
from model.language.fragments import PERSON_WORDS, platt_scaled
from model.language.hedging import TIERS, Tier
from model.language.sentence import caption
from model.vocabulary import Vocabulary
from training.data.word_targets import word_targets
from training.evaluation.label_thresholds import keeps_promise
from training.evaluation.predictions import Predictions
from training.evaluation.probability_fit import fit_platt

MAX_FALSE_CLAIMS = 0.02
"""Largest share of the pictures of things of which a word may be claimed that their class rules out."""
_SAMPLE = 1000
_GRID = np.arange(0.20, 0.98, 0.02)
Floats = NDArray[np.float32]


def fit_word_thresholds(fitting: Mapping[str, Predictions], vocabulary: Vocabulary, rows: slice) -> Vocabulary:
    """The word vocabulary with Platt scaling and the lowest thresholds that whole sentences may have.

    Platt scaling gives the probability that anybody says a word, or any word for a person. At its threshold a tier must
    keep its promised accuracy on the pictures that people described, and hardly ever claim a word of a picture of
    things whose class rules that word out. ``rows`` are those of the vocabulary in fc8.
    """
    described = fitting[vocabulary.name]
    shares = probabilities(described.logits[:, rows], vocabulary)
    vocabulary = _fit_spoken(vocabulary, shares, np.asarray(described.targets > 0, np.bool_))
    thresholds: dict[str, float] = {}
    for tier in TIERS[:-1]:
        highest = min(thresholds.values(), default=1.0)
        for threshold in _GRID[highest > _GRID]:
            candidate = replace(vocabulary, thresholds={**thresholds, tier: float(threshold)})
            sentences = judge_sentences(described, candidate, shares)
            if (
                _tier_keeps_promise(sentences, tier)
                and false_claim_rate(fitting, candidate, rows, _SAMPLE) <= MAX_FALSE_CLAIMS
            ):
                thresholds[tier] = round(float(threshold), 4)
                break
    return replace(vocabulary, thresholds=thresholds)


def _fit_spoken(vocabulary: Vocabulary, shares: Floats, anybody: NDArray[np.bool_]) -> Vocabulary:
    spoken = {"": fit_platt(shares.ravel(), anybody.ravel())}
    people = _person_rows(vocabulary)
    if people:
        each = platt_scaled(shares[:, people], spoken[""])
        any_person = 1 - np.prod(1 - each, axis=1)
        spoken["person"] = fit_platt(any_person, np.asarray(anybody[:, people].any(1)))
    return replace(vocabulary, platt=spoken)


def _tier_keeps_promise(sentences: Sequence[JudgedSentence | None], tier: Tier) -> bool:
    correct = [sentence.correct for sentence in sentences if sentence is not None and sentence.tier == tier]
    return keeps_promise(sum(correct), len(correct), tier)


def _person_rows(vocabulary: Vocabulary) -> list[int]:
    return [row for row, label in enumerate(vocabulary.labels) if label.id in PERSON_WORDS]


def false_claim_rate(
    sets: Mapping[str, Predictions], vocabulary: Vocabulary, rows: slice, limit: int | None = None
) -> float:
    """Share of object pictures whose class rules out a word that the sentence claims.

    ``limit`` is the number of pictures looked at in each set; None looks at all.
    """
    false_claims = 0
    pictures = 0
    rows_of_node = _rows_of_node(vocabulary)
    for name, predictions in sets.items():
        if predictions.captions or predictions.vocabulary.of_places:
            continue
        targets = word_targets(predictions.vocabulary.labels, vocabulary.labels, name)
        shares = probabilities(predictions.logits[:limit, rows], vocabulary)
        for share, class_number in zip(shares, predictions.targets, strict=False):
            sentence = caption([Belief(vocabulary, share)])
            pictures += 1
            if sentence.tier != "pass":
                words = targets[int(class_number)]
                false_claims += any(bool((words[rows_of_node[claim.node]] == 0).all()) for claim in sentence.claims)
    return false_claims / pictures if pictures else 0.0


def _rows_of_node(vocabulary: Vocabulary) -> dict[str, list[int]]:
    """Node of a claim -> the rows of the vocabulary that it stands for."""
    return {label.name: [row] for row, label in enumerate(vocabulary.labels)} | {"person": _person_rows(vocabulary)}


@dataclass(frozen=True)
class JudgedSentence:
    """A sentence made only of words, compared with the captions of its picture."""

    tier: Tier
    confirmed: int
    """Number of its claims that a caption makes, too."""
    claims: int
    """Number of all its claims."""

    @property
    def correct(self) -> bool:
        """Whether every one of its claims also occurs in the captions."""
        return self.confirmed == self.claims


def judge_sentences(predictions: Predictions, vocabulary: Vocabulary, shares: Floats) -> list[JudgedSentence | None]:
    """For each picture with captions the sentence of words alone, judged by them; None where it claims nothing.

    ``shares`` (N, words) are the probabilities of the words.
    """
    rows = _rows_of_node(vocabulary)
    sentences: list[JudgedSentence | None] = []
    for share, target in zip(shares, predictions.targets, strict=True):
        sentence = caption([Belief(vocabulary, share)])
        confirmed = [bool((target[rows[claim.node]] > 0).any()) for claim in sentence.claims]
        judged = JudgedSentence(sentence.tier, sum(confirmed), len(confirmed))
        sentences.append(None if sentence.tier == "pass" else judged)
    return sentences
