"""Thresholds for sentences made of words alone, chosen by what people wrote of the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from model.describe import probabilities
from model.language.beliefs import PERSON_WORDS, Belief, platt_scaled
from model.language.fragments import surest_subject
from model.language.hedging import TARGET_ACCURACY, TIERS, Tier
from model.language.sentence import Caption, caption
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.consent import fit_consent
from training.evaluation.label_thresholds import keeps_promise
from training.evaluation.probability_fit import fit_platt
from training.evaluation.word_pictures import Floats, WordPictures

MIN_SENTENCES = 50
"""Sentences on the fitting part below which a tier is not offered; few pictures have captions."""
_SAMPLE = 600
_GRID = np.arange(0.20, 0.98, 0.02)


def fit_word_thresholds(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], pictures: Sequence[WordPictures]
) -> Vocabulary:
    """The word vocabulary with Platt scaling, consent, and the lowest thresholds that whole sentences may have.

    Platt scaling gives the probability that anybody says a word, or any word for a person. At its threshold a tier must
    keep its promised accuracy on the ``pictures`` that people described, and hardly ever claim a word of any other set
    that is known not to be true there. What is added to a subject with a "maybe" keeps the promise of a hedge.
    """
    vocabulary = replace(vocabulary, least_addition=None)  # an earlier one must not be judged among the claims
    described = next(one_set for one_set in pictures if one_set.described)
    others = [one_set.sample(_SAMPLE) for one_set in pictures if not one_set.described]
    shares = probabilities(described.logits[:, rows_of(vocabularies)[vocabulary.name]], vocabulary)
    vocabulary = _fit_spoken(vocabulary, shares, described.targets > 0)
    vocabulary = fit_consent(vocabulary, pictures)
    trials = _Trials(described, others, vocabulary, tuple(vocabularies))
    thresholds: dict[str, float] = {}
    for tier in TIERS[:-1]:
        highest = min(thresholds.values(), default=inf)
        for threshold in _GRID[highest > _GRID].tolist():
            if trials.keeps_promise(tier, threshold, highest) and trials.claims_hardly_anything_false(threshold):
                thresholds[tier] = round(threshold, 4)
                break
    return fit_addition(replace(vocabulary, thresholds=thresholds), vocabularies, [described, *others])


def fit_addition(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], pictures: Sequence[WordPictures]
) -> Vocabulary:
    """The word vocabulary, whose thresholds stand, with the least ``least_addition`` that keeps the promise of a hedge.

    Few pictures tell that, so it is never below the promise itself, however often less probable words were right.
    """
    believed = [(one_set, one_set.beliefs(vocabulary, tuple(vocabularies))) for one_set in pictures]
    for least in _GRID[TARGET_ACCURACY["hedge"] <= _GRID].round(4).tolist():
        trial = replace(vocabulary, least_addition=least)
        sets = [(one_set, [replace(belief, vocabulary=trial) for belief in beliefs]) for one_set, beliefs in believed]
        judged = (judge_sentences(one_set, beliefs) for one_set, beliefs in sets if one_set.described)
        right = [right for of_set in judged for right in additions_right(of_set)]
        if keeps_promise(sum(right), len(right), "hedge", MIN_SENTENCES) and all(
            count_false_claims(one_set, beliefs) <= one_set.max_false_claims * len(beliefs)
            for one_set, beliefs in sets
            if not one_set.described
        ):
            return trial
    return replace(vocabulary, least_addition=None)


class _Trials:
    """Sentences of words alone at each threshold. What is said hangs on the lowest alone, how surely on the others."""

    def __init__(
        self,
        described: WordPictures,
        others: Sequence[WordPictures],
        vocabulary: Vocabulary,
        vocabularies: tuple[Vocabulary, ...],
    ) -> None:
        self._sets = [(one_set, one_set.beliefs(vocabulary, vocabularies)) for one_set in (described, *others)]
        self._surest = [np.array([surest_subject(b) for b in beliefs]) for _, beliefs in self._sets]
        self._judged: dict[float, list[JudgedSentence | None]] = {}
        self._is_true: dict[float, bool] = {}

    def keeps_promise(self, tier: Tier, threshold: float, highest: float) -> bool:
        """Whether sentences that are as probable as ``threshold``, but not as ``highest``, keep a tier's promise."""
        if threshold not in self._judged:
            self._judged[threshold] = judge_sentences(*self._candidates(0, threshold))
        said = [s for s in self._judged[threshold] if s is not None and s.confidence < highest]
        return keeps_promise(sum(s.correct for s in said), len(said), tier, MIN_SENTENCES)

    def claims_hardly_anything_false(self, threshold: float) -> bool:
        """Whether in no set without captions more is claimed that is false than may be there."""
        if threshold not in self._is_true:
            self._is_true[threshold] = all(
                count_false_claims(*self._candidates(number, threshold)) <= one_set.max_false_claims * len(beliefs)
                for number, (one_set, beliefs) in enumerate(self._sets)
                if not one_set.described
            )
        return self._is_true[threshold]

    def _candidates(self, number: int, threshold: float) -> tuple[WordPictures, list[Belief]]:
        """The pictures of a set of which anything may be said at all at this threshold, and what is believed there."""
        one_set, beliefs = self._sets[number]
        rows = np.flatnonzero(self._surest[number] >= threshold)
        vocabulary = replace(beliefs[0].vocabulary, thresholds={"hedge": threshold})
        return one_set.rows(rows), [replace(beliefs[row], vocabulary=vocabulary) for row in rows.tolist()]


