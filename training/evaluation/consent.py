"""Consent to claim a subject that words name: how probable it is that it is there, by all vocabularies together.

Words are learned from pictures that nearly all show people or dogs, so they see them in other pictures, too. What the
vocabularies of things and places answer tells such pictures, and others that have nobody in them set the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.language.fragments import rows_by_subject
from model.vocabulary import Consent, Vocabulary
from training.evaluation.probability_fit import fit_logistic
from training.evaluation.word_pictures import Floats, WordPictures

MAX_WRONGLY_GIVEN = 0.05
"""Largest share of the pictures without a subject, in any set of them, in which it may get consent."""
MIN_EXAMPLES = 20
"""Pictures with, or without, a subject below which a set does not count."""
_RIDGE = 0.01  # hundreds of logits are weighed by thousands of pictures


def fit_consent(vocabulary: Vocabulary, pictures: Sequence[WordPictures]) -> Vocabulary:
    """The sigmoid vocabulary with consent for each subject that pictures are known to show and not to show.

    Nothing is fitted unless sets without captions show that a subject is not there: captions alone cannot tell.
    """
    consent: dict[str, Consent] = {}
    for subject, rows in rows_by_subject(vocabulary).items():
        yes: list[Floats] = []
        no: list[Floats] = []
        told_by_class = False
        for one_set in pictures:
            is_there = shows(one_set.targets, rows)
            for side, answer in ((yes, 1.0), (no, 0.0)):
                chosen = one_set.logits[is_there == answer]
                if len(chosen) >= MIN_EXAMPLES:
                    side.append(chosen)
                    told_by_class |= answer == 0.0 and not one_set.described
        if yes and no and told_by_class:
            consent[subject] = _fit(yes, no)
    return replace(vocabulary, consent=consent)


def shows(targets: Floats, rows: Sequence[int]) -> Floats:
    """(N,): 1 where any of the words in ``rows`` is true of a picture, 0 where none is, NaN where that is unknown."""
    some = (targets[:, rows] > 0).any(1)
    none = (targets[:, rows] == 0).all(1)
    return np.where(some, 1.0, np.where(none, 0.0, np.nan)).astype(np.float32)


def _fit(yes: Sequence[Floats], no: Sequence[Floats]) -> Consent:
    """Consent that at most ``MAX_WRONGLY_GIVEN`` of each of the sets ``no`` gets; all sets are (N, K) logits."""
    names = [str(row) for row in range(yes[0].shape[1])]
    fitted = fit_logistic(yes, no, names, ridge=_RIDGE)
    weights, constant = tuple(fitted[name] for name in names), fitted["constant"]

    def probability(logits: Floats) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(-(logits.astype(np.float64) @ np.array(weights) + constant))))

    least = max(float(np.quantile(probability(logits), 1 - MAX_WRONGLY_GIVEN)) for logits in no)
    return Consent(weights=weights, constant=constant, least=round(least, 4))
