"""What the processor could do at most: the roofs that a training step is held against, measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.loops import CLASSES, Race, recipe_of
from model.architecture import Architecture, Layer

ROOFS = ("layers_alone", "matrix_product")
_TIMES = 5


def roofs(race: Race) -> dict[str, list[float]]:
    """Pictures a second under each roof, a few times each.

    ``matrix_product``: if every multiplication of a step ran as fast as in one large matrix product. ``layers_alone``:
    if a step were only its convolutions and linear layers, forward and backward, as fast as PyTorch runs each alone.
    """
    return {"layers_alone": _layers_alone(race), "matrix_product": _matrix_product(race)}


def flops_a_picture(race: Race) -> float:
    """Floating-point operations of one picture in a step: forward, and backward to the weights and to the inputs."""
    table = _table(race)
    first = table.layer("conv1").multiply_adds  # needs no gradient of its input
    return float(2 * (3 * table.multiply_adds - first))


def timed(work: Callable[[int], Any], count: int, device: torch.device) -> float:
    """Return the seconds that ``work(count)`` takes, to the end of what it started on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    work(count)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _table(race: Race) -> Architecture:
    return recipe_of(race, compiled=False).architecture(CLASSES, race.size)


def _dtype(race: Race) -> torch.dtype:
    return torch.bfloat16 if race.precision == "bf16" else torch.float32


def _matrix_product(race: Race) -> list[float]:
    side = 8192 if race.device.type == "cuda" else 2048
    a = torch.randn(side, side, device=race.device, dtype=_dtype(race))
    seconds = [timed(lambda _: a @ a, 1, race.device) for _ in range(_TIMES)]
    return [2 * side**3 / (flops_a_picture(race) * one) for one in seconds]


def _layers_alone(race: Race) -> list[float]:
    totals = [0.0] * _TIMES
    for row in _table(race).layers:
        if row.weight_shape:
            for number, seconds in enumerate(_layer_seconds(row, race)):
                totals[number] += seconds
    return [race.batch_size / total for total in totals]


def _layer_seconds(row: Layer, race: Race) -> list[float]:
    """Seconds of one layer, forward and backward, a few times; the first, which warms up, does not count."""
    shape = row.inputs if row.operation == "conv" else (row.weight_shape[1],)
    x = torch.randn(race.batch_size, *shape, device=race.device, dtype=_dtype(race))
    layer: nn.Module = nn.Linear(row.weight_shape[1], row.shape[0])
    if row.operation == "conv":
        layer = nn.Conv2d(row.inputs[0], row.shape[0], row.kernel, row.stride, row.padding, groups=row.groups)
        layer = layer.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    layer = layer.to(race.device, _dtype(race))
    x.requires_grad_(row.name != "conv1")
    gradient = torch.ones_like(layer(x))

    def forward_and_backward(_: int) -> None:
        layer(x).backward(gradient)

    return [timed(forward_and_backward, 1, race.device) for _ in range(_TIMES + 1)][1:]
