"""What words alone say of a picture, against what people said; and when they may say it."""

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
from training.evaluation.label_thresholds import keeps
from training.evaluation.predictions import Observed
from training.evaluation.probability_fit import line

MOST_FALSE = 0.02
"""Share of the pictures of things of which a word may be claimed that their class rules out."""
_SAMPLE = 1000
_THRESHOLDS = np.arange(0.20, 0.98, 0.02)
Floats = NDArray[np.float32]


def fit_words(fitting: Mapping[str, Observed], vocabulary: Vocabulary, rows: slice) -> Vocabulary:
    """How probable it is that anybody says a word, or any word for a person; and thresholds for whole sentences.

    A threshold must keep its promise where people described the picture, and few words may be claimed of pictures of
    things that rule them out.
    """
    one = fitting[vocabulary.name]
    shares = probabilities(one.logits[:, rows], vocabulary)
    anybody = np.asarray(one.targets > 0, np.bool_)
    spoken = {"": line(shares.ravel(), anybody.ravel())}
    people = _people(vocabulary)
    if people:
        each = platt_scaled(shares[:, people], spoken[""])
        spoken["person"] = line(1 - np.prod(1 - each, axis=1), np.asarray(anybody[:, people].any(1)))
    vocabulary = replace(vocabulary, platt=spoken)
    found: dict[str, float] = {}
    for tier in TIERS[:-1]:
        for threshold in _THRESHOLDS[min(found.values(), default=1.0) > _THRESHOLDS]:
            tried = replace(vocabulary, thresholds={**found, tier: float(threshold)})
            if _kept(judge(one, tried, shares), tier) and false_claims(fitting, tried, rows, _SAMPLE) <= MOST_FALSE:
                found[tier] = round(float(threshold), 4)
                break
    return replace(vocabulary, thresholds=found)


def _kept(judged: Sequence[Judged | None], tier: Tier) -> bool:
    hits = [one.right for one in judged if one is not None and one.tier == tier]
    return keeps(sum(hits), len(hits), tier)


def _people(vocabulary: Vocabulary) -> list[int]:
    return [row for row, label in enumerate(vocabulary.labels) if label.id in PERSON_WORDS]


def false_claims(sets: Mapping[str, Observed], vocabulary: Vocabulary, rows: slice, most: int | None = None) -> float:
    """Share of the pictures of things of which a word is claimed that their class rules out."""
    false, number = 0, 0
    named = _named(vocabulary)
    for name, one in sets.items():
        if one.captions or one.vocabulary.of_places:
            continue
        table = word_targets(one.vocabulary.labels, vocabulary.labels, name)
        shares = probabilities(one.logits[:most, rows], vocabulary)
        for picture, shown in zip(shares, one.targets, strict=False):
            made, number = caption([Belief(vocabulary, picture)]), number + 1
            if made.tier != "pass":
                false += any(bool((table[int(shown)][named[claim.node]] == 0).all()) for claim in made.claims)
    return false / number if number else 0.0


def _named(vocabulary: Vocabulary) -> dict[str, list[int]]:
    """The rows that each node of a claim stands for."""
    return {label.name: [row] for row, label in enumerate(vocabulary.labels)} | {"person": _people(vocabulary)}


@dataclass(frozen=True)
class Judged:
    """A sentence that words alone make."""

    tier: Tier
    said: int
    """Claims that one of the five people made, too."""
    claims: int

    @property
    def right(self) -> bool:
        """Whether all of them hold."""
        return self.said == self.claims


def judge(one: Observed, vocabulary: Vocabulary, shares: Floats) -> list[Judged | None]:
    """For each picture with captions what words alone say, against what people said; None for a pass."""
    rows = _named(vocabulary)
    judged: list[Judged | None] = []
    for picture, target in zip(shares, one.targets, strict=True):
        made = caption([Belief(vocabulary, picture)])
        hits = [bool((target[rows[claim.node]] > 0).any()) for claim in made.claims]
        judged.append(None if made.tier == "pass" else Judged(made.tier, sum(hits), len(hits)))
    return judged
