"""What the network believes of a picture, and the fragments of a sentence that are made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import repeat
from math import prod
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.language.hedging import Tier
from model.language.phrases import kind_phrase
from model.vocabulary import Label, Vocabulary

PERSON_WORDS = frozenset({"man", "woman", "boy", "girl", "child", "baby", "people", "player"})
"""Ids of the words for a person; where none is sure enough alone, "a person" may be."""


class Guess(NamedTuple):
    """A label of any vocabulary and how probable it is. A tuple: hundreds are made for each picture."""

    label: Label
    probability: float
    """Probability that the label holds; of a word, that any of five people would say it."""
    vocabulary: str
    """Name of the label's vocabulary."""


Guesses = Mapping[str, Guess]
"""Id of a word -> the guess that somebody says it."""


@dataclass(frozen=True)
class Belief:
    """The network's posterior for one picture over one vocabulary."""

    vocabulary: Vocabulary
    probabilities: NDArray[np.float32]
    """(labels,) probability of each label: of a softmax vocabulary they sum to 1, of a sigmoid one each is its own."""
    gate: float = 1.0
    """Probability that the picture shows any label of a softmax vocabulary at all."""
    denied: frozenset[str] = frozenset()
    """Subjects of a sigmoid vocabulary that may not be claimed, since all vocabularies together speak against them."""

    @cached_property
    def guesses(self) -> Guesses:
        """For each word of a sigmoid vocabulary, by id, the probability that any of five people says it.

        Words for a subject that is denied are left out.
        """
        vocabulary = self.vocabulary
        probabilities = platt_scaled(self.probabilities, vocabulary.platt.get("", (1.0, 0.0))).tolist()
        values = zip(vocabulary.labels, probabilities, repeat(vocabulary.name))
        guesses = dict(
            zip(vocabulary.ids, map(partial(tuple.__new__, Guess), values), strict=True)
        )  # quicker than _make
        for subject in self.denied:
            for word in _words_for(vocabulary, subject):
                del guesses[word]
        return guesses


def subject_named_by(word: Label) -> str:
    """Return the subject that a word names: a person, or what it says itself."""
    return "person" if word.id in PERSON_WORDS else word.name


@lru_cache(maxsize=16)
def _words_for(vocabulary: Vocabulary, subject: str) -> tuple[str, ...]:
    """Return the ids of the words that name a subject."""
    return tuple(label.id for label in vocabulary.labels if subject_named_by(label) == subject)


def platt_scaled(probabilities: ArrayLike, platt: tuple[float, float]) -> NDArray[np.float64]:
    """Return probabilities of any shape after Platt scaling: ``platt`` is slope and shift of their logits."""
    slope, shift = platt
    p = np.clip(np.asarray(probabilities, np.float64), 1e-6, 1 - 1e-6)
    scaled: NDArray[np.float64] = 1 / (1 + np.exp(-(slope * np.log(p / (1 - p)) + shift)))
    return scaled


Combination = Literal["sum", "any"]


@dataclass(frozen=True)
class Claim:
    """One thing that a sentence asserts, and the labels that it is made of."""

    node: str
    """Natural name of the label or the ancestor that is asserted."""
    vocabulary: str
    """Name of the vocabulary that has it."""
    role: str
    """``subject``, ``action``, ``thing``, ``place`` or ``attribute``."""
    probability: float
    """Calibrated probability that the claim holds."""
    members: tuple[Guess, ...] = ()
    """The labels below the node, most probable first; the label itself where it is one."""
    combination: Combination = "sum"
    """``sum``: at most one member holds, so their probabilities add up. ``any``: it holds where any member does."""

    @property
    def phrase(self) -> str:
        """How a sentence names it: ``an espresso``, ``some kind of bird``, ``a person``."""
        if len(self.members) == 1:
            return self.members[0].label.phrase
        return f"a {self.node}" if self.combination == "any" else kind_phrase(self.node)

    @property
    def unlabelled(self) -> float:
        """Probability that the picture shows something of this kind for which there is no label."""
        if self.combination == "any":
            return 0.0
        return max(0.0, self.probability - sum(member.probability for member in self.members))

    @property
    def shares(self) -> dict[Guess, float]:
        """How much of the claim each member is; the shares sum to 1."""
        total = sum(member.probability for member in self.members) or 1.0
        return {member: member.probability / total for member in self.members}


@dataclass(frozen=True)
class Fragment:
    """A stretch of a sentence and what it asserts."""

    text: str
    claims: tuple[Claim, ...]
    tier: Tier = "pass"
    """How surely it may be said."""

    @property
    def confidence(self) -> float:
        """Probability that all claims hold, which are taken as independent."""
        return prod(claim.probability for claim in self.claims)


def best_guess(belief: Belief) -> Guess:
    """Return the most probable label of a vocabulary, its probability multiplied by the gate."""
    row = int(belief.probabilities.argmax())
    label = belief.vocabulary.labels[row]
    return Guess(label, float(belief.probabilities[row]) * belief.gate, belief.vocabulary.name)


def claim_of(guess: Guess, role: str) -> Claim:
    """Return the claim that a guess holds, in a role of the sentence."""
    return Claim(guess.label.name, guess.vocabulary, role, guess.probability, (guess,))


def members_of(belief: Belief, rows: Sequence[int]) -> tuple[Guess, ...]:
    """Return the labels of these rows with their probabilities, each multiplied by the gate, most probable first."""
    probabilities = (belief.probabilities[list(rows)].astype(np.float64) * belief.gate).tolist()
    labels = belief.vocabulary.labels
    members = [Guess(labels[row], p, belief.vocabulary.name) for row, p in zip(rows, probabilities, strict=True)]
    return tuple(sorted(members, key=lambda member: -member.probability))
