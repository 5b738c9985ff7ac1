"""The exercises' answers, kept out of the notebook, and a sentence for whoever is not there yet.

The right answers are asked of the network's own code wherever it can be asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isclose, log
from typing import Any

import numpy as np

from model.architecture import Architecture, output_side
from notebooks.workbench import correlate, correlate2d, normalise, slope

PAPER = Architecture()


@dataclass(frozen=True)
class Exercise:
    """When an answer is right, what is said then, and what is said otherwise."""

    right: Callable[[Any], bool]
    yes: str
    hint: str


def check(name: str, answer: Any) -> None:
    """Say whether ``answer`` solves the exercise. Three dots are one that nobody has tried yet. Raises KeyError."""
    exercise = EXERCISES[name]
    if answer is ...:
        print("Not tried yet: put your answer in place of the three dots and run this cell again.")
        return
    try:
        right = bool(exercise.right(answer))
    except (TypeError, ValueError, IndexError, RuntimeError):
        print(f"That has another form than was asked for. {exercise.hint}")
        return
    print(f"Yes. {exercise.yes}" if right else f"Not yet. {exercise.hint}")


def is_number(value: float, within: float = 1e-9) -> Callable[[Any], bool]:
    """A test for one number."""
    return lambda answer: isclose(float(answer), value, rel_tol=within)


def _strokes(size: int = 9) -> dict[str, list[Any]]:
    """Black pictures with one white stroke each, by its direction."""
    made: dict[str, list[Any]] = {"falling": [], "rising": [], "vertical": [], "horizontal": []}
    for at in range(2, size - 2):
        vertical = np.zeros((size, size))
        vertical[:, at] = 1
        falling = np.eye(size, k=at - size // 2)
        made["vertical"].append(vertical)
        made["horizontal"].append(vertical.T)
        made["falling"].append(falling)
        made["rising"].append(falling[:, ::-1])
    return made


def _sees_falling(kernel: Any) -> bool:
    """Whether its strongest answer to any falling stroke beats those to all other strokes."""
    best = {name: [correlate2d(one, kernel).max() for one in many] for name, many in _strokes().items()}
    others = max(max(best[name]) for name in best if name != "falling")
    return bool(np.array(kernel).shape == (3, 3) and min(best["falling"]) > others + 1e-9)


def _looked_at_twice(side: int = 7, window: int = 3, stride: int = 2) -> int:
    """How many of side × side numbers lie in more than one window."""
    counts = np.zeros((side, side), int)
    for y in range(0, side - window + 1, stride):
        for x in range(0, side - window + 1, stride):
            counts[y : y + window, x : x + window] += 1
    return int((counts > 1).sum())


def _first_to_see_half() -> str:
    return next(row.name for row in PAPER.layers if row.receptive_field > PAPER.input_size / 2)


EXERCISES: dict[str, Exercise] = {
    "seeing": Exercise(
        is_number(3 * PAPER.input_size**2),
        "Three numbers for every pixel. Everything that follows happens to these.",
        "A square of 227 × 227 pixels, and each pixel is red, green and blue.",
    ),
    "convolution": Exercise(
        lambda w: len(w) == 2 and np.allclose(correlate([1, 3, 2], w), [2, -1]),
        "It subtracts each number from the next: it answers how much the input climbs.",
        "The first output is 3 − 1, the second 2 − 3. What does each weight do to its number?",
    ),
    "padding": Exercise(
        lambda p: int(p) == p and output_side(27, 5, 1, int(p)) == 27,
        "Half of what the kernel would lose on both sides together: (5 − 1) / 2.",
        "A kernel of 5 loses 4 places: 27 would become 23. How many zeros at each end bring them back?",
    ),
    "stride": Exercise(
        lambda side: int(side) == side and output_side(int(side), 11, 4) == 27,
        "115 to 118 all do: what is left over at the end is not looked at.",
        "Turn the formula round: (side − 11) / 4 + 1 has to come out as 27, rounded down.",
    ),
    "flip": Exercise(
        lambda w: len(w) == 3 and np.allclose(np.convolve([0, 0, 1, 3, 3, 1, 0], w, "valid"),
                                              correlate([0, 0, 1, 3, 3, 1, 0], [-1, 0, 1])),
        "Turned round. The same sum, read from the other end.",
        "A convolution turns its filter round first; so hand it one that is turned round already.",
    ),
    "kernel": Exercise(
        _sees_falling,
        "A kernel looks like what it is looking for.",
        "Three rows of three. Write large numbers where the stroke should be, and numbers below zero beside it.",
    ),
    "activation": Exercise(
        is_number(float(slope([0.0], "sigmoid")[0]) ** 5, within=0.02),
        "A thousandth of the message arrives, at best. That is why the slope of 1 matters.",
        "The sigmoid is steepest at 0; call slope([0.0], \"sigmoid\"), and multiply it by itself for five layers.",
    ),
    "lrn": Exercise(
        is_number(float(normalise([1.0] * 9)[4]), within=1e-3),
        "Almost all of it comes from k: at such small answers nobody quietens anybody.",
        "Five neighbours, each 1 squared: divide 1 by (2 + 0.0001 · 5) to the power of 0.75.",
    ),
    "pooling": Exercise(
        is_number(_looked_at_twice()),
        "With windows of 2 it would be none. That is what overlapping means.",
        "Windows start at rows 1, 3, 5 and are 3 high, so rows 3 and 5 lie in two of them; the same for columns.",
    ),
    "dropout": Exercise(
        is_number(2**6),
        "And 4,096 units make 2 to the power of 4,096 nets, which share their weights.",
        "Each of the six is there or is not: two choices, six times.",
    ),
    "sgd": Exercise(
        is_number(10, within=0.01),
        "1 / (1 − 0.9). Where the slope keeps its direction, momentum walks ten times as fast.",
        "When v no longer changes, v = 0.9 v − ε g. Solve for v and compare it with − ε g.",
    ),
    "layers": Exercise(
        is_number(Architecture(columns=1).layer("conv2").parameters),
        "Twice the weights, and 256 biases as before. Two columns were two graphics cards, and half the weights.",
        "256 kernels of 5 × 5 × 96 weights, and one bias for each kernel.",
    ),
    "training": Exercise(
        is_number(log(10), within=0.01),
        "The logarithm of the number of classes: where an untrained network starts.",
        "The loss of one picture is −log of the probability that its own class was given: here 1/10.",
    ),
    "learned": Exercise(
        lambda name: str(name).strip().lower() == _first_to_see_half(),
        "131 of 227 pixels. Anything larger in the photo can only be seen from there on.",
        "Print row.receptive_field for the rows of paper.layers and look for the first above 113.",
    ),
    "research": Exercise(
        lambda letter: str(letter).strip().lower() == "b",
        "Say what was run, on what, how often, and how far the runs differ; then stop.",
        "Which of the three claims no more than these runs have shown?",
    ),
}  # fmt: skip
