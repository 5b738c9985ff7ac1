"""Augmentation (section 4.1), for a whole batch at once, on the device that trains.

The random numbers of a step are drawn for the whole batch, from the seed and the step alone, and each process takes
those of its own pictures: several processes see what one would see, and a resumed run what it would have seen.
N pictures, C channels, H height, W width, S side of a crop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from training.config import Recipe
from training.trainer.traces import Trace, draw_trace, leave_trace

_TRACE_GROUPS = 4  # of a set's pictures in a batch: those of a group share a way of being resampled
_TRANSLATED_SHARE = 227 / 256  # of each side of the picture that a translated crop keeps


@dataclass(frozen=True, kw_only=True)
class Colours:
    """The mean of the training set's pixels, and the axes along which their colours vary (section 4.1)."""

    mean: tuple[float, float, float]
    """Mean of red, green and blue, from 0 to 255."""
    values: tuple[float, float, float]
    """Eigenvalues of the covariance of pixels from 0 to 1."""
    vectors: tuple[tuple[float, float, float], ...]
    """The eigenvectors of that covariance, one a row."""


def colours_of(pictures_NHWC: Tensor) -> Colours:
    """Mean and principal axes of all pixels of uint8 pictures."""
    pixels = pictures_NHWC.reshape(-1, 3).double() / 255
    values, vectors = torch.linalg.eigh(torch.cov(pixels.T))
    return Colours(
        mean=_three_floats(255 * pixels.mean(0)),
        values=_three_floats(values),
        vectors=tuple(_three_floats(vector) for vector in vectors.T),
    )


def _three_floats(numbers: Tensor) -> tuple[float, float, float]:
    first, second, third = (round(float(n), 6) for n in numbers)
    return first, second, third


@dataclass(frozen=True, kw_only=True)
class Chance:
    """The random numbers of a batch."""

    uniform: Tensor
    """(6, N) from 0 to 1: area, stretch, flip, place across, place down, quality of compression."""
    normal: Tensor
    """(3, N) standard normal: the move along each axis of colour."""
    groups: Tensor
    """(N,) numbers of the traces that the pictures are given."""
    traces: tuple[Trace | None, ...]
    """What each group of pictures goes through before it is cropped."""

    def of(self, share: slice) -> Chance:
        """The random numbers of some of the pictures."""
        return replace(self, uniform=self.uniform[:, share], normal=self.normal[:, share], groups=self.groups[share])


def draw(count: int, recipe: Recipe, generator: torch.Generator) -> Chance:
    """Random numbers for ``count`` pictures; neighbours share their place where the recipe says so."""
    uniform = torch.rand(6, count, generator=generator)
    if recipe.crop_group > 1:
        first = torch.arange(count) // recipe.crop_group * recipe.crop_group
        uniform[3:5] = uniform[3:5, first]
    return Chance(
        uniform=uniform,
        normal=torch.randn(3, count, generator=generator),
        groups=torch.arange(count) * _TRACE_GROUPS // count,
        traces=tuple(draw_trace(recipe.traces, generator) for _ in range(_TRACE_GROUPS)),
    )


def augment(pictures_NHWC: Tensor, size: int, recipe: Recipe, chance: Chance) -> Tensor:
    """Random crops (N, 3, size, size) float32 of uint8 pictures, some mirrored; pixels stay from 0 to 255."""
    uniform = chance.uniform.to(pictures_NHWC.device)
    side = pictures_NHWC.shape[1]
    affine = _translated(uniform, side) if recipe.crop == "translated" else _resized(uniform, recipe)
    affine[:, 0, 0] *= torch.where(uniform[2] < 0.5, -1.0, 1.0)
    crops = []
    for group in chance.groups.unique().tolist():
        rows = (chance.groups == group).to(pictures_NHWC.device)
        x_NCHW = pictures_NHWC[rows].permute(0, 3, 1, 2).float()
        if (trace := chance.traces[group]) is not None:
            x_NCHW = leave_trace(x_NCHW, trace, uniform[5, rows])
        grid = F.affine_grid(affine[rows], [len(x_NCHW), 3, size, size], align_corners=False)
        crops.append(F.grid_sample(x_NCHW, grid, mode="bilinear", padding_mode="reflection", align_corners=False))
    return torch.cat(crops)


def add_colour_noise(x_NCHW: Tensor, colours: Colours, spread: float, chance: Chance) -> Tensor:
    """Move the colour of each picture, 0 to 255, along the axes of the training set's colours (section 4.1).

    The paper's eigenvalues are of pixels whose unit it does not name; in 0 to 1 the noise is of a size to be seen and
    no larger (about 5 of 255 along the first axis).
    """
    device = x_NCHW.device
    values = torch.tensor(colours.values, device=device)
    vectors = torch.tensor(colours.vectors, device=device)
    move_NC = (chance.normal.to(device).T * spread * values) @ vectors
    return x_NCHW + 255 * move_NC[:, :, None, None]


def _resized(uniform: Tensor, recipe: Recipe) -> Tensor:
    """A part of random area, shape and place, as (N, 2, 3) affine matrices."""
    area = recipe.min_area + (1 - recipe.min_area) * uniform[0]
    stretch = recipe.aspect ** (2 * uniform[1] - 1)
    width = (area * stretch).sqrt().clamp(max=1)
    height = (area / stretch).sqrt().clamp(max=1)
    return _box(width, height, (2 * uniform[3] - 1) * (1 - width), (2 * uniform[4] - 1) * (1 - height))


def _translated(uniform: Tensor, side: int) -> Tensor:
    """Whole pixels of the picture at a random place, so that a crop of 227 from 256 is cut and not resampled."""
    crop_side = round(side * _TRANSLATED_SHARE)
    corner = (uniform[3:5] * (side - crop_side + 1)).floor()
    across, down = (2 * corner + crop_side) / side - 1
    share = torch.full_like(across, crop_side / side)
    return _box(share, share, across, down)


def _box(width: Tensor, height: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Affine matrices (N, 2, 3) of boxes; sizes and centres are in the picture's coordinates from -1 to 1."""
    affine = torch.zeros(len(width), 2, 3, device=width.device)
    affine[:, 0, 0] = width
    affine[:, 0, 2] = across
    affine[:, 1, 1] = height
    affine[:, 1, 2] = down
    return affine
