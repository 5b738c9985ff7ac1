"""The gradient of the evidence for one label, back through the layer table, row by row. numpy, no autograd.

Evidence is the logit of a label of a sigmoid vocabulary; of a softmax vocabulary it is the logit minus the mean logit
of the vocabulary, because what all labels share changes no probability (docs/decisions/0010).

Shapes: C channels, H height, W width, K rows of fc8; of one picture, without the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model.architecture import Activation, Architecture, Layer, LocalResponseNorm
from model.checkpoint import Checkpoint
from model.weights import Floats, times, vector_times_weight

Maps = Mapping[str, Floats]
"""Name of a row -> its activations for one picture: (C, H, W), or (units,) for fc6 and fc7."""


def gradients(
    maps: Maps, checkpoint: Checkpoint, shares: Mapping[int, float], *, down_to: str, most: int | None = None
) -> dict[str, Floats]:
    """Return the gradient of the evidence for rows of fc8, each by its share, with respect to what each layer gives.

    By name of the layer, from fc7 down to ``down_to``, in the shape of its activations. ``maps`` holds the activations
    of all layers in between, but for normalisations, and ``checkpoint`` is folded. Equal to autograd. With ``most`` the
    gradient flows only through that many units of fc7 and of fc6, those where it is largest: an approximation that
    takes a fraction of the time.
    """
    architecture = checkpoint.architecture
    rows = architecture.layers
    names = [layer.name for layer in rows]
    found: dict[str, Floats] = {"fc8": _weights_of(checkpoint, shares)}
    for number in range(len(rows) - 1, names.index(down_to), -1):
        layer, before = rows[number], rows[number - 1]
        inner = before_activation(found[layer.name], maps, layer)
        if layer.operation == "linear" and layer.activation is not None:
            inner = _strongest(inner, most)
        found[before.name] = _through(layer, inner, maps, checkpoint).reshape(before.shape)
    return found


def before_activation(gradient: Floats, maps: Maps, layer: Layer) -> Floats:
    """Return the gradient before the activation function of a row, from that after it."""
    return gradient if layer.activation is None else gradient * slope(maps[layer.name], layer.activation)


def input_of(layer: Layer, maps: Maps, architecture: Architecture) -> Floats:
    """Return what a row reads: the activations of the row before it. Not for conv1, which reads the picture."""
    before = architecture.layers[architecture.layers.index(layer) - 1]
    if before.operation != "lrn":
        return maps[before.name]
    assert architecture.lrn is not None
    return local_response_norm(input_of(before, maps, architecture), architecture.lrn)


def slope(activations: Floats, activation: Activation) -> Floats:
    """Return the derivative of the activation function, from the activations that it gave."""
    if activation == "tanh":
        return 1 - activations * activations
    if activation == "sigmoid":
        return activations * (1 - activations)
    return (activations > 0).astype(np.float32)


def logit_weights(checkpoint: Checkpoint, row: int) -> Floats:
    """Return (K,) weights of the logits whose sum is the evidence for ``row``.

    A label of a sigmoid vocabulary counts alone, one of a softmax vocabulary against the mean of its vocabulary. A
    taught one counts alone, too: its row was held against photos of other things, and it may be the only one.
    """
    weights = np.zeros(checkpoint.architecture.outputs, np.float32)
    vocabulary, rows = checkpoint.vocabulary_at(row)
    if vocabulary.activation == "softmax" and not vocabulary.taught:
        weights[rows] = -1 / len(vocabulary)
    weights[row] += 1
    return weights


def _weights_of(checkpoint: Checkpoint, shares: Mapping[int, float]) -> Floats:
    """Return (K,) :func:`logit_weights` of several rows, each times its share, added up."""
    rows = (np.float32(share) * logit_weights(checkpoint, row) for row, share in shares.items())
    return sum(rows, np.zeros(checkpoint.architecture.outputs, np.float32))


def local_response_norm(x_CHW: Floats, norm: LocalResponseNorm) -> Floats:
    """Return (C, H, W) activations after local response normalisation (section 3.3)."""
    return x_CHW * _power(_denominator(x_CHW, norm), norm.beta)


def _through(layer: Layer, gradient: Floats, maps: Maps, checkpoint: Checkpoint) -> Floats:
    """Return the gradient with respect to the input of a row, from that before its activation."""
    architecture, weights = checkpoint.architecture, checkpoint.weights
    if layer.operation == "linear":
        return vector_times_weight(gradient, weights, f"{layer.name}.weight")
    if layer.operation == "conv":
        return _unconvolve(gradient, weights[f"{layer.name}.weight"], layer)
    activations_CHW = input_of(layer, maps, architecture)
    if layer.operation == "pool":
        return _unpool(gradient, activations_CHW, layer)
    assert architecture.lrn is not None
    return _unnormalise(gradient, activations_CHW, architecture.lrn)


def _strongest(values: Floats, most: int | None) -> Floats:
    """Return ``values`` with zeros in place of all but the ``most`` largest, of either sign."""
    if most is None or np.count_nonzero(values) <= most:
        return values
    rows = np.argpartition(np.abs(values), -most)[-most:]
    strongest = np.zeros_like(values)
    strongest[rows] = values[rows]
    return strongest


def _unconvolve(gradient_CHW: Floats, weight: Floats, layer: Layer) -> Floats:
    """Give each gradient back to the cells of its window, times the weights that read them: the transposed convolution.

    A product of matrices for each group, then one shifted sum for each cell of the kernel.
    """
    (channels, side, _), size, step = layer.inputs, layer.kernel, layer.stride
    _, height, width = gradient_CHW.shape
    matrices = weight.reshape(layer.groups, -1, weight[0].size).transpose(0, 2, 1)
    columns = times(matrices, gradient_CHW.reshape(layer.groups, -1, height * width))
    columns = columns.reshape(channels, size, size, height, width)
    padded = np.zeros((channels, *[side + 2 * layer.padding] * 2), np.float32)
    for y, x in product(range(size), repeat=2):
        padded[:, y : y + step * height : step, x : x + step * width : step] += columns[:, y, x]
    inside = slice(layer.padding, layer.padding + side)
    return padded[:, inside, inside]


def _unpool(pooled_CHW: Floats, activations_CHW: Floats, pool: Layer) -> Floats:
    """Give each gradient back to the cell that was its window's maximum: the first of the largest, as in PyTorch."""
    _, height, width = pooled_CHW.shape
    gradient_CHW = np.zeros_like(activations_CHW)
    windows = [
        (slice(None), slice(y, y + pool.stride * height, pool.stride), slice(x, x + pool.stride * width, pool.stride))
        for y, x in product(range(pool.kernel), repeat=2)
    ]
    largest = np.maximum.reduce([activations_CHW[cells] for cells in windows])
    open_CHW = pooled_CHW.copy()  # what no cell of the window has got yet
    for cells in windows:
        won = np.where(activations_CHW[cells] == largest, open_CHW, 0)
        gradient_CHW[cells] += won
        open_CHW -= won
    return gradient_CHW


