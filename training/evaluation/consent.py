"""Consent to claim a subject that words name: how probable it is that it is there, by all vocabularies together.

Words are learned from pictures that nearly all show people or dogs, so they see them in other pictures, too. What the
vocabularies of things and places answer tells such pictures, and others that have nobody in them set the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.describe import probabilities, said_logit, strengths
from model.language.fragments import rows_by_subject
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.probability_fit import fit_logistic
from training.evaluation.word_pictures import Floats, WordPictures

MAX_WRONGLY_GIVEN = 0.025
"""Largest share of the pictures without a subject, in any set of them, in which it may get consent."""
MIN_EXAMPLES = 20
"""Pictures with, or without, a subject below which a set does not count."""


def fit_consent(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], pictures: Sequence[WordPictures]
) -> Vocabulary:
    """The sigmoid vocabulary with consent for each subject that pictures are known to show and not to show.

    Nothing is fitted unless sets without captions show that a subject is not there: captions alone cannot tell.
    """
    consent: dict[str, dict[str, float]] = {}
    for subject, rows in rows_by_subject(vocabulary).items():
        yes: list[Floats] = []
        no: list[Floats] = []
        told_by_class = False
        for one_set in pictures:
            values = _values(one_set, vocabulary, vocabularies, rows)
            is_there = shows(one_set.targets, rows)
            for side, answer in ((yes, 1.0), (no, 0.0)):
                chosen = values[is_there == answer]
                if len(chosen) >= MIN_EXAMPLES:
                    side.append(chosen)
                    told_by_class |= answer == 0.0 and not one_set.described
        if yes and no and told_by_class:
            consent[subject] = _fit(yes, no, strengths(pictures[0].logits, vocabularies).names)
    return replace(vocabulary, consent=consent)


def shows(targets: Floats, rows: Sequence[int]) -> Floats:
    """(N,): 1 where any of the words in ``rows`` is true of a picture, 0 where none is, NaN where that is unknown."""
    some = (targets[:, rows] > 0).any(1)
    none = (targets[:, rows] == 0).all(1)
    return np.where(some, 1.0, np.where(none, 0.0, np.nan)).astype(np.float32)


def _values(
    one_set: WordPictures, vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], rows: Sequence[int]
) -> Floats:
    """(N, 1 + strengths): the log-odds that a subject is said, then how strongly each vocabulary answers."""
    scores = probabilities(one_set.logits[:, rows_of(vocabularies)[vocabulary.name]], vocabulary)
    strength = strengths(one_set.logits, vocabularies).values
    return np.column_stack([said_logit(scores, rows), strength]).astype(np.float32)


def _fit(yes: Sequence[Floats], no: Sequence[Floats], names: Sequence[str]) -> dict[str, float]:
    """Weights on what is said and on the strengths, or on what is said alone where that finds the subject as often."""
    fits = [_fit_columns([v[:, :n] for v in yes], [v[:, :n] for v in no], names[: n - 1]) for n in (1, 1 + len(names))]
    return max(fits, key=lambda fit: fit[1])[0]


def _fit_columns(yes: Sequence[Floats], no: Sequence[Floats], names: Sequence[str]) -> tuple[dict[str, float], float]:
    """Weights, and the mean over the sets ``yes`` of the share of pictures that get consent."""
    weights = fit_logistic(yes, no, ("said", *names))
    slopes = np.array([weights["said"], *(weights[name] for name in names)])

    def consent(values: Floats) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(-(values.astype(np.float64) @ slopes + weights["constant"]))))

    least = round(max(float(np.quantile(consent(values), 1 - MAX_WRONGLY_GIVEN)) for values in no), 4)
    found = float(np.mean([(consent(values) >= least).mean() for values in yes]))
    return {**weights, "least": least}, found
