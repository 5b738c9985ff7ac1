"""The plan of a run: everything that decides what is learned, known before the first step and frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from model.checkpoint import Preprocessing
from model.vocabulary import Vocabulary, rows_of
from training.config import Recipe
from training.data import PictureSet
from training.distributed import ProcessGroup
from training.trainer.augment import Colours, colours_of
from training.trainer.losses import LossWeights
from training.trainer.sources import Source, build_sources, unique_vocabularies

UNIT_SPREAD = Preprocessing(mean=(122.0, 114.0, 102.0), scale=1 / 64)
"""Pixels to about unit spread, where a recipe does not ask for the training set's own mean."""
_COLOUR_SAMPLE = 2000  # pictures


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run learns, from what, and where; :func:`build_plan` makes it. With a state it decides every step."""

    recipe: Recipe
    """How the network learns; it holds the seed."""
    steps: int
    """Number of updates from the first to the last."""
    steps_per_epoch: int
    """Number of updates in one pass over the largest set."""
    sources: tuple[Source, ...]
    """The training sets; those of one vocabulary have the same rows of fc8."""
    validation: tuple[PictureSet, ...]
    """The held-out sets that each evaluation measures."""
    preprocessing: Preprocessing
    """How pixels are standardised, in training and later in serving."""
    colours: Colours
    """Mean and principal axes of the training pixels, for the colour noise of section 4.1."""
    device: torch.device
    """The device on which this process trains."""
    group: ProcessGroup = field(default_factory=ProcessGroup)
    """This process among those that train together."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """What the checkpoints say of their origin: data, versions, seed, device, teachers."""

    @property
    def vocabularies(self) -> tuple[Vocabulary, ...]:
        """The vocabularies that the network answers in, in the order of their rows of fc8."""
        return unique_vocabularies(self.sources)

    @property
    def outputs(self) -> int:
        """Number of rows of fc8, which are the labels of all vocabularies."""
        return sum(len(vocabulary) for vocabulary in self.vocabularies)

    @property
    def rows(self) -> dict[str, slice]:
        """Name of a vocabulary -> its rows of fc8."""
        return rows_of(self.vocabularies)

    @property
    def word_rows(self) -> slice | None:
        """The rows of fc8 that answer for words, or None where no set has captions."""
        return next((source.rows for source in self.sources if not source.has_classes), None)

    @property
    def pictures_per_step(self) -> int:
        """Number of pictures in a batch, of all sets and all processes."""
        return sum(source.pictures_per_step for source in self.sources)

    @property
    def loss_weights(self) -> LossWeights:
        """How much classes, words and implied words count in the loss."""
        return LossWeights(
            label_smoothing=self.recipe.label_smoothing,
            word=self.recipe.word_weight,
            implied_word=self.recipe.word_weight * self.recipe.absence_weight,
        )

    def size_at(self, step: int) -> int:
        """Side in pixels of the pictures at a step."""
        return self.recipe.size_at(step, self.steps)


def build_plan(
    recipe: Recipe,
    sets: Sequence[PictureSet],
    validation: Sequence[PictureSet],
    device: torch.device,
    *,
    group: ProcessGroup | None = None,
    steps: int | None = None,
    preprocessing: Preprocessing | None = None,
    colours: Colours | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of training ``recipe`` on ``sets``; the only way in which plans are made.

    ``sets`` are as ``unite`` makes them. ``steps``: by default as many as the recipe's epochs of the largest set take.
    ``preprocessing``: by default what the recipe asks for. ``colours``: by default measured on a sample of the largest
    set. Raises DataError where too many pictures are broken.
    """
    sources = build_sources(sets, recipe.batch_size, device)
    largest = max(range(len(sets)), key=lambda i: len(sets[i].pictures))
    steps_per_epoch = max(1, len(sets[largest].pictures) // sources[largest].pictures_per_step)
    colours = colours or colours_of(torch.from_numpy(sets[largest].sample(_COLOUR_SAMPLE)))
    own_preprocessing = Preprocessing(mean=colours.mean) if recipe.centred else UNIT_SPREAD
    return Plan(
        recipe=recipe,
        steps=steps or max(1, round(recipe.epochs * steps_per_epoch)),
        steps_per_epoch=steps_per_epoch,
        sources=sources,
        validation=tuple(validation),
        preprocessing=preprocessing or own_preprocessing,
        colours=colours,
        device=device,
        group=group or ProcessGroup(),
        provenance=provenance or {},
    )
