"""How one number of the network came about: its window, its weights, its sum, and what follows.

The sum is spelled out in full precision from the activations that were kept of the layer before. The engine's own
value is told beside it: where it computes in bf16, or rounds what it multiplies by int8 weights, the two differ, in the
shipped network by less than 0.5 % of the layer's largest number. Convolutions in int8 (:mod:`model.int8`) round more:
the numbers of conv5 differ by about 1 % of it, by up to an eighth where a peak was cut off
(``tests/model/test_contributions.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from model.architecture import Activation, Layer
from model.backward import Maps, input_of, local_response_norm
from model.checkpoint import Checkpoint
from model.weights import Floats, weight_rows

MOST_TERMS = 12
"""Largest number of terms of a sum that are told one by one."""


@dataclass(frozen=True)
class ConvolutionTerm:
    """What one channel of the input adds to the sum of a convolution."""

    channel: int
    sum: float
    inputs: Floats
    """(kernel, kernel) cells of the window; 0 in the padding."""
    weights: Floats
    """(kernel, kernel) of the kernel."""


@dataclass(frozen=True)
class LinearTerm:
    """What one number of the input adds to the sum of a unit."""

    place: tuple[int, ...]
    """(unit,) of a linear layer, or (channel, row, column)."""
    input: float
    weight: float

    @property
    def sum(self) -> float:
        """The product of input and weight."""
        return self.input * self.weight


@dataclass(frozen=True)
class Step:
    """What happens to the number before the next layer with weights reads it."""

    name: Literal["lrn", "pool"] | Activation
    """What it is; an activation function only where it follows pooling."""
    value: float
    """The number that comes out of it."""
    window: Floats | None = None
    """(kernel, kernel) cells that pooling takes the largest of, for ``pool``; None for the others."""
    place: tuple[int, int] | None = None
    """Row and column of the cell of the pooling layer whose window that is."""


@dataclass(frozen=True)
class Cell:
    """One number of a convolution or a linear layer, and how it came about."""

    layer: Layer
    place: tuple[int, int, int]
    """Channel, row and column; of a linear layer (unit, 0, 0)."""
    source: str
    """Name of the layer that is read; ``photo`` for conv1."""
    corner: tuple[int, int]
    """Row and column of the window's first cell in the input; negative in the padding. (0, 0) of a linear layer."""
    terms: Sequence[ConvolutionTerm] | Sequence[LinearTerm]
    """Those of the largest sum, of either sign, that first."""
    others: tuple[int, float]
    """Number and sum of all other terms."""
    bias: float
    sum: float
    """Of all terms and the bias."""
    value: float
    """The sum after the layer's activation function."""
    kept: float
    """The same number as the engine computed it."""
    after: Sequence[Step]


def trace(
    maps: Maps,
    logits: Floats,
    pixels: NDArray[np.uint8],
    checkpoint: Checkpoint,
    layer: Layer,
    place: tuple[int, int, int],
) -> Cell:
    """Return how the number at ``place`` (channel, row, column) of a layer with weights came about.

    ``maps`` holds all activations of one picture, ``logits`` its (K,) logits, ``pixels`` the (S, S, 3) square, and
    ``checkpoint`` is folded. Raises IndexError for a place outside the layer.
    """
    channel, row, column = place
    shape = (*layer.shape, 1, 1)[:3]
    if not all(0 <= number < size for number, size in zip(place, shape, strict=True)):
        raise IndexError(place)
    number = checkpoint.architecture.layers.index(layer)
    source = checkpoint.architecture.layers[number - 1].name if number else "photo"
    x = input_of(layer, maps, checkpoint.architecture) if number else standardised(pixels, checkpoint)
    weight = weight_rows(checkpoint.weights, f"{layer.name}.weight", [channel])[0]
    terms: list[ConvolutionTerm] | list[LinearTerm]
    if layer.operation == "conv":
        corner = (row * layer.stride - layer.padding, column * layer.stride - layer.padding)
        terms, others = _convolution(x, weight, layer, channel, corner)
    else:
        corner = (0, 0)
        terms, others = _linear(x, weight)
    bias = float(checkpoint.weights[f"{layer.name}.bias"][channel])
    total = sum(term.sum for term in terms) + others[1] + bias
    kept = logits[channel] if layer.name == "fc8" else maps[layer.name].reshape(shape)[place]
    after = _steps_after(layer, place, maps, checkpoint)
    value = activate(total, layer.activation)
    return Cell(layer, place, source, corner, terms, others, bias, total, value, float(kept), after)


