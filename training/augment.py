"""Augmentation, batched, on the device that trains."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.config import Recipe


def augment(pictures: Tensor, size: int, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """(N, H, W, 3) uint8 to random crops (N, 3, size, size) float32, pixels 0 to 255.

    Random resized crops with a stretched aspect and flips as one affine sampling; of pictures larger than 64 px a share
    is shrunk first.
    """
    x = pictures.permute(0, 3, 1, 2).float()
    count, side = len(x), x.shape[-1]
    if side > 64 and (shrunk := round(count * recipe.shrink)):
        to = int(torch.randint(56, min(side, 112) + 1, (), generator=generator))
        small = F.interpolate(x[:shrunk], size=(to, to), mode="bilinear", antialias=True)
        x[:shrunk] = F.interpolate(small, size=(side, side), mode="bilinear")
    random = torch.rand(5, count, generator=generator).to(x.device)
    area = recipe.min_area + (1 - recipe.min_area) * random[0]
    stretch = recipe.aspect ** (2 * random[1] - 1)
    width, height = (area * stretch).sqrt().clamp(max=1), (area / stretch).sqrt().clamp(max=1)
    affine = torch.zeros(count, 2, 3, device=x.device)
    affine[:, 0, 0] = width * torch.where(random[2] < 0.5, -1.0, 1.0)
    affine[:, 0, 2] = (2 * random[3] - 1) * (1 - width)
    affine[:, 1, 1] = height
    affine[:, 1, 2] = (2 * random[4] - 1) * (1 - height)
    grid = F.affine_grid(affine, [count, 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