def _fit_spoken(vocabulary: Vocabulary, shares: Floats, anybody: NDArray[np.bool_]) -> Vocabulary:
    spoken = {"": fit_platt(shares.ravel(), anybody.ravel())}
    people = _person_rows(vocabulary)
    if people:
        each = platt_scaled(shares[:, people], spoken[""])
        any_person = 1 - np.prod(1 - each, axis=1)
        spoken["person"] = fit_platt(any_person, np.asarray(anybody[:, people].any(1)))
    return replace(vocabulary, platt=spoken)


def _person_rows(vocabulary: Vocabulary) -> list[int]:
    return [row for row, label in enumerate(vocabulary.labels) if label.id in PERSON_WORDS]


def false_claim_rate(pictures: WordPictures, beliefs: Sequence[Belief]) -> float:
    """Share of the pictures of which the sentence of words alone claims something that is known not to be true."""
    return count_false_claims(pictures, beliefs) / max(1, len(beliefs))


def count_false_claims(pictures: WordPictures, beliefs: Sequence[Belief]) -> int:
    """Number of the pictures of which the sentence of words alone claims something that is known not to be true."""
    if not beliefs:
        return 0
    rows = _rows_of_node(beliefs[0].vocabulary)
    false = 0
    for belief, target in zip(beliefs, pictures.targets, strict=True):
        false += any(bool((target[rows[claim.node]] == 0).all()) for claim in caption([belief]).said)
    return false


def says_person(sentence: Caption) -> bool:
    """Whether a sentence claims that there is somebody."""
    words = PERSON_WORDS | {"person"}
    return any(claim.node in words for claim in sentence.said)


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
    confidence: float
    """Probability that all of them hold."""
    addition_correct: bool | None
    """Whether all that it adds with a "maybe" also occurs in the captions; None where it adds nothing."""

    @property
    def correct(self) -> bool:
        """Whether every one of its claims also occurs in the captions."""
        return self.confirmed == self.claims


def judge_sentences(pictures: WordPictures, beliefs: Sequence[Belief]) -> list[JudgedSentence | None]:
    """For each described picture the sentence of words alone, judged by them; None where it claims nothing."""
    sentences: list[JudgedSentence | None] = []
    rows = _rows_of_node(beliefs[0].vocabulary) if beliefs else {}
    for belief, target in zip(beliefs, pictures.targets, strict=True):
        sentence = caption([belief])
        confirmed, added = (
            [bool((target[rows[claim.node]] > 0).any()) for claim in claims]
            for claims in (sentence.claims, sentence.additions)
        )
        addition_correct = all(added) if added else None
        judged = JudgedSentence(sentence.tier, sum(confirmed), len(confirmed), sentence.confidence, addition_correct)
        sentences.append(None if sentence.tier == "pass" else judged)
    return sentences


def additions_right(judged: Sequence[JudgedSentence | None]) -> list[bool]:
    """Of each sentence that adds something with a "maybe": whether the captions say all of that, too."""
    return [one.addition_correct for one in judged if one is not None and one.addition_correct is not None]
