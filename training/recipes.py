"""The recipes, each a function whose docstring says what to expect of it."""

from __future__ import annotations

from collections.abc import Callable

from training.config import Recipe, Stage


def modern() -> Recipe:
    """The shipped network on two CPU cores: Muon and AdamW, batch norm, pictures growing from 99 to 227 px.

    About 100 minutes on two cores of a 2023 server. The largest size gets a fifth of the steps:
    with a twentieth, at a rate of nearly 0, it could not learn what it saw (docs/experiments.md, 2).
    ``python -m training train --recipe modern --data …/objects --data …/scenes --data …/captions --out runs/first``
    """
    return Recipe(
        name="modern", optimiser="muon", lr=1e-3, muon_lr=0.03, weight_decay=0.05,
        epochs=9.0,
        stages=(Stage(size=99, share=0.6), Stage(size=131, share=0.22), Stage(size=227, share=0.18)),
    )  # fmt: skip


def smoke() -> Recipe:
    """Seconds, for tests: one small size, no claim to learn anything."""
    return Recipe(name="smoke", epochs=1.0, batch_size=8, lr=0.01, stages=(Stage(size=67, share=1.0),), precision="f32")


RECIPES: dict[str, Callable[[], Recipe]] = {"modern": modern, "smoke": smoke}
