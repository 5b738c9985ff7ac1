"""What stripes the units of the first layers are tuned to: orientation, spatial frequency, colour; from gratings.

As with electrodes in visual cortex (De Valois, Albrecht, Thorell, Vision Research 1982): sine gratings of all
orientations, periods, phases and three directions of colour are shown, and the strongest answer counts. U units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.evaluation.microscope.cells import Cell

COLOURS = {"grey": (1.0, 1.0, 1.0), "red-green": (1.0, -1.0, 0.0), "blue-yellow": (-0.5, -0.5, 1.0)}
"""Directions in which the colour of the stripes moves from grey; all are made equally long."""
ANGLES = tuple(range(0, 180, 15))
"""Orientation of the stripes in degrees: 0 is horizontal, 90 vertical, 45 rises to the right."""
_PHASES = 8
_AMPLITUDE = 100.0  # length of the move from mid-grey, of 255 in one channel
_PERIODS = (3, 4, 6, 8, 11, 16, 22, 32, 45)  # pixels; up to the side of the picture, and then none: an even colour


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What one unit is tuned to."""

    colour: str
    """The direction of :data:`COLOURS` to which it answers most."""
    colour_share: float
    """Its best answer to colour, of that and its best to grey together: 0 for light alone, 1 for colour alone."""
    period: int
    """Pixels from stripe to stripe; 0 where an even patch excites it more than any stripes."""
    angle: int
    """Orientation of the best stripes, in degrees."""
    selectivity: float
    """How sharply it tells orientations apart: 0 for alike, 1 for one alone (length of the mean answer on the circle of
    doubled angles)."""

    def to_json(self) -> dict[str, Any]:
        """The fields, with shares rounded to two digits."""
        return {
            "colour": self.colour,
            "colour_share": round(self.colour_share, 2),
            "period": self.period,
            "angle": self.angle,
            "selectivity": round(self.selectivity, 2),
        }


def tune(cell: Cell) -> list[Tuning | None]:
    """The tuning of every unit of a convolution; None for one that answers to no grating. ``cell`` is in float32."""
    periods = [period for period in _PERIODS if period <= 2 * cell.side]
    shape = (len(COLOURS), len(periods) + 1, len(ANGLES))
    answers = np.empty((*shape, cell.channels), np.float32)
    for i, colour in enumerate(COLOURS.values()):
        for j, period in enumerate((*periods, 0)):
            for k, angle in enumerate(ANGLES):
                with torch.no_grad():
                    values = cell.active(cell.values(gratings(cell.side, colour, period, angle)))
                answers[i, j, k] = values.amax(0).numpy()
    answers = answers.clip(0)  # below 0 only where the activation is no ReLU
    return [_tuning(answers[..., unit], (*periods, 0)) for unit in range(cell.channels)]


def _tuning(answers: NDArray[np.float32], periods: tuple[int, ...]) -> Tuning | None:
    if answers.max() <= 0:
        return None
    colour, period, angle = np.unravel_index(answers.argmax(), answers.shape)
    best = answers.max((1, 2))
    around = answers[colour, period]
    turns = np.exp(2j * np.deg2rad(np.array(ANGLES)))
    grey, coloured = float(best[0]), float(best[1:].max())
    return Tuning(
        colour=tuple(COLOURS)[int(colour)],
        colour_share=coloured / (grey + coloured),
        period=periods[int(period)],
        angle=ANGLES[int(angle)],
        selectivity=float(abs((around * turns).sum()) / around.sum()),
    )


def gratings(side: int, colour: tuple[float, float, float], period: int, angle: int) -> Tensor:
    """(8, 3, S, S) sine gratings in eight phases, from 0 to 255 around mid-grey; for period 0 even colours."""
    direction = torch.tensor(colour) / torch.tensor(colour).norm()
    at = torch.arange(side) - (side - 1) / 2
    radians = torch.deg2rad(torch.tensor(float(angle)))
    across = at[None] * radians.sin() + at[:, None] * radians.cos()  # rises across the stripes
    phases = torch.arange(_PHASES) * 2 * torch.pi / _PHASES
    turns = 2 * torch.pi * across / period if period else torch.zeros(side, side)
    waves = torch.sin(turns[None] + phases[:, None, None])
    pictures: Tensor = 127.5 + _AMPLITUDE * waves[:, None] * direction[None, :, None, None]
    return pictures
