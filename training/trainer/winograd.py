"""Convolutions of 3 × 3 and 5 × 5 in float32 with a fourth to an eighth of the multiplications, forwards and backwards.

A tile of m × m sums over r × r cells takes (m + r − 1)² multiplications in place of m² r², as tile and kernel become
products of values at m + r − 1 points (Winograd; Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*,
CVPR 2016). The gradient of the input is such a convolution, too, and that of the kernels is taken at the same points.
What a step of training saves by it, and how exact it is, stands in docs/experiments.md, 42.

Shapes: N pictures, H, W, G groups, C input and K output channels of a group, P tiles, T = m + r − 1 points a side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.trainer.conv2d import Conv2d, OtherConv2d

_POINTS = (0.0, 0.75, -0.75, 1.5, -1.5, 0.4, -0.4, 3.0)
"""Where the polynomials are evaluated, beside infinity; of 270 sets tried, none rounds less by a tenth."""
_LEAST_CHANNELS = 32
_LEAST_TILES = 128
"""Below these the transforms cost more than they save."""
_CACHED = 18e6
"""Bytes of transformed tiles that are worked on at a time, so that they stay in the processor's cache."""


class Winograd(OtherConv2d):
    """Within this context, convolutions in float32 on the CPU are computed with fewer multiplications, where it pays.

    All others, and those with a stride, a dilation, or padding that does not keep the size, are computed as ever.
    """

    def compute(self, convolution: Conv2d) -> Tensor | None:
        """The sums, where fewer multiplications pay."""
        x, w, bias, *_, groups = convolution
        return _Convolution.apply(x, w, bias, groups) if _pays(*convolution) else None