def standardised(pixels: NDArray[np.uint8], checkpoint: Checkpoint) -> Floats:
    """Return what conv1 reads: (3, S, S) from (S, S, 3) pixels 0 to 255."""
    centred = pixels.astype(np.float32) - np.array(checkpoint.preprocessing.mean, np.float32)
    return np.moveaxis(centred * np.float32(checkpoint.preprocessing.scale), 2, 0)


def activate(value: float, activation: Activation | None) -> float:
    """Return the value after an activation function; None leaves it as it is."""
    if activation is None:
        return value
    if activation == "relu":
        return max(value, 0.0)
    return float(np.tanh(value)) if activation == "tanh" else float(1 / (1 + np.exp(-value)))


def _convolution(
    x_CHW: Floats, kernels: Floats, layer: Layer, channel: int, corner: tuple[int, int]
) -> tuple[list[ConvolutionTerm], tuple[int, float]]:
    """The terms of one cell by the channels of its group, and what is left of them."""
    size, padding, count = layer.kernel, layer.padding, len(kernels)
    first = channel // (layer.shape[0] // layer.groups) * count  # of the channels that this one's group reads
    padded = np.pad(x_CHW[first : first + count], ((0, 0), (padding,) * 2, (padding,) * 2))
    top, left = corner[0] + padding, corner[1] + padding
    window = padded[:, top : top + size, left : left + size]
    sums = (window.astype(np.float64) * kernels).sum((1, 2))
    order, others = _largest(sums)
    return [ConvolutionTerm(first + n, float(sums[n]), window[n], kernels[n]) for n in order], others


def _linear(x: Floats, weight: Floats) -> tuple[list[LinearTerm], tuple[int, float]]:
    """The terms of one unit by the numbers that it reads, and what is left of them."""
    products = x.reshape(-1).astype(np.float64) * weight
    order, others = _largest(products)
    places = [tuple(int(part) for part in np.unravel_index(n, x.shape)) for n in order]
    terms = [
        LinearTerm(place, float(x[place]), float(weight[number]))
        for number, place in zip(order, places, strict=True)
    ]  # fmt: skip
    return terms, others


def _largest(sums: NDArray[np.float64]) -> tuple[list[int], tuple[int, float]]:
    """The places of the largest terms, of either sign, and number and sum of the others."""
    order = np.argsort(-np.abs(sums), kind="stable")
    left = order[MOST_TERMS:]
    return order[:MOST_TERMS].tolist(), (len(left), float(sums[left].sum()))


def _steps_after(layer: Layer, place: tuple[int, int, int], maps: Maps, checkpoint: Checkpoint) -> list[Step]:
    """What happens to a cell of a convolution until the next layer with weights."""
    channel, row, column = place
    rows, architecture = checkpoint.architecture.layers, checkpoint.architecture
    steps: list[Step] = []
    for following in rows[rows.index(layer) + 1 :]:
        if following.operation == "lrn" and architecture.lrn is not None:
            neighbours = maps[layer.name][:, row : row + 1, column : column + 1]
            steps.append(Step("lrn", float(local_response_norm(neighbours, architecture.lrn)[channel, 0, 0])))
        elif following.operation == "pool":
            x_HW = input_of(following, maps, architecture)[channel]
            if (pooled := _pooling(x_HW, following, row, column)) is not None:
                steps.append(pooled)
                if following.activation is not None:
                    steps.append(Step(following.activation, activate(pooled.value, following.activation)))
        else:
            break
    return steps


def _pooling(x_HW: Floats, pool: Layer, row: int, column: int) -> Step | None:
    """The window of a pooling layer that holds a cell; of several one where it is the largest, or else the first.

    None where no window reaches it.
    """
    _, height, width = pool.shape
    windows = [
        (y, x, x_HW[y * pool.stride :, x * pool.stride :][: pool.kernel, : pool.kernel])
        for y in _windows_over(row, pool, height)
        for x in _windows_over(column, pool, width)
    ]
    if not windows:
        return None
    y, x, window = max(windows, key=lambda one: x_HW[row, column] >= one[2].max())
    return Step("pool", float(window.max()), window, (y, x))


def _windows_over(place: int, pool: Layer, count: int) -> range:
    """The windows along one side that hold a cell."""
    first = max(0, -(-(place - pool.kernel + 1) // pool.stride))
    return range(first, min(count, place // pool.stride + 1))
