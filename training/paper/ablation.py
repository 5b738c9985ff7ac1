"""Pairs of networks that differ in one thing, trained on a small budget from several seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from model.engines.torch_engine import TorchEngine
from training.config import Recipe
from training.data import PictureSet
from training.evaluation.accuracy import ViewCount, evaluate
from training.trainer.augment import colours_of
from training.trainer.plan import Plan, build_plan
from training.trainer.state import TrainState, build_state
from training.trainer.step import train_step
from training.trainer.timing import seconds_per_step

_COLOUR_SAMPLE = 500  # pictures
_TRAINING_SAMPLE = 1000  # pictures on which the training error is measured
_MIN_STEPS = 10


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one network of a pair learned and how often it errs."""

    losses: list[float]
    """The loss of each step."""
    training_error: float
    """Top-1 error in percent on pictures that it learned from, without augmentation."""
    error: float
    """Top-1 error in percent on validation pictures, one view of each."""
    ten_view_error: float
    """Top-1 error in percent on validation pictures, by the mean of ten views (section 4.1)."""


TrainedResults = dict[Recipe, Result]
"""The results of the recipes trained so far; many pairs have one network in common."""


def pairs(
    recipes: tuple[Recipe, Recipe],
    sets: tuple[PictureSet, PictureSet],
    results: TrainedResults,
    *,
    steps: int,
    seeds: int,
    device: torch.device,
) -> Iterator[tuple[Result, Result]]:
    """The results of both recipes for each seed; what ``results`` holds is not trained again, what is new is added.

    ``sets`` are a training and a validation set. Raises DivergedError where a loss is not finite.
    """
    for seed in range(seeds):
        first, second = (replace(recipe, seed=seed) for recipe in recipes)
        for recipe in (first, second):
            if recipe not in results:
                results[recipe] = train_and_measure(recipe, sets, steps, device)
        yield results[first], results[second]


def train_and_measure(recipe: Recipe, sets: tuple[PictureSet, PictureSet], steps: int, device: torch.device) -> Result:
    """Train on the first of the two sets for so many steps and measure on both; nothing is written."""
    train, validation = sets
    plan = _plan(recipe, sets, steps, device)
    state = build_state(plan)
    losses = [train_step(plan, state) for _ in range(steps)]
    learned_from = train.subset(np.arange(min(_TRAINING_SAMPLE, len(train.pictures))))
    return Result(
        losses=losses,
        training_error=_error(plan, state, learned_from, 1),
        error=_error(plan, state, validation, 1),
        ten_view_error=_error(plan, state, validation, 10),
    )


def steps_for(minutes: float, sets: tuple[PictureSet, PictureSet], recipe: Recipe, device: torch.device) -> int:
    """How many steps take about ``minutes``; at least ten."""
    plan = _plan(recipe, sets, _MIN_STEPS, device)
    return max(_MIN_STEPS, int(60 * minutes / seconds_per_step(plan)))


def subset(whole: PictureSet, classes: int, most: int) -> PictureSet:
    """The pictures of the first ``classes`` classes, at most ``most`` of them."""
    index = np.flatnonzero(np.asarray(whole.targets, np.int64) < classes)[:most]
    labels = whole.vocabulary.labels[:classes]
    return replace(whole.subset(index), vocabulary=replace(whole.vocabulary, labels=labels))


def _plan(recipe: Recipe, sets: tuple[PictureSet, PictureSet], steps: int, device: torch.device) -> Plan:
    train, validation = sets
    colours = colours_of(torch.from_numpy(train.sample(_COLOUR_SAMPLE)))
    return build_plan(recipe, [train], [validation], device, steps=steps, colours=colours)


def _error(plan: Plan, state: TrainState, pictures: PictureSet, views: ViewCount) -> float:
    """Top-1 error in percent."""
    network = state.checkpoint(plan)
    engine = TorchEngine(network, precision=plan.recipe.precision, device=plan.device.type)
    [figures] = evaluate(engine, [pictures], network.slices(), views=views).values()
    return 100 * (1 - float(figures["top1"]))
