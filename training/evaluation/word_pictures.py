"""Which words are true, and which are not, of pictures that people described and of those whose class is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.describe import denials, probabilities
from model.language.beliefs import PERSON_WORDS, Belief
from model.vocabulary import Vocabulary, rows_of
from training.data.word_targets import word_targets
from training.evaluation.beyond import NOBODY, Beyond, ClassPictures, labels_of_classes
from training.evaluation.predictions import Predictions

MAX_FALSE_CLAIMS, MAX_FALSE_BEYOND = 0.02, 0.05
"""Largest share of false claims of a word on a set of a vocabulary, and on one beyond them all."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class WordPictures:
    """A set of N pictures with what is known of each word."""

    name: str
    """What the set is called."""
    logits: Floats
    """(N, K), of all rows of fc8."""
    targets: Floats
    """(N, words): above 0 where a word is true, 0 where it is not, NaN where that is unknown."""
    described: bool = False
    """Whether people described the pictures, so that all words are known."""

    max_false_claims: float = MAX_FALSE_CLAIMS
    """Largest share of the pictures of which a sentence may claim a word that is known not to be true."""

    def sample(self, most: int) -> WordPictures:
        """The first ``most`` pictures of the set."""
        return self.rows(np.arange(min(most, len(self.logits))))

    def rows(self, rows: NDArray[np.int64]) -> WordPictures:
        """The pictures of some rows."""
        return replace(self, logits=self.logits[rows], targets=self.targets[rows])

    def beliefs(self, vocabulary: Vocabulary, vocabularies: tuple[Vocabulary, ...]) -> list[Belief]:
        """What a sigmoid vocabulary, which may differ from that in ``vocabularies``, holds of each picture."""
        shares = probabilities(self.logits[:, rows_of(vocabularies)[vocabulary.name]], vocabulary)
        denied = denials(self.logits, vocabulary)
        return [Belief(vocabulary, share, 1.0, names) for share, names in zip(shares, denied, strict=True)]


def word_pictures(sets: Mapping[str, Predictions], beyond: Beyond, vocabulary: Vocabulary) -> list[WordPictures]:
    """All sets from which something is known of the words of a sigmoid vocabulary, each of them apart."""
    found = [_of_predictions(one_set, vocabulary) for name in sets for one_set in sets[name].apart() or [sets[name]]]
    things = [
        s.vocabulary for s in sets.values() if s.vocabulary.activation == "softmax" and not s.vocabulary.of_places
    ]
    for thing in things[:1]:
        for one_set in beyond.without_label(thing):
            targets = word_targets(labels_of_classes(one_set.classes, thing), vocabulary.labels, thing.name)
            found.append(_beyond(one_set, targets))
    people = np.array([label.id in PERSON_WORDS for label in vocabulary.labels])
    for one_set in beyond.people:
        targets = np.full((len(one_set.classes), len(people)), np.nan, np.float32)
        targets[:, people] = np.array([name != NOBODY for name in one_set.classes], np.float32)[:, None]
        found.append(_beyond(one_set, targets))
    return found


def _beyond(one_set: ClassPictures, targets: Floats) -> WordPictures:
    return WordPictures(name=one_set.name, logits=one_set.logits, targets=targets, max_false_claims=MAX_FALSE_BEYOND)


def _of_predictions(one_set: Predictions, vocabulary: Vocabulary) -> WordPictures:
    if one_set.vocabulary.activation == "sigmoid":
        targets = np.asarray(one_set.targets, np.float32)
        return WordPictures(name=one_set.name, logits=one_set.logits, targets=targets, described=True)
    of_class = word_targets(one_set.vocabulary.labels, vocabulary.labels, one_set.vocabulary.name)
    targets = of_class[np.asarray(one_set.targets, np.int64)]
    return WordPictures(name=one_set.name, logits=one_set.logits, targets=targets)