def _unnormalise(gradient_CHW: Floats, x_CHW: Floats, norm: LocalResponseNorm) -> Floats:
    """Return the gradient before a local response normalisation of ``x_CHW``.

    Each channel is divided by a power of its neighbours' squares, so it also counts, negatively, for each neighbour.
    """
    denominator = _denominator(x_CHW, norm)
    power = _power(denominator, norm.beta)
    shares = _neighbours(gradient_CHW * x_CHW * power / denominator, norm.size, mirrored=True)
    return gradient_CHW * power - np.float32(2 * norm.alpha * norm.beta) * x_CHW * shares


def _denominator(x_CHW: Floats, norm: LocalResponseNorm) -> Floats:
    """Return k + alpha * sum of squares of the neighbouring channels."""
    return np.float32(norm.k) + np.float32(norm.alpha) * _neighbours(x_CHW * x_CHW, norm.size)


def _power(base: Floats, beta: float) -> Floats:
    """Return base ** -beta."""
    if beta == 0.75:  # two square roots are several times cheaper than a power
        root = np.sqrt(base)
        return np.asarray(1 / (root * np.sqrt(root)), np.float32)
    return np.asarray(base**-beta, np.float32)


def _neighbours(values_CHW: Floats, size: int, *, mirrored: bool = False) -> Floats:
    """Return for each channel the sum over the ``size`` channels around it; an even size reaches further down.

    ``mirrored`` sums over the channels that it is a neighbour of.
    """
    reach = (size // 2, (size - 1) // 2)
    padded = np.pad(values_CHW, (reach[::-1] if mirrored else reach, (0, 0), (0, 0)))
    total: Floats = sliding_window_view(padded, size, 0).sum(-1)
    return total
