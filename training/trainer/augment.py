"""Augmentation, batched, on the device that trains.

All chance of a step is drawn for the whole batch at once, from the seed and the step alone, and each process then takes
its own pictures' part: so many processes see what one would see, and a resumed run goes on as if it had not stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from training.config import Recipe

_KEPT = 227 / 256  # of each side, in a translated crop


@dataclass(frozen=True, kw_only=True)
class Colours:
    """Of the training set's pixels, 0 to 255: their mean, and the axes along which they vary (section 4.1)."""

    mean: tuple[float, float, float]
    values: tuple[float, float, float]
    """Eigenvalues of the covariance of pixels from 0 to 1."""
    vectors: tuple[tuple[float, float, float], ...]
    """A row for each eigenvector."""


def colours_of(pictures: Tensor) -> Colours:
    """Measured on (N, H, W, 3) uint8 pictures."""
    pixels = pictures.reshape(-1, 3).double() / 255
    values, vectors = torch.linalg.eigh(torch.cov(pixels.T))
    return Colours(
        mean=_three(255 * pixels.mean(0)), values=_three(values), vectors=tuple(_three(row) for row in vectors.T)
    )


def _three(numbers: Tensor) -> tuple[float, float, float]:
    first, second, third = (round(float(n), 6) for n in numbers)
    return first, second, third


@dataclass(frozen=True, kw_only=True)
class Chance:
    """What was drawn for each picture of a batch."""

    uniform: Tensor
    """(6, N): area, stretch, flip, place across, place down, shrink."""
    normal: Tensor
    """(3, N): along each axis of colour."""
    shrink_to: int

    def of(self, slots: slice) -> Chance:
        """The part of some pictures."""
        return Chance(uniform=self.uniform[:, slots], normal=self.normal[:, slots], shrink_to=self.shrink_to)


def draw(count: int, recipe: Recipe, generator: torch.Generator) -> Chance:
    """The chance of ``count`` pictures."""
    uniform = torch.rand(6, count, generator=generator)
    if recipe.crop_group > 1:
        first = torch.arange(count) // recipe.crop_group * recipe.crop_group
        uniform[3:5] = uniform[3:5, first]
    return Chance(
        uniform=uniform,
        normal=torch.randn(3, count, generator=generator),
        shrink_to=int(torch.randint(56, 113, (), generator=generator)),
    )


def augment(pictures: Tensor, size: int, recipe: Recipe, chance: Chance) -> Tensor:
    """(N, H, W, 3) uint8 to random crops (N, 3, size, size) float32, pixels 0 to 255."""
    x = pictures.permute(0, 3, 1, 2).float()
    side, uniform = x.shape[-1], chance.uniform.to(x.device)
    if side > 64 and bool((chosen := uniform[5] < recipe.shrink).any()):
        x[chosen] = _shrunk(x[chosen], min(side, chance.shrink_to))
    affine = _translated(uniform, side) if recipe.crop == "translated" else _resized(uniform, recipe)
    affine[:, 0, 0] *= torch.where(uniform[2] < 0.5, -1.0, 1.0)
    grid = F.affine_grid(affine, [len(x), 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def add_colour_noise(x: Tensor, colours: Colours, spread: float, chance: Chance) -> Tensor:
    """Each picture (N, 3, S, S), 0 to 255, moved along the axes of colour (section 4.1).

    The paper's eigenvalues are of pixels whose unit it does not name; in 0 to 1 the noise is of a size to be seen and
    no larger (about 5 of 255 along the first axis).
    """
    values, vectors = torch.tensor(colours.values, device=x.device), torch.tensor(colours.vectors, device=x.device)
    move = (chance.normal.to(x.device).T * spread * values) @ vectors
    return x + 255 * move[:, :, None, None]


def _shrunk(x: Tensor, to: int) -> Tensor:
    small = F.interpolate(x, size=(to, to), mode="bilinear", antialias=True)
    return F.interpolate(small, size=x.shape[-2:], mode="bilinear")


def _resized(uniform: Tensor, recipe: Recipe) -> Tensor:
    area = recipe.min_area + (1 - recipe.min_area) * uniform[0]
    stretch = recipe.aspect ** (2 * uniform[1] - 1)
    width, height = (area * stretch).sqrt().clamp(max=1), (area / stretch).sqrt().clamp(max=1)
    return _box(width, height, (2 * uniform[3] - 1) * (1 - width), (2 * uniform[4] - 1) * (1 - height))


def _translated(uniform: Tensor, side: int) -> Tensor:
    """Whole pixels of the picture, so that a crop of 227 from 256 is cut and not resampled."""
    kept = round(side * _KEPT)
    corner = (uniform[3:5] * (side - kept + 1)).floor()
    across, down = (2 * corner + kept) / side - 1
    share = torch.full_like(across, kept / side)
    return _box(share, share, across, down)


def _box(width: Tensor, height: Tensor, across: Tensor, down: Tensor) -> Tensor:
    affine = torch.zeros(len(width), 2, 3, device=width.device)
    affine[:, 0, 0], affine[:, 0, 2] = width, across
    affine[:, 1, 1], affine[:, 1, 2] = height, down
    return affine
