"""The hypotheses that ``ablate`` can test: claims of the paper, and the switches of the modern recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from training.config import Recipe, Stage
from training.paper.ablation import Result
from training.recipes import modern


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A hypothesis: its statement, the change of the recipe that tests it, and the figure that is compared."""

    statement: str
    paper: str = ""
    """The paper's own finding; empty where it says nothing of it."""
    measure: str = "top-1 points"
    """The unit of the gain."""
    even: float = 0.0
    """The gain where the change makes no difference."""
    with_it: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe on the side that the statement is about."""
    without: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe on the other side."""
    gain: Callable[[Result, Result], float] = lambda ours, other: other.error - ours.error
    """(with, without) -> how much better the first is; below ``even`` where it is worse."""

    def sides(self, base: Recipe) -> tuple[Recipe, Recipe]:
        """The recipe with the change, and without it."""
        return replace(base, **self.with_it), replace(base, **self.without)


def _sooner(ours: Result, other: Result) -> float:
    """How many times sooner our loss is where the other's ends; below 1 where the other network learns faster."""
    our_loss, other_loss = (np.convolve(result.losses, np.ones(9) / 9, "valid") for result in (ours, other))
    if our_loss.min() > other_loss.min():
        return 1 / _sooner(other, ours)
    reached = np.flatnonzero(our_loss <= other_loss.min())
    return len(other_loss) / (int(reached[0]) + 1)


def _gap(result: Result) -> float:
    return result.error - result.training_error


HYPOTHESES: dict[str, Hypothesis] = {
    "relu": Hypothesis(
        statement="ReLUs learn faster than tanh (Fig. 1)",
        paper="6 ×",
        measure="steps to the loss where tanh ends, ×",
        even=1.0,
        without={"activation": "tanh"},
        gain=_sooner,
    ),
    "lrn": Hypothesis(statement="local response normalisation helps (§3.3)", paper="1.4", without={"lrn": "none"}),
    "overlap": Hypothesis(
        statement="overlapping pooling helps (§3.4)", paper="0.4", without={"overlapping_pooling": False}
    ),
    "columns": Hypothesis(
        statement="two columns beat one (§3.2; their one had half the kernels, ours has all)",
        paper="1.7",
        without={"columns": 1},
    ),
    "colour": Hypothesis(statement="PCA colour noise helps (§4.1)", paper="over 1", with_it={"colour_noise": 0.1}),
    "views": Hypothesis(
        statement="ten views beat the centre (§4.1)",
        paper="1.5",
        gain=lambda ours, _: ours.error - ours.ten_view_error,
    ),
    "dropout": Hypothesis(
        statement="dropout prevents overfitting (§4.2)",
        paper="substantial",
        measure="points less gap to training error",
        with_it={"dropout": 0.5},
        gain=lambda ours, other: _gap(other) - _gap(ours),
    ),
    "decay": Hypothesis(
        statement="weight decay lowers the training error, too (§5)",
        paper="yes",
        measure="training top-1 points",
        without={"weight_decay": 0.0},
        gain=lambda ours, other: other.training_error - ours.training_error,
    ),
    "depth": Hypothesis(
        statement="removing a middle layer costs (§7; here conv4)",
        paper="about 2",
        without={"without": "conv4"},
    ),
}

SWITCHES: dict[str, Hypothesis] = {
    "muon": Hypothesis(
        statement="Muon for conv2 to conv5, beside AdamW",
        without={"optimiser": "sgd", "lr": 0.05, "weight_decay": 5e-4},
    ),
    "batch-norm": Hypothesis(statement="batch norm before each ReLU", without={"batch_norm": False}),
    "linear": Hypothesis(statement="the rate falls as a line, not as a cosine", with_it={"schedule": "linear"}),
    "one-cycle": Hypothesis(statement="a rise over 30 % of the steps (one-cycle)", with_it={"warmup": 0.3}),
    "smoothing": Hypothesis(statement="label smoothing 0.1", with_it={"label_smoothing": 0.1}),
    "mixup": Hypothesis(statement="mixup, α 0.2", with_it={"mixup": 0.2}),
    "cutmix": Hypothesis(statement="CutMix, α 1", with_it={"cutmix": 1.0}),
    "dropout": Hypothesis(statement="dropout 0.25", with_it={"dropout": 0.25}),
    "ema": Hypothesis(statement="averaged weights, decay 0.99", with_it={"ema": 0.99}),
    "resized": Hypothesis(
        statement="resized crops of 0.4 to 1 of the area, not translated", without={"crop": "translated"}
    ),
    "decay": Hypothesis(statement="no decay on biases and norms", without={"decay_biases": True}),
    "colour": Hypothesis(statement="PCA colour noise 0.1", with_it={"colour_noise": 0.1}),
    "traces": Hypothesis(statement="traces of resampling and compression on 85 %", with_it={"traces": 0.85}),
    "growing": Hypothesis(
        statement="three quarters of the steps at 67 px, then 99, not all at 99",
        with_it={"stages": (Stage(size=67, share=0.75), Stage(size=99, share=0.25))},
        without={"stages": (Stage(size=99, share=1.0),)},
    ),
}


def paper_base(size: int, batch_size: int) -> Recipe:
    """The recipe that the pairs of a claim share: the paper's layers with LRN, started so that a short run learns."""
    return Recipe(
        name="ablation",
        lrn="text",
        batch_norm=False,
        optimiser="sgd",
        lr=0.01,
        batch_size=batch_size,
        stages=(Stage(size=size, share=1.0),),
        min_area=0.6,
        traces=0.0,
        precision="f32",
    )


def modern_base(size: int, batch_size: int) -> Recipe:
    """The recipe that the pairs of a switch share: the modern one at one picture size, without what is in question."""
    return replace(
        modern(),
        name="ablation",
        stages=(Stage(size=size, share=1.0),),
        batch_size=batch_size,
        traces=0.0,
        precision="f32",
        lr=1e-3,
        muon_lr=0.03,
        weight_decay=0.05,
        conv1_decay=0.0,
        schedule="cosine",
        warmup=0.05,
        dropout=0.0,
    )
