"""The recipes, each a function whose docstring says what to expect of it."""

from __future__ import annotations

from collections.abc import Callable

from training.config import Recipe, Stage


def modern() -> Recipe:
    """The shipped network on two CPU cores: Muon and AdamW, batch norm, pictures growing from 99 to 227 px.

    About an hour on two cores of a 2023 server; measured results are in docs/experiments.md.
    ``python -m training train --recipe modern --data …/objects --data …/scenes --data …/captions --out runs/first``
    """
    return Recipe(
        name="modern", optimiser="muon", lr=1e-3, muon_lr=0.03, weight_decay=0.05,
        stages=(Stage(size=99, share=0.75), Stage(size=131, share=0.2), Stage(size=227, share=0.05)),
    )  # fmt: skip


def smoke() -> Recipe:
    """Seconds, for tests: one small size, no claim to learn anything."""
    return Recipe(name="smoke", epochs=1.0, batch_size=8, lr=0.01, stages=(Stage(size=67, share=1.0),), precision="f32")


RECIPES: dict[str, Callable[[], Recipe]] = {"modern": modern, "smoke": smoke}
