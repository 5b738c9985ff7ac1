"""Convolutions of fewer multiplications equal those that torch computes, and so do their gradients."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.training.trainer.small_plan import small_plan
from training.recipes import smoke
from training.trainer import winograd
from training.trainer.batch import load_batch
from training.trainer.state import build_state
from training.trainer.step import forward
from training.trainer.winograd import Winograd, _Convolution, _Tiling


def results(x: Tensor, w: Tensor, bias: Tensor, groups: int, *, quick: bool) -> list[Tensor]:
    """The sums, and the gradients of input, kernels and biases."""
    x, w, bias = (one.clone().requires_grad_() for one in (x, w, bias))
    with Winograd() if quick else nullcontext():
        y = F.conv2d(x, w, bias, (1, 1), (w.shape[2] // 2, w.shape[2] // 2), (1, 1), groups)
    assert ("_Convolution" in type(y.grad_fn).__name__) is quick
    y.backward(torch.randn(y.shape, generator=torch.Generator().manual_seed(2)))
    return [y, *(one.grad for one in (x, w, bias) if one.grad is not None)]


@pytest.mark.parametrize(
    ("kernel", "rows", "columns", "pictures"),
    [(5, 27, 27, 4), (3, 13, 13, 40), (3, 9, 9, 40), (3, 7, 7, 130), (3, 5, 5, 130), (5, 15, 11, 20), (3, 2, 17, 70)],
)
@pytest.mark.parametrize("groups", [1, 2])
def test_they_are_those_of_torch(kernel: int, rows: int, columns: int, pictures: int, groups: int) -> None:
    chance = torch.Generator().manual_seed(1)
    x = torch.randn(pictures, 64 * groups, rows, columns, generator=chance)
    x = x.contiguous(memory_format=torch.channels_last)
    w, bias = torch.randn(160, 64, kernel, kernel, generator=chance), torch.randn(160, generator=chance)
    exact = results(x, w, bias, groups, quick=False)
    for wanted, got in zip(exact, results(x, w, bias, groups, quick=True), strict=True):
        assert got.shape == wanted.shape
        assert (got - wanted).norm() <= 3e-5 * wanted.norm()
    assert results(x, w, bias, groups, quick=True)[0].is_contiguous(memory_format=torch.channels_last)


def test_pictures_are_taken_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = torch.Generator().manual_seed(1)
    x, w = torch.randn(19, 64, 13, 13, generator=chance), torch.randn(64, 32, 3, 3, generator=chance)
    whole = results(x.repeat(2, 1, 1, 1), w, torch.zeros(64), 2, quick=False)
    monkeypatch.setattr(winograd, "_CACHED", 4 * 128 * 4 * 9**2 * 5)  # five pictures, of 38
    assert [part.stop for part in _Tiling.of(3, 13, 13).parts(38, 128)] == [*range(5, 40, 5), 40]
    for wanted, got in zip(whole, results(x.repeat(2, 1, 1, 1), w, torch.zeros(64), 2, quick=True), strict=True):
        assert (got - wanted).norm() <= 5e-5 * wanted.norm()


def test_tiles_take_the_fewest_multiplications() -> None:
    sides = {side: _Tiling.of(3, side, side) for side in (5, 7, 9, 13)}
    assert {side: (one.m, one.count) for side, one in sides.items()} == {5: (5, 1), 7: (7, 1), 9: (5, 4), 13: (7, 4)}


@pytest.mark.parametrize(
    "case", ["bias", "stride", "dilation", "padding", "kernel", "small", "few", "unbatched", "double", "bf16"]
)
def test_all_others_are_computed_as_ever(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Convolution, "apply", None)  # which would raise
    kernel, channels = 7 if case == "kernel" else 3, 8 if case == "small" else 64
    x, w = torch.randn(4 if case == "few" else 128, channels, 7, 7), torch.randn(64, channels, kernel, kernel)
    bias: Tensor | None = None if case == "bias" else torch.zeros(64)
    one, two = (1, 1), (2, 2)
    if case == "unbatched":
        x = x[0]
    if case == "double":
        x, w, bias = x.double(), w.double(), torch.zeros(64, dtype=torch.double)
    stride, dilation = two if case == "stride" else one, two if case == "dilation" else one
    padding = (0, 0) if case == "padding" else (kernel // 2,) * 2
    with torch.autocast("cpu", torch.bfloat16, enabled=case == "bf16"), Winograd():
        F.conv2d(x, w, bias, stride, padding, dilation, 1)


def test_a_step_of_training_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd, "_LEAST_CHANNELS", 1)
    monkeypatch.setattr(winograd, "_LEAST_TILES", 1)
    plan = small_plan(smoke())
    state, batch = build_state(plan), load_batch(plan, 0, 67)
    logits, _ = forward(plan, state, batch, None)
    made, queue = [], [logits.grad_fn]
    for one in queue:
        made += [one] if "_Convolution" in type(one).__name__ else []
        queue += [before for before, _ in one.next_functions if before is not None] if one else []
    assert len(made) == 4  # conv1 has a stride
