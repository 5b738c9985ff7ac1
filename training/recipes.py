"""The recipes, each a function whose docstring says what to expect of it."""

from __future__ import annotations

from collections.abc import Callable

from training.config import Recipe, Stage


def paper() -> Recipe:
    """The text of the paper, section by section; ``python -m training conformance`` lists it.

    ILSVRC-2010 has 1.2 million pictures: there it took five to six days on two GTX 580 and reached 39.0/18.3 % error
    on the centre crop, 37.5/17.0 % with ten views. Not run to its end by us.
    ``python -m training train --recipe paper --data imagenet/ --out runs/paper``
    """
    return Recipe(
        name="paper", lrn="text", batch_norm=False, dropout=0.5, dropout_at_test=True, initialisation="paper",
        epochs=90.0, batch_size=128, optimiser="paper", lr=0.01, momentum=0.9, weight_decay=5e-4, decay_biases=True,
        schedule="plateau", warmup=0.0,
        centred=True, crop="translated", shrink=0.0, colour_noise=0.1,
    )  # fmt: skip


def source_2012() -> Recipe:
    """The program that won ILSVRC-2012, as published in 2025, where it differs from the text. Not run to its end by us.

    ``python -m training train --recipe source_2012 --data imagenet/ --out runs/source_2012``
    """
    return Recipe(
        name="source_2012", lrn="program", batch_norm=False, dropout=0.5, dropout_at_test=True,
        initialisation="source_2012", epochs=91.0, batch_size=128, optimiser="paper", lr=0.01, bias_lr=2.0,
        momentum=0.9, weight_decay=5e-4, schedule="program", warmup=0.0,
        centred=True, crop="translated", crop_group=32, shrink=0.0, colour_noise=0.1, colour_noise_until=67 / 91,
    )  # fmt: skip


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


RECIPES: dict[str, Callable[[], Recipe]] = {recipe.__name__: recipe for recipe in (modern, paper, source_2012, smoke)}
