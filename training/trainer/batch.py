"""The batch of one step: a function of the plan and the step alone, so a resumed run sees what it would have seen.

N pictures, C channels, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from model.engines.torch_engine import standardise
from training.config import Recipe
from training.trainer.augment import add_colour_noise, augment, draw
from training.trainer.plan import Plan
from training.trainer.sources import Source


@dataclass(frozen=True, kw_only=True)
class BatchPart:
    """The pictures of one set in a batch, cropped and standardised, and what they show."""

    source: Source
    """The set that the pictures are from."""
    pictures: Tensor
    """(N, 3, S, S) float32 crops, standardised as the plan says."""
    targets: Tensor
    """(N,) class numbers, or (N, words) shares of people."""
    mixed_targets: Tensor | None = None
    """Targets of the pictures that were mixed into these; None where nothing was."""
    lam: float = 1.0
    """λ of mixup and CutMix: the share of each picture that is its own."""


def load_batch(plan: Plan, step: int, size: int) -> list[BatchPart]:
    """This process's share of one step's pictures, as crops of ``size`` px; one part for each set.

    Raises DataError where too many pictures are broken.
    """
    recipe = plan.recipe
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
    noisy = recipe.colour_noise and step < recipe.colour_noise_until * plan.steps
    parts = []
    for number, source in enumerate(plan.sources):
        share = plan.group.share(source.pictures_per_step)
        pixels_NHWC, targets = source.batch(step, recipe.seed * 31 + number, share)
        chance = draw(source.pictures_per_step, recipe, generator).of(share)
        x_NCHW = augment(pixels_NHWC, size, recipe, chance)
        if noisy:
            x_NCHW = add_colour_noise(x_NCHW, plan.colours, recipe.colour_noise, chance)
        part = BatchPart(source=source, pictures=standardise(x_NCHW, plan.preprocessing), targets=targets)
        random = np.random.default_rng((recipe.seed, step, number, plan.group.rank))
        parts.append(mix(part, recipe, random))
    return parts


def mix(part: BatchPart, recipe: Recipe, random: np.random.Generator) -> BatchPart:
    """The pictures mixed among themselves by mixup or CutMix, where the recipe has one; of both, by one at random."""
    methods = [(_mixup, recipe.mixup), (_cutmix, recipe.cutmix)]
    methods = [(method, alpha) for method, alpha in methods if alpha]
    if not methods:
        return part
    method, alpha = methods[int(random.integers(len(methods)))]
    partners = torch.from_numpy(random.permutation(len(part.targets))).to(part.targets.device)
    drawn_lam = float(random.beta(alpha, alpha))
    pictures_NCHW, lam = method(part.pictures, part.pictures[partners], drawn_lam, random)
    return replace(part, pictures=pictures_NCHW, mixed_targets=part.targets[partners], lam=lam)


def _mixup(x_NCHW: Tensor, y_NCHW: Tensor, lam: float, _: np.random.Generator) -> tuple[Tensor, float]:
    """Zhang et al., *mixup: Beyond empirical risk minimization*, 2018."""
    return lam * x_NCHW + (1 - lam) * y_NCHW, lam


def _cutmix(x_NCHW: Tensor, y_NCHW: Tensor, lam: float, random: np.random.Generator) -> tuple[Tensor, float]:
    """Yun et al., *CutMix*, 2019: a square window of ``y``, cut off at the border; λ is corrected by its true area."""
    side = x_NCHW.shape[-1]
    half = int(side * (1 - lam) ** 0.5) // 2
    row, column = random.integers(side, size=2)
    rows = slice(max(0, row - half), row + half)
    columns = slice(max(0, column - half), column + half)
    x_NCHW = x_NCHW.clone()
    x_NCHW[:, :, rows, columns] = y_NCHW[:, :, rows, columns]
    area = x_NCHW[0, 0, rows, columns].numel()
    return x_NCHW, 1 - area / side**2
