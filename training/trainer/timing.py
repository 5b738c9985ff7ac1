"""How long a step takes, from a few trial steps, so that a run can be made to fit a number of minutes."""

from __future__ import annotations

import time
from dataclasses import replace

from training.config import Stage
from training.trainer.plan import Plan
from training.trainer.state import build_state
from training.trainer.step import train_step
from training.trainer.teachers.distillation import Teachers

_TRIAL_STEPS = 3


def seconds_per_step(plan: Plan, teachers: Teachers | None = None) -> float:
    """Seconds that a step takes on average over the recipe's picture sizes; the trial network is then forgotten."""
    seconds = 0.0
    for stage in plan.recipe.stages:
        one_size = replace(plan.recipe, stages=(Stage(size=stage.size, share=1.0),))
        trial = replace(plan, recipe=one_size)
        state = build_state(trial)
        train_step(trial, state, teachers)  # the first is slower: it reserves memory, and may compile
        start = time.perf_counter()
        for _ in range(_TRIAL_STEPS):
            train_step(trial, state, teachers)
        seconds += stage.share * (time.perf_counter() - start) / _TRIAL_STEPS
    return seconds
