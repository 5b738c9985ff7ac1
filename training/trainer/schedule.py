"""How the learning rate goes: pure functions of the step, and of the validation scores so far. Section 5."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi

from training.config import Recipe

DROPS = 3
"""The rate is divided by 10 so often before training ends (section 5)."""
PROGRAM_DROPS, PROGRAM_EPOCHS = (25, 51), 91
"""Where the program of 2012 did it, of all its epochs."""


def rate(step: int, steps: int, recipe: Recipe, scores: Sequence[float] = ()) -> float:
    """Share of the peak rate at a step: a linear rise, then what the recipe's schedule says.

    ``scores`` are those of the evaluations so far, best highest; only ``plateau`` looks at them.
    """
    rising = round(recipe.warmup * steps)
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    if recipe.schedule == "plateau":
        return float(10.0 ** -min(DROPS, plateaus(scores, recipe.patience)))
    if recipe.schedule == "program":
        return float(10.0 ** -_dropped(step, steps))
    return 1 - done if recipe.schedule == "linear" else 0.5 * (1 + cos(pi * done))


def conv1_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Rate of conv1's kernels against the others': the program slowed them, then froze them.

    Which epochs is not in the logs that are public; here it is the two drops of the rate.
    """
    return (1.0, 0.1, 0.0)[_dropped(step, steps)] if recipe.schedule == "program" else 1.0


def over(recipe: Recipe, scores: Sequence[float]) -> bool:
    """Whether training ends before its last step: on the plateau after the third drop."""
    return recipe.schedule == "plateau" and plateaus(scores, recipe.patience) > DROPS


def plateaus(scores: Sequence[float], patience: int) -> int:
    """How often ``patience`` evaluations in a row brought nothing better than the best before them."""
    count, waited, best = 0, 0, float("-inf")
    for score in scores:
        if score > best:
            best, waited = score, 0
        else:
            waited += 1
        if waited == patience:
            count, waited = count + 1, 0
    return count


def _dropped(step: int, steps: int) -> int:
    return sum(step * PROGRAM_EPOCHS >= epoch * steps for epoch in PROGRAM_DROPS)
