"""What the network believes of a picture, and the fragments of a sentence that are made of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import Tier
from model.vocabulary import Label, Vocabulary


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


@dataclass(frozen=True)
class Claim:
    """One thing that a sentence asserts."""

    node: str
    """Natural name of the label or the ancestor that is asserted."""
    vocabulary: str
    """Name of the vocabulary that has it."""
    role: str
    """``subject``, ``action``, ``thing``, ``place`` or ``attribute``."""
    probability: float
    """Calibrated probability that the claim holds."""


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


@dataclass(frozen=True)
class Guess:
    """A label of any vocabulary and how probable it is."""

    label: Label
    probability: float
    """Probability that the label holds; of a word, that any of five people would say it."""
    vocabulary: str
    """Name of the label's vocabulary."""


def best_guess(belief: Belief) -> Guess:
    """Return the most probable label of a vocabulary, its probability multiplied by the gate."""
    row = int(belief.probabilities.argmax())
    label = belief.vocabulary.labels[row]
    return Guess(label, float(belief.probabilities[row]) * belief.gate, belief.vocabulary.name)


def claim_of(guess: Guess, role: str) -> Claim:
    """Return the claim that a guess holds, in a role of the sentence."""
    return Claim(guess.label.name, guess.vocabulary, role, guess.probability)
