"""Gradient ascent: the synthetic pictures that excite some units of a layer most, a batch of units at a time.

Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017: Fourier coefficients in decorrelated colours
(:mod:`training.evaluation.microscope.canvas`), shown to the unit at a place that changes with every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray

from training.evaluation.microscope.canvas import Canvas
from training.evaluation.microscope.cells import Cell

_SMALLEST = 1.0  # gradient, of a mean square of 1, that Adam takes for whole: smaller ones would make steps of noise


@dataclass(frozen=True, kw_only=True)
class Ascent:
    """How the synthetic pictures are made."""

    steps: int = 32
    """Steps of gradient ascent for a unit of a convolution; twice as many raise its value by a tenth."""
    label_steps: int = 20
    """Steps for a label, each of which takes the whole network."""
    rate: float = 0.3
    """Step size of Adam (Kingma and Ba, ICLR 2015) at the beginning; it falls to a tenth along a cosine."""
    jitter: float = 1 / 16
    """Largest move of the picture between two steps, as a share of its side; 0 where that is less than two pixels."""
    contrast: float = 2.0
    """Largest root of the mean square of a picture's logits: without it pictures go to black, white and pure colours,
    which raises the value of a kernel and shows nothing of its shape."""
    seed: int = 0
    """Seed of the first pictures and of the moves."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """The pictures of n units."""

    pixels: NDArray[np.uint8]
    """(n, S, S, 3), as they are stored."""
    values: NDArray[np.float32]
    """(n,) what each unit answers to its picture, as it is stored: its activation, or of a label the evidence."""


def ascend(cell: Cell, exact: Cell, units: Sequence[int], how: Ascent) -> Made:
    """Make a picture for each of some units; a function of its arguments alone, whatever ran before.

    ``cell`` computes the gradients, in whatever precision is quick; ``exact`` the values that are reported.
    """
    generator = torch.Generator().manual_seed(crc32(f"{how.seed} {cell.row.name} {list(units)}".encode()))
    side = _canvas_side(cell.side, how.jitter)
    canvas = Canvas(len(units), side, generator, how.contrast)
    steps = how.label_steps if cell.is_label else how.steps
    optimiser = torch.optim.Adam([canvas.coefficients], lr=how.rate, eps=_SMALLEST)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=how.rate / 10)
    rows, columns = torch.arange(len(units)), torch.tensor(list(units))
    for _ in range(steps):
        y, x = torch.randint(0, side - cell.side + 1, (2,), generator=generator).tolist()
        seen = canvas.pixels()[:, :, y : y + cell.side, x : x + cell.side]
        optimiser.zero_grad(set_to_none=True)
        loss: Any = -cell.values(seen)[rows, columns].sum()
        loss.backward()
        _normalise(canvas.coefficients)
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        edge = (side - cell.side) // 2
        pixels = canvas.pixels()[:, :, edge : edge + cell.side, edge : edge + cell.side].round()
        values = exact.active(exact.values(pixels))[rows, columns]
    return Made(pixels=pixels.to(torch.uint8).permute(0, 2, 3, 1).numpy(), values=values.numpy())


def _normalise(coefficients: torch.Tensor) -> None:
    """Give the gradient of each picture the mean square 1: a step is as long for a weak unit as for a strong one."""
    gradient = coefficients.grad
    assert gradient is not None
    spread = gradient.square().mean(tuple(range(1, gradient.ndim)), keepdim=True).sqrt()
    gradient.div_(spread.clamp(min=1e-12))


def _canvas_side(side: int, jitter: float) -> int:
    """Side of the whole picture, of which the unit sees a part: a multiple of 12, whose Fourier transform is quick."""
    room = round(side * jitter)
    return side if room < 2 else -(-(side + room) // 12) * 12
