"""What ``ablate`` can test: sentences of the paper, and the switches of the modern recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from training.config import Recipe, Stage
from training.paper.ablation import Result
from training.recipes import modern


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence, the change that tests it, and the figure that is compared."""

    said: str
    paper: str = ""
    """What the paper found."""
    measure: str = "top-1 points"
    even: float = 0.0
    """The gain where it makes no difference."""
    with_it: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe on the side that the sentence is about."""
    without: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe on the other side."""
    gain: Callable[[Result, Result], float] = lambda ours, other: other.error - ours.error
    """(with, without) -> how much better it is with; below 0 where it is worse."""

    def sides(self, base: Recipe) -> tuple[Recipe, Recipe]:
        """With it, and without."""
        return replace(base, **self.with_it), replace(base, **self.without)


def _sooner(ours: Result, other: Result) -> float:
    """How many times sooner the loss of one is where the other's ends; below 1 where the other is the faster one."""
    smooth = [np.convolve(r.losses, np.ones(9) / 9, "valid") for r in (ours, other)]
    if smooth[0].min() > smooth[1].min():
        return 1 / _sooner(other, ours)
    there = np.flatnonzero(smooth[0] <= smooth[1].min())
    return len(smooth[1]) / (int(there[0]) + 1)


def _gap(result: Result) -> float:
    return result.error - result.training_error


CLAIMS: dict[str, Claim] = {
    "relu": Claim(
        said="ReLUs learn faster than tanh (Fig. 1)", paper="6 ×", measure="steps to the loss where tanh ends, ×",
        even=1.0, without={"activation": "tanh"}, gain=_sooner,
    ),
    "lrn": Claim(said="local response normalisation helps (§3.3)", paper="1.4", without={"lrn": "none"}),
    "overlap": Claim(said="overlapping pooling helps (§3.4)", paper="0.4", without={"overlapping_pooling": False}),
    "columns": Claim(
        said="two columns beat one (§3.2; their one had half the kernels, ours has all)", paper="1.7",
        without={"columns": 1},
    ),
    "colour": Claim(said="PCA colour noise helps (§4.1)", paper="over 1", with_it={"colour_noise": 0.1}),
    "views": Claim(
        said="ten views beat the centre (§4.1)", paper="1.5",
        gain=lambda ours, _: ours.error - ours.ten_view_error,
    ),
    "dropout": Claim(
        said="dropout prevents overfitting (§4.2)", paper="substantial", measure="points less gap to training error",
        with_it={"dropout": 0.5}, gain=lambda ours, other: _gap(other) - _gap(ours),
    ),
    "decay": Claim(
        said="weight decay lowers the training error, too (§5)", paper="yes", measure="training top-1 points",
        without={"weight_decay": 0.0}, gain=lambda ours, other: other.training_error - ours.training_error,
    ),
    "depth": Claim(
        said="removing a middle layer costs (§7; here conv4)", paper="about 2", without={"without": "conv4"},
    ),
}  # fmt: skip

SWITCHES: dict[str, Claim] = {
    "muon": Claim(
        said="Muon for conv2 to conv5, beside AdamW",
        without={"optimiser": "sgd", "lr": 0.05, "weight_decay": 5e-4},
    ),
    "batch-norm": Claim(said="batch norm before each ReLU", without={"batch_norm": False}),
    "linear": Claim(said="the rate falls as a line, not as a cosine", with_it={"schedule": "linear"}),
    "one-cycle": Claim(said="a rise over 30 % of the steps (one-cycle)", with_it={"warmup": 0.3}),
    "smoothing": Claim(said="label smoothing 0.1", with_it={"label_smoothing": 0.1}),
    "mixup": Claim(said="mixup, α 0.2", with_it={"mixup": 0.2}),
    "cutmix": Claim(said="CutMix, α 1", with_it={"cutmix": 1.0}),
    "dropout": Claim(said="dropout 0.25", with_it={"dropout": 0.25}),
    "ema": Claim(said="averaged weights, decay 0.99", with_it={"ema": 0.99}),
    "resized": Claim(said="resized crops of 0.4 to 1 of the area, not translated", without={"crop": "translated"}),
    "decay": Claim(said="no decay on biases and norms", without={"decay_biases": True}),
    "colour": Claim(said="PCA colour noise 0.1", with_it={"colour_noise": 0.1}),
    "growing": Claim(
        said="three quarters of the steps at 67 px, then 99, not all at 99",
        with_it={"stages": (Stage(size=67, share=0.75), Stage(size=99, share=0.25))},
        without={"stages": (Stage(size=99, share=1.0),)},
    ),
}  # fmt: skip


def paper_base(size: int, batch_size: int) -> Recipe:
    """What the pairs of a claim share: the paper's layers with LRN, started so that a short run learns something."""
    return Recipe(
        name="ablation", lrn="text", batch_norm=False, optimiser="sgd", lr=0.01, batch_size=batch_size,
        stages=(Stage(size=size, share=1.0),), min_area=0.6, shrink=0.0, precision="f32",
    )  # fmt: skip


def modern_base(size: int, batch_size: int) -> Recipe:
    """What the pairs of a switch share: the modern recipe at one size, without what is in question."""
    return replace(
        modern(), name="ablation", stages=(Stage(size=size, share=1.0),), batch_size=batch_size, shrink=0.0,
        precision="f32", lr=1e-3, muon_lr=0.03, weight_decay=0.05, conv1_decay=0.0, schedule="cosine", warmup=0.05,
        dropout=0.0,
    )  # fmt: skip
