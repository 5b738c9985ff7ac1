"""A plan over a few random pictures, for tests of single steps."""

from __future__ import annotations

import numpy as np
import torch

from model.language.phrases import label_for
from model.vocabulary import Activation, Vocabulary
from training.config import Recipe
from training.data import InMemory, PictureSet
from training.trainer.plan import Plan, build_plan

CPU = torch.device("cpu")


def vocabulary(name: str, labels: list[str], activation: Activation = "softmax") -> Vocabulary:
    return Vocabulary(name=name, activation=activation, labels=tuple(label_for(name, label) for label in labels))


def thing_set() -> PictureSet:
    """24 pictures of 72 px in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 72, 72, 3), np.uint8)
    labels = vocabulary("thing", [f"thing {number}" for number in range(3)])
    return PictureSet(name="things", vocabulary=labels, pictures=InMemory.of(pixels), targets=np.arange(24) % 3)


def word_set() -> PictureSet:
    """12 pictures of 72 px, for each of which a share of people said each of two words."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (12, 72, 72, 3), np.uint8)
    targets = (random.integers(0, 6, (12, 2)) / 5).astype(np.float32)
    labels = vocabulary("word", ["dog", "tree"], "sigmoid")
    return PictureSet(name="words", vocabulary=labels, pictures=InMemory.of(pixels), targets=targets)


def small_plan(recipe: Recipe, *sets: PictureSet, steps: int = 9) -> Plan:
    """Nine steps over :func:`thing_set`, or over the sets that are given."""
    sets = sets or (thing_set(),)
    return build_plan(recipe, sets, sets, CPU, steps=steps)
