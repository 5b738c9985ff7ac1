"""Class maps in closed form: where in the last convolution the evidence for one label lay. numpy, no autograd.

After the last convolution (conv5, where the network has it) come a max-pool and three linear layers. The gradient of a
logit with respect to its activations is therefore a product of weight matrices, masked by the slope of the activation
function at each unit of fc7 and fc6. For a softmax vocabulary the gradient is that of the label's logit minus the mean
logit of the vocabulary, because what all labels share changes no probability (docs/decisions/0010).

Grad-CAM: Selvaraju et al., ICCV 2017. HiResCAM: Draelos and Carin, 2020. LayerCAM: Jiang et al., TIP 2021.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from model.architecture import Activation, Architecture, Layer
from model.checkpoint import Checkpoint
from model.engines import Output
from model.weights import Floats, vector_times_weight

Method = Literal["gradcam", "hirescam", "layercam"]
METHODS: tuple[Method, ...] = get_args(Method)


class UnknownLabelError(ValueError):
    """Raised for a label that no vocabulary of the network has."""


def needed_activations(architecture: Architecture) -> tuple[str, ...]:
    """Names of the activations that :func:`gradient` reads from an output of the network."""
    return (architecture.last_convolution, "pool5", "fc6", "fc7")


def find_row(checkpoint: Checkpoint, label: str, vocabulary: str | None = None) -> int:
    """Return the row of fc8 for a class id or a natural name, in one vocabulary or the first that has it.

    Raises UnknownLabelError where there is none.
    """
    for candidate in checkpoint.vocabularies:
        if vocabulary in (None, candidate.name):
            for number, entry in enumerate(candidate.labels):
                if label in (entry.id, entry.name):
                    return int(checkpoint.slices()[candidate.name].start) + number
    raise UnknownLabelError(f"This network does not know {label!r}: ask for one of the labels that GET /model lists.")


def gradient(output: Output, index: int, checkpoint: Checkpoint, row: int, *, most: int | None = None) -> Floats:
    """Return the (C, H, W) gradient of the evidence for ``row`` with respect to the last convolution's activations.

    ``output`` holds :func:`needed_activations`, ``index`` is the picture in it, and ``checkpoint`` is folded. Equal to
    autograd. With ``most`` the gradient flows only through that many units of fc7 and of fc6, those where it is
    largest: an approximation that takes a fraction of the time.
    """
    architecture = checkpoint.architecture
    weights = checkpoint.weights
    maps = {name: output.maps[name][index] for name in needed_activations(architecture)}
    fc8 = vector_times_weight(logit_weights(checkpoint, row), weights, "fc8.weight")
    fc7 = _strongest(fc8 * _slope(maps["fc7"], architecture.activation), most)
    fc6 = vector_times_weight(fc7, weights, "fc7.weight") * _slope(maps["fc6"], architecture.activation)
    pool5 = vector_times_weight(_strongest(fc6, most), weights, "fc6.weight").reshape(maps["pool5"].shape)
    return _unpool(pool5, maps[architecture.last_convolution], architecture.layer("pool5"))


def class_map(gradient_CHW: Floats, activations_CHW: Floats, method: Method = "gradcam") -> Floats:
    """Return the (H, W) evidence, never negative, not normalised, from a :func:`gradient` and its activations."""
    if method == "gradcam":
        gradient_CHW = gradient_CHW.mean((1, 2), keepdims=True)
    elif method == "layercam":
        gradient_CHW = np.maximum(gradient_CHW, 0)
    evidence: Floats = np.maximum((gradient_CHW * activations_CHW).sum(0), 0)
    return evidence


def relevance(gradient_CHW: Floats, activations_CHW: Floats) -> Floats:
    """Return (C,) what each channel adds to the evidence: gradient times activation, summed over the map."""
    channels: Floats = (gradient_CHW * activations_CHW).sum((1, 2))
    return channels


def _slope(activations: Floats, activation: Activation) -> Floats:
    """Return the derivative of the activation function, from the activations that it gave."""
    if activation == "tanh":
        return 1 - activations * activations
    if activation == "sigmoid":
        return activations * (1 - activations)
    return (activations > 0).astype(np.float32)


def logit_weights(checkpoint: Checkpoint, row: int) -> Floats:
    """Return (K,) weights of the logits whose sum is the evidence for ``row``.

    A label of a sigmoid vocabulary counts alone, one of a softmax vocabulary against the mean of its vocabulary.
    """
    logit_weights = np.zeros(checkpoint.architecture.outputs, np.float32)
    slices = checkpoint.slices()
    for vocabulary in checkpoint.vocabularies:
        rows = slices[vocabulary.name]
        if vocabulary.activation == "softmax" and rows.start <= row < rows.stop:
            logit_weights[rows] = -1 / len(vocabulary)
    logit_weights[row] += 1
    return logit_weights


def _strongest(values: Floats, most: int | None) -> Floats:
    """Return ``values`` with zeros in place of all but the ``most`` largest, of either sign."""
    if most is None or np.count_nonzero(values) <= most:
        return values
    rows = np.argpartition(np.abs(values), -most)[-most:]
    strongest = np.zeros_like(values)
    strongest[rows] = values[rows]
    return strongest


def _unpool(pooled_CHW: Floats, activations_CHW: Floats, pool: Layer) -> Floats:
    """Give each gradient back to the cell that was its window's maximum: the first of the largest, as in PyTorch."""
    windows = np.lib.stride_tricks.sliding_window_view(activations_CHW, (pool.kernel, pool.kernel), (1, 2))
    windows = windows[:, :: pool.stride, :: pool.stride]
    winners = windows.reshape(*pooled_CHW.shape, -1).argmax(-1)
    channel, y, x = np.indices(pooled_CHW.shape)
    y = y * pool.stride + winners // pool.kernel
    x = x * pool.stride + winners % pool.kernel
    gradient_CHW = np.zeros_like(activations_CHW)
    np.add.at(gradient_CHW, (channel, y, x), pooled_CHW)
    return gradient_CHW
