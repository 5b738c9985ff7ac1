"""Quick gradients of depthwise convolutions equal those that torch computes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.trainer.teachers.depthwise import QuickDepthwise, _Depthwise


def gradients(x: Tensor, w: Tensor, stride: int, padding: int, *, quick: bool) -> list[Tensor]:
    """The output in bfloat16 with quick gradients, or in float32, and the gradients of input and kernels."""
    x, w = x.clone().requires_grad_(), w.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=quick), QuickDepthwise():
        y = F.conv2d(x, w, stride=stride, padding=padding, groups=len(w))
    made_by = y.grad_fn
    while "Slice" in type(made_by).__name__:
        (made_by, _), *_ = made_by.next_functions  # type: ignore[union-attr]
    assert ("_Depthwise" in type(made_by).__name__) is quick
    y.backward(torch.linspace(-1, 1, y.numel()).reshape(y.shape).to(y.dtype))
    assert x.grad is not None
    assert w.grad is not None
    return [y.float(), x.grad, w.grad]


@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
def test_they_are_those_of_torch(kernel: int, stride: int, padding: int) -> None:
    chance = torch.Generator().manual_seed(1)
    x = torch.randn(3, 16, 12, 9, generator=chance).contiguous(memory_format=torch.channels_last)
    w = torch.randn(16, 1, kernel, kernel, generator=chance)
    exact = gradients(x.bfloat16().float(), w.bfloat16().float(), stride, padding, quick=False)
    for wanted, got in zip(exact, gradients(x, w, stride, padding, quick=True), strict=True):
        assert got.shape == wanted.shape
        assert (got - wanted).abs().max() <= 0.02 * wanted.abs().max()  # four parts, each rounded to 8 bits


@pytest.mark.parametrize("case", ["bias", "dilation", "groups", "kernel", "float32"])
def test_all_others_are_computed_as_ever(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Depthwise, "apply", None)  # which would raise
    x, w = torch.randn(2, 8, 9, 9), torch.randn(8, 1, 3, 3)
    bias = torch.randn(8) if case == "bias" else None
    dilation = 2 if case == "dilation" else 1
    groups = 4 if case == "groups" else 8
    w = torch.randn(8, 2, 3, 3) if case == "groups" else torch.randn(8, 1, 7, 7) if case == "kernel" else w
    with torch.autocast("cpu", torch.bfloat16, enabled=case != "float32"), QuickDepthwise():
        assert F.conv2d(x, w, bias, dilation=dilation, groups=groups).shape[:2] == (2, 8)
