"""Depthwise convolutions of 3 × 3 and 5 × 5 whose gradients the processor computes quickly in bfloat16.

oneDNN, which computes torch's convolutions on a CPU, has quick kernels for most of these gradients. Two are missing:
that of a kernel of 5 × 5, and that of the input at a stride above 1 (``findings/``). Both are put together here from
those that are quick: a step of EfficientNet-Lite0 takes two thirds of the time (docs/experiments.md, 29).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class QuickDepthwise(TorchFunctionMode):
    """Within this context, depthwise convolutions that autocast computes in bfloat16 on the CPU have quick gradients.

    All others, and those with a bias, a dilation or padding by name, are computed as ever.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is F.conv2d and torch.is_autocast_enabled("cpu"):
            convolution = _Convolution(*args, **(kwargs or {}))
            if convolution.is_plain_depthwise():
                return convolution.compute()
        return func(*args, **(kwargs or {}))


class _Convolution(NamedTuple):
    """The arguments of ``F.conv2d``."""

    input: Tensor
    weight: Tensor
    bias: Tensor | None = None
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1

    def is_plain_depthwise(self) -> bool:
        depthwise = self.groups == self.input.shape[1] == self.weight.shape[0]
        quick = self.input.device.type == "cpu" and self.weight.shape[2:] in ((3, 3), (5, 5))
        square = len(set(_pair(self.stride))) == 1 and _pair(self.dilation) == (1, 1)
        return depthwise and quick and square and self.bias is None and not isinstance(self.padding, str)

    def compute(self) -> Tensor:
        """Compute at stride 1, and drop the other rows and columns."""
        (rows, columns), (stride, _) = _pair(self.padding), _pair(self.stride)
        x = F.pad(self.input, (columns, columns, rows, rows)) if rows or columns else self.input
        result: Tensor = _Depthwise.apply(x.bfloat16(), self.weight.bfloat16())
        return result if stride == 1 else result[:, :, ::stride, ::stride]


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
