"""The learning rate over time: pure functions of the step, and of the validation scores so far. Section 5."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi

from training.config import Recipe

PLATEAU_DROPS = 3
"""How often the learning rate is divided by 10 before training ends (section 5)."""
CUDA_CONVNET_DROPS = (25, 51)
"""The epochs at which cuda-convnet, the program of 2012, divided the learning rate by 10."""
CUDA_CONVNET_EPOCHS = 91
"""The epochs that cuda-convnet trained for."""


def lr_factor(step: int, steps: int, recipe: Recipe, scores: Sequence[float] = ()) -> float:
    """The learning rate at a step as a share of its peak: a linear warm-up, then the recipe's schedule.

    ``scores`` are those of the evaluations so far, higher is better; only the ``plateau`` schedule reads them.
    """
    warmup_steps = round(recipe.warmup * steps)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    if recipe.schedule == "plateau":
        return float(10.0 ** -min(PLATEAU_DROPS, count_plateaus(scores, recipe.patience)))
    if recipe.schedule == "cuda_convnet":
        return float(10.0 ** -_drops_until(step, steps))
    return 1 - progress if recipe.schedule == "linear" else 0.5 * (1 + cos(pi * progress))


def conv1_lr_factor(step: int, steps: int, recipe: Recipe) -> float:
    """The learning rate of conv1's kernels as a share of the others': cuda-convnet slowed them, then froze them.

    At which epochs it did so is not in its published logs; here it is where the learning rate drops.
    """
    return (1.0, 0.1, 0.0)[_drops_until(step, steps)] if recipe.schedule == "cuda_convnet" else 1.0


def should_stop_early(recipe: Recipe, scores: Sequence[float]) -> bool:
    """Whether training ends before its last step: on the plateau that follows the third drop (section 5)."""
    return recipe.schedule == "plateau" and count_plateaus(scores, recipe.patience) > PLATEAU_DROPS


def count_plateaus(scores: Sequence[float], patience: int) -> int:
    """How often ``patience`` evaluations in a row scored no higher than the best one before them."""
    plateaus = 0
    waited = 0
    best = float("-inf")
    for score in scores:
        if score > best:
            best = score
            waited = 0
        else:
            waited += 1
        if waited == patience:
            plateaus += 1
            waited = 0
    return plateaus


def _drops_until(step: int, steps: int) -> int:
    return sum(step * CUDA_CONVNET_EPOCHS >= epoch * steps for epoch in CUDA_CONVNET_DROPS)
