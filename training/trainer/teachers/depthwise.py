"""Depthwise convolutions of 3 × 3 and 5 × 5 whose gradients the processor computes quickly in bfloat16.

oneDNN, which computes torch's convolutions on a CPU, has quick kernels for most of these gradients. Two are missing:
that of a kernel of 5 × 5, and that of the input at a stride above 1 (``findings/``). Both are put together here from
those that are quick: a step of EfficientNet-Lite0 takes two thirds of the time (docs/experiments.md, 29).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from training.trainer.conv2d import Conv2d, OtherConv2d


class QuickDepthwise(OtherConv2d):
    """Within this context, depthwise convolutions that autocast computes in bfloat16 on the CPU have quick gradients.

    All others, and those with a bias, a dilation or padding by name, are computed as ever.
    """

    def compute(self, convolution: Conv2d) -> Tensor | None:
        """Compute at stride 1, and drop the other rows and columns."""
        if not torch.is_autocast_enabled("cpu") or not _is_plain_depthwise(*convolution):
            return None
        x, w, _, stride, padding, *_ = convolution
        (rows, columns), (step, _) = _pair(padding), _pair(stride)
        x = F.pad(x, (columns, columns, rows, rows)) if rows or columns else x
        result: Tensor = _Depthwise.apply(x.bfloat16(), w.bfloat16())
        return result if step == 1 else result[:, :, ::step, ::step]


def _is_plain_depthwise(x: Tensor, w: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> bool:
    depthwise = groups == x.shape[1] == w.shape[0]
    quick = x.device.type == "cpu" and w.shape[2:] in ((3, 3), (5, 5))
    square = len(set(_pair(stride))) == 1 and _pair(dilation) == (1, 1)
    return depthwise and quick and square and bias is None and not isinstance(padding, str)


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution without padding: (N, C, H, W) with kernels (C, 1, K, K) → (N, C, H', W')."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return F.conv2d(x, w, groups=w.shape[0])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        x, w = ctx.saved_tensors
        return _gradients(gradients[0], x, w, (True, False))[0], _kernel_gradient(gradients[0], x, w)


def _kernel_gradient(g: Tensor, x: Tensor, w: Tensor) -> Tensor:
    """That of a kernel of 5 × 5 consists of those of four kernels of 3 × 3, one for each corner."""
    if w.shape[2] == 3:
        return _gradients(g, x, w, (False, True))[1]
    whole = torch.empty_like(w)
    rows, columns = (size + 2 for size in g.shape[2:])
    for i in (0, 2):
        for j in (0, 2):
            corner = x[:, :, i : i + rows, j : j + columns].contiguous(memory_format=torch.channels_last)
            whole[:, :, i : i + 3, j : j + 3] = _gradients(g, corner, w[:, :, :3, :3], (False, True))[1]
    return whole


def _gradients(g: Tensor, x: Tensor, w: Tensor, wanted: tuple[bool, bool]) -> tuple[Tensor, Tensor]:
    gradients = torch.ops.aten.convolution_backward(
        g, x, w, None, [1, 1], [0, 0], [1, 1], False, [0, 0], w.shape[0], [*wanted, False]
    )
    return gradients[0], gradients[1]


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
