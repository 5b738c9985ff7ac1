"""What the network holds of a picture, and the stretches of a sentence that are made of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import Tier
from model.vocabulary import Label, Vocabulary


@dataclass(frozen=True)
class Belief:
    """What the network holds of one picture in one vocabulary."""

    vocabulary: Vocabulary
    probabilities: NDArray[np.float32]
    """(labels,), within the vocabulary."""
    present: float = 1.0
    """How probable it is that the picture shows any of an exclusive vocabulary's labels."""


@dataclass(frozen=True)
class Claim:
    """One thing the sentence says."""

    node: str
    """The label or the ancestor that is said."""
    vocabulary: str
    role: str
    probability: float


@dataclass(frozen=True)
class Part:
    """A stretch of the sentence and what it asserts."""

    text: str
    claims: tuple[Claim, ...]
    tier: Tier = "pass"

    @property
    def confidence(self) -> float:
        """That all of it holds."""
        return prod(claim.probability for claim in self.claims)


@dataclass(frozen=True)
class Word:
    """A label of any vocabulary, as a guess."""

    label: Label
    probability: float
    """That it holds, or for a word that somebody would say it."""
    vocabulary: str


def best_guess(belief: Belief) -> Word:
    """The most probable label."""
    row = int(belief.probabilities.argmax())
    label = belief.vocabulary.labels[row]
    return Word(label, float(belief.probabilities[row]) * belief.present, belief.vocabulary.name)


def claim_of(guess: Word, role: str) -> Claim:
    """A guess as a claim."""
    return Claim(guess.label.name, guess.vocabulary, role, guess.probability)
