"""Pairs of networks that differ in one thing, trained on a small budget from several seeds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from model.engines.alexnet import AlexNet
from model.engines.torch_engine import TorchEngine
from training.config import Recipe
from training.data import PictureSet
from training.evaluation.accuracy import ViewCount, evaluate
from training.trainer.augment import colours_of
from training.trainer.sources import make_sources
from training.trainer.state import PREPROCESSING, Run
from training.trainer.step import train_step


@dataclass(frozen=True, kw_only=True)
class Result:
    """One trained network."""

    losses: list[float]
    """Of each step."""
    training_error: float
    """Top-1, in percent, on pictures it learned from, without augmentation."""
    error: float
    """Top-1, in percent, on pictures that it did not."""
    ten_view_error: float
    """The same, by the mean of ten views."""


Learned = dict[Recipe, Result]
"""What was trained already: many pairs share a side."""


def pairs(
    sides: tuple[Recipe, Recipe], sets: tuple[PictureSet, PictureSet], learned: Learned, *, steps: int, seeds: int,
    device: torch.device,
) -> Iterator[tuple[Result, Result]]:  # fmt: skip
    """Both sides trained from each seed; what ``learned`` holds is not trained again."""
    for seed in range(seeds):
        for side in sides:
            recipe = replace(side, seed=seed)
            if recipe not in learned:
                learned[recipe] = learn(recipe, sets, steps, device)
        yield learned[replace(sides[0], seed=seed)], learned[replace(sides[1], seed=seed)]


def learn(recipe: Recipe, sets: tuple[PictureSet, PictureSet], steps: int, device: torch.device) -> Result:
    """Train on the first of the two sets for some steps; nothing is written."""
    run = _run(recipe, sets, steps, device)
    losses = [train_step(run) for _ in range(steps)]
    seen = sets[0].subset(np.arange(min(1000, len(sets[0].pictures))))
    return Result(
        losses=losses, training_error=_error_of(run, seen, 1), error=_error_of(run, sets[1], 1),
        ten_view_error=_error_of(run, sets[1], 10),
    )  # fmt: skip


def steps_for(minutes: float, sets: tuple[PictureSet, PictureSet], recipe: Recipe, device: torch.device) -> int:
    """Steps that take about ``minutes``."""
    run = _run(recipe, sets, 10, device)
    train_step(run)
    began = time.perf_counter()
    for _ in range(3):
        train_step(run)
    return max(10, int(60 * minutes / ((time.perf_counter() - began) / 3)))


def subset(whole: PictureSet, classes: int, most: int) -> PictureSet:
    """The pictures of the first ``classes`` classes, at most ``most`` of them."""
    index = np.flatnonzero(np.asarray(whole.targets, np.int64) < classes)[:most]
    labels = whole.vocabulary.labels[:classes]
    return replace(whole.subset(index), vocabulary=replace(whole.vocabulary, labels=labels))


def _run(recipe: Recipe, sets: tuple[PictureSet, PictureSet], steps: int, device: torch.device) -> Run:
    train, validation = sets
    sources, word_rows = make_sources([train], recipe.batch_size, device)
    network = AlexNet(recipe.architecture(len(train.vocabulary), recipe.size_at(0, steps)))
    network.initialise(recipe.initialisation, torch.Generator().manual_seed(recipe.seed))
    return Run(
        recipe=recipe, folder=Path(), sources=sources, word_rows=word_rows, validation=[validation],
        vocabularies=(train.vocabulary,), provenance={}, preprocessing=PREPROCESSING,
        colours=colours_of(torch.from_numpy(train.sample(500))), steps=steps, steps_per_epoch=steps, device=device,
        network=network,
    )  # fmt: skip


def _error_of(run: Run, one: PictureSet, views: ViewCount) -> float:
    made = run.checkpoint()
    engine = TorchEngine(made, precision=run.recipe.precision, device=run.device.type)
    [figures] = evaluate(engine, [one], made.slices(), views=views).values()
    return 100 * (1 - float(figures["top1"]))
