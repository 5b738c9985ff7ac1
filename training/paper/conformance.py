"""The table of ``python -m training conformance``: the paper's text, the program of 2012 and this code, row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from training.config import Recipe
from training.recipes import paper, source_2012


@dataclass(frozen=True, kw_only=True)
class Row:
    """One topic. The cells about this code are read from its recipes, so that the table cannot contradict them."""

    topic: str
    text: str
    """What the paper says about it."""
    program: str
    """What the program of 2012 does."""
    ours: Callable[[Recipe], str]
    """What this code does under a recipe."""
    checked: str
    """The test that checks it, as pytest names it."""
    remark: str = ""


def table() -> list[tuple[str, ...]]:
    """The rows as texts: topic, paper, program, this code under ``paper`` and under ``source_2012``, and its test."""
    recipes = (paper(), source_2012())
    return [
        (row.topic, row.text, row.program, *(row.ours(recipe) for recipe in recipes), f"{row.checked}. {row.remark}")
        for row in ROWS
    ]


def _norm(recipe: Recipe) -> str:
    norm = recipe.architecture(1000, 227).lrn
    assert norm is not None
    return f"k={norm.k:g}, n={norm.size}, α={norm.alpha:g} of a plain sum, β={norm.beta:g}"


def _order(recipe: Recipe) -> str:
    return ", ".join(_step(layer.name, layer.activation) for layer in recipe.architecture(1000, 227).layers[:3])


def _step(name: str, activation: str | None) -> str:
    return f"{name} + {activation}" if activation else name


def _schedule(recipe: Recipe) -> str:
    if recipe.schedule == "plateau":
        plateau = f"{recipe.patience} evaluations without a better one"
        return f"{recipe.lr:g}, ÷10 after {plateau}, three times, then it ends; at most {recipe.epochs:g} epochs"
    return f"{recipe.lr:g}, ÷10 at 25 and 51 of {recipe.epochs:g} epochs; conv1 at a tenth from 25, frozen from 51"


def _biases(recipe: Recipe) -> str:
    return f"{recipe.bias_lr:g} × that of the weights, {'with' if recipe.decay_biases else 'no'} decay"


def _input(recipe: Recipe) -> str:
    group = f", one place for {recipe.crop_group} pictures" if recipe.crop_group > 1 else ""
    until = f" until epoch {recipe.colour_noise_until * recipe.epochs:.0f}" if recipe.colour_noise_until < 1 else ""
    noise = f"colour noise {recipe.colour_noise:g}{until}"
    return f"raw pixels less the set's mean, {recipe.crop} crops{group}, flips, {noise}"


_T = "tests/training/paper/test_conformance.py::"
ROWS = (
    Row(
        topic="layers",
        text="section 3.5; 60,965,224 parameters",
        program="the same",
        ours=lambda r: f"{r.architecture(1000, 227).parameters:,} parameters",
        checked="tests/model/test_architecture.py",
    ),
    Row(
        topic="local response normalisation",
        text="k=2, n=5, α=1e-4 of a plain sum, β=0.75",
        program="α divided by n",
        ours=_norm,
        checked="tests/model/test_alexnet.py",
    ),
    Row(
        topic="order in conv1",
        text="ReLU, LRN, pool",
        program="LRN, pool, ReLU",
        ours=_order,
        checked=_T + "test_the_order_of_the_first_layers",
    ),
    Row(
        topic="weights drawn from",
        text="N(0, 0.01)",
        program="0.03 in conv3 to conv5",
        ours=lambda r: {"paper": "N(0, 0.01)", "source_2012": "N(0, 0.01), 0.03 in conv3 to conv5"}[r.initialisation],
        checked="tests/model/test_alexnet.py",
    ),
    Row(
        topic="biases start at",
        text="1 in conv2, conv4, conv5, fc6, fc7; else 0",
        program="the same",
        ours=lambda _: "1 in conv2, conv4, conv5, fc6, fc7; else 0",
        checked="tests/model/test_alexnet.py",
    ),
    Row(
        topic="biases' learning rate",
        text="that of the weights",
        program="2 ×, no decay",
        ours=_biases,
        checked=_T + "test_biases_learn_at_their_own_rate",
    ),
    Row(
        topic="update",
        text="v ← 0.9 v − 0.0005 ε w − ε g; w ← w + v",
        program="the same",
        ours=lambda r: f"v ← {r.momentum:g} v − {r.weight_decay:g} ε w − ε g; w ← w + v",
        checked=_T + "test_the_update_rule_across_a_drop_of_the_rate",
    ),
    Row(
        topic="batch",
        text="128",
        program="128",
        ours=lambda r: str(r.batch_size),
        checked=_T + "test_the_presets_hold_the_papers_numbers",
    ),
    Row(
        topic="schedule",
        text="0.01, ÷10 when the validation error stops improving, three times, ~90 cycles",
        program="÷10 at 25 and 51, conv1 slowed, then frozen, stopped at 91",
        ours=_schedule,
        checked=_T + "test_the_rate_drops_on_plateaus, " + "test_the_programs_rate",
        remark="The epochs of conv1's slowing are not public: here they are the drops",
    ),
    Row(
        topic="dropout",
        text="0.5 in fc6 and fc7; × 0.5 at test",
        program="the same",
        ours=lambda r: f"{r.dropout:g} in fc6 and fc7; × {1 - r.dropout:g} at test" if r.dropout_at_test else "other",
        checked=_T + "test_dropout_halves_at_test_and_folds_away",
    ),
    Row(
        topic="input",
        text="256 short side, centre 256², minus mean, 224 crops, flips, PCA colour N(0, 0.1)",
        program="centred raw 0 to 255, colour noise off from 67, crop shared by 32 pictures",
        ours=_input,
        checked=_T + "test_translated_crops_are_cut_and_not_resampled, test_colour_noise_by_hand",
        remark="227 of 256 is their 224 with its padding; the mean is one for each channel",
    ),
    Row(
        topic="test",
        text="mean of softmax over 5 crops × flip",
        program="the same",
        ours=lambda _: "evaluate --views 10",
        checked=_T + "test_ten_views_are_five_crops_and_their_mirrors",
    ),
    Row(
        topic="seeds",
        text="not said",
        program="not said",
        ours=lambda r: f"{r.seed}; all chance is a function of seed and step",
        checked="tests/training/trainer/test_resume.py",
    ),
)