def _pays(x: Tensor, w: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> bool:
    r = w.shape[2]
    fits = x.ndim == 4 and x.shape[1] == w.shape[1] * groups
    plain = fits and stride == dilation == (1, 1) and padding == (r // 2, r // 2) and bias is not None
    channels = min(w.shape[0] // groups, w.shape[1])
    if not plain or w.shape[2:] not in ((3, 3), (5, 5)) or channels < _LEAST_CHANNELS:
        return False
    in_float32 = x.device.type == "cpu" and x.dtype == w.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return in_float32 and len(x) * _Tiling.of(r, x.shape[2], x.shape[3]).count >= _LEAST_TILES


class _Convolution(torch.autograd.Function):
    """(N, C, H, W) with kernels (K, C / groups, R, R) and biases (K,) → (N, K, H, W), channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, bias: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(x, w)
        ctx.groups = groups
        kernels = w.unflatten(0, (groups, -1)).permute(3, 4, 0, 2, 1)
        return _correlate(_channels_last(x), kernels).add_(bias).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, w = ctx.saved_tensors
        g = _channels_last(gradients[0])
        turned = w.flip(2, 3).unflatten(0, (ctx.groups, -1)).permute(3, 4, 0, 1, 2)
        kernels = _kernel_gradient(_channels_last(x), g, w.shape[2], ctx.groups)
        of_w = kernels.permute(2, 4, 3, 0, 1).flatten(0, 1)
        return _correlate(g, turned).permute(0, 3, 1, 2), of_w, g.sum((0, 1, 2)), None


def _channels_last(x_NCHW: Tensor) -> Tensor:
    return x_NCHW.permute(0, 2, 3, 1).contiguous()


def _correlate(x_NHWC: Tensor, kernels_RRGCK: Tensor) -> Tensor:
    """Sums (N, H, W, G × K) of (N, H, W, G × C), with zeros around the picture."""
    n, h, width, _ = x_NHWC.shape
    r, _, groups, c, k = kernels_RRGCK.shape
    tiling = _Tiling.of(r, h, width)
    points = tiling.transforms
    kernels = points.at_points(points.kernel, kernels_RRGCK).flatten(0, 2)
    out = x_NHWC.new_empty(n, h, width, groups * k)
    for part in tiling.parts(n, groups * (c + k)):
        tiles = points.at_points(points.tile, tiling.overlapping(x_NHWC[part], groups))
        products = torch.bmm(tiles.flatten(0, 2), kernels)
        sums = points.at_points(points.sums, products.view(*tiles.shape[:-1], k))
        out[part] = tiling.joined(sums, h, width)
    return out


def _kernel_gradient(x_NHWC: Tensor, g_NHWK: Tensor, r: int, groups: int) -> Tensor:
    """(R, R, G, C, K): how the loss changes with the kernels, for inputs and the gradient of their sums."""
    n, h, width, c = x_NHWC.shape
    k = g_NHWK.shape[3]
    tiling = _Tiling.of(r, h, width)
    points = tiling.transforms
    t = len(points.tile)
    at_points = x_NHWC.new_zeros(t * t * groups, c // groups, k // groups)
    for part in tiling.parts(n, c + k):
        tiles = points.at_points(points.tile, tiling.overlapping(x_NHWC[part], groups)).flatten(0, 2)
        gradients = points.at_points(points.sums.T, tiling.apart(g_NHWK[part], groups)).flatten(0, 2)
        at_points.baddbmm_(tiles.transpose(1, 2), gradients)
    return points.at_points(points.kernel.T, at_points.view(t, t, groups, c // groups, k // groups))


@dataclass(frozen=True)
class _Transforms:
    """The matrices of one m and r: sums = sums_mT · (kernel_TR · kernel * tile_TT · tile), for each axis."""

    tile: Tensor
    kernel: Tensor
    sums: Tensor

    @staticmethod
    def at_points(matrix: Tensor, cells: Tensor) -> Tensor:
        """(A, A, …) → (B, B, …) by a matrix (B, A) along both axes."""
        to, of = matrix.shape
        rows = torch.mm(matrix, cells.reshape(of, -1)).view(to, of, -1)
        return torch.matmul(matrix, rows).view(to, to, *cells.shape[2:])


@cache
def _transforms(m: int, r: int) -> _Transforms:
    """Toom's and Cook's polynomial product of m + r − 1 points, the last of them infinity, transposed."""
    points = np.array(_POINTS[: m + r - 2])
    differences = points[:, None] - points[None, :]
    np.fill_diagonal(differences, 1)
    at_infinity = np.eye(1, m, m - 1), np.eye(1, r, r - 1)
    sums = np.concatenate([points[:, None] ** np.arange(m), at_infinity[0]]).T
    kernel = np.concatenate([points[:, None] ** np.arange(r) / differences.prod(1)[:, None], at_infinity[1]])
    others = [np.poly(np.delete(points, one))[::-1] for one in range(len(points))]
    tile = np.zeros((m + r - 1, m + r - 1))
    tile[:-1, :-1] = others
    tile[-1] = np.poly(points)[::-1]
    return _Transforms(*(torch.from_numpy(np.ascontiguousarray(one, np.float32)) for one in (tile, kernel, sums)))


@dataclass(frozen=True)
class _Tiling:
    """How the cells of a layer are cut into tiles."""

    m: int
    """Sums a side of a tile."""
    r: int
    """Side of the kernels."""
    rows: int
    columns: int
    """Tiles below and beside each other."""

    @classmethod
    @cache
    def of(cls, r: int, h: int, width: int) -> _Tiling:
        """The tiling with the fewest multiplications."""
        tilings = [cls(m, r, -(-h // m), -(-width // m)) for m in range(2, len(_POINTS) + 3 - r)]
        return min(tilings, key=lambda one: one.count * (one.m + r - 1) ** 2)

    @property
    def count(self) -> int:
        """Tiles of a picture."""
        return self.rows * self.columns

    @property
    def transforms(self) -> _Transforms:
        return _transforms(self.m, self.r)

    def parts(self, n: int, channels: int) -> Iterator[slice]:
        """Pictures at a time, of which the tiles of so many channels stay in the cache."""
        step = max(1, int(_CACHED / (4 * channels * self.count * (self.m + self.r - 1) ** 2)))
        return (slice(start, start + step) for start in range(0, n, step))

    def overlapping(self, x_NHWC: Tensor, groups: int) -> Tensor:
        """Tiles (T, T, G, P, C) with the cells around them that their sums take in; zeros beyond the edges."""
        n, h, width, c = x_NHWC.shape
        t, before = self.m + self.r - 1, self.r // 2
        below, beside = self.rows * self.m + before - h, self.columns * self.m + before - width
        x = F.pad(x_NHWC, (0, 0, before, beside, before, below))
        of_picture, of_row, of_column, _ = x.stride()
        shape = (t, t, groups, n, self.rows, self.columns, c // groups)
        strides = (of_row, of_column, c // groups, of_picture, self.m * of_row, self.m * of_column, 1)
        return x.as_strided(shape, strides).reshape(t, t, groups, -1, c // groups)

    def apart(self, x_NHWC: Tensor, groups: int) -> Tensor:
        """Tiles (M, M, G, P, C) side by side; zeros beyond the edges."""
        n, h, width, c = x_NHWC.shape
        x = F.pad(x_NHWC, (0, 0, 0, self.columns * self.m - width, 0, self.rows * self.m - h))
        tiles = x.view(n, self.rows, self.m, self.columns, self.m, groups, -1)
        return tiles.permute(2, 4, 5, 0, 1, 3, 6).reshape(self.m, self.m, groups, -1, c // groups)

    def joined(self, tiles: Tensor, h: int, width: int) -> Tensor:
        """Tiles (M, M, G, P, C) → (N, H, W, G × C): :meth:`apart` undone."""
        cells = tiles.unflatten(3, (-1, self.rows, self.columns)).permute(3, 4, 0, 5, 1, 2, 6)
        whole: Tensor = cells.reshape(len(cells), self.rows * self.m, self.columns * self.m, -1)
        return whole[:, :h, :width]
