"""Class maps in closed form: where in conv5 the evidence for one label lay. numpy.

From conv5 on the network is a max-pool and three linear layers with ReLU between them, so the gradient of a logit is a
product of masked matrices: no autograd. What all labels of an exclusive vocabulary have in common changes none of their
probabilities, so what is explained is a label's logit less the mean of its vocabulary (docs/decisions/0010). Grad-CAM:
Selvaraju et al., ICCV 2017. HiResCAM: Draelos and Carin, 2020. LayerCAM: Jiang et al., TIP 2021.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from model.architecture import Layer
from model.checkpoint import Checkpoint
from model.engines import Output
from model.weights import Floats, from_the_left

Method = Literal["gradcam", "hirescam", "layercam"]
METHODS: tuple[Method, ...] = get_args(Method)
NEEDED = ("conv5", "pool5", "fc6", "fc7")
"""Activations that a class map is made from."""


class UnknownLabelError(ValueError):
    """No vocabulary of the network has such a label."""


def find_row(checkpoint: Checkpoint, label: str, vocabulary: str | None = None) -> int:
    """The row of fc8 for a class id or a natural name, in one vocabulary or the first that has it.

    Raises UnknownLabelError.
    """
    for one in checkpoint.vocabularies:
        if vocabulary in (None, one.name):
            for number, candidate in enumerate(one.labels):
                if label in (candidate.id, candidate.name):
                    return int(checkpoint.slices()[one.name].start) + number
    raise UnknownLabelError(f"This network does not know {label!r}: ask for one of the labels that GET /model lists.")


def gradient(output: Output, index: int, checkpoint: Checkpoint, row: int, *, most: int | None = None) -> Floats:
    """(256, 13, 13) gradient of the evidence for ``row`` in picture ``index`` with respect to conv5 after its ReLU.

    ``checkpoint`` is folded and of a ReLU network; raises ValueError for other activations. With ``most`` the gradient
    flows only through so many units of fc7 and of fc6, those where it is largest: near it, and several times sooner.
    """
    if checkpoint.architecture.activation != "relu":
        raise ValueError("Class maps are computed for networks with ReLU only.")
    weights = checkpoint.weights
    fc8 = from_the_left(_question(checkpoint, row), weights, "fc8.weight")
    fc7 = _strongest(fc8 * (output.maps["fc7"][index] > 0), most)
    fc6 = _strongest(from_the_left(fc7, weights, "fc7.weight") * (output.maps["fc6"][index] > 0), most)
    pooled = from_the_left(fc6, weights, "fc6.weight").reshape(output.maps["pool5"][index].shape)
    return _unpool(pooled, output.maps["conv5"][index], checkpoint.architecture.layer("pool5"))


def class_map(slope: Floats, conv5: Floats, method: Method = "gradcam") -> Floats:
    """(13, 13) evidence, never negative, not normalised, from a :func:`gradient` and the (256, 13, 13) conv5."""
    if method == "gradcam":
        slope = slope.mean((1, 2), keepdims=True)
    elif method == "layercam":
        slope = np.maximum(slope, 0)
    evidence: Floats = np.maximum((slope * conv5).sum(0), 0)
    return evidence


def relevance(slope: Floats, conv5: Floats) -> Floats:
    """(256,) what each conv5 channel adds to the evidence: gradient times activation, summed over the map."""
    parts: Floats = (slope * conv5).sum((1, 2))
    return parts


def _question(checkpoint: Checkpoint, row: int) -> Floats:
    """(K,) how the logits make the evidence: that of a word alone, that of a label against its whole vocabulary."""
    asked, slices = np.zeros(checkpoint.architecture.outputs, np.float32), checkpoint.slices()
    for vocabulary in checkpoint.vocabularies:
        rows = slices[vocabulary.name]
        if vocabulary.activation == "softmax" and rows.start <= row < rows.stop:
            asked[rows] = -1 / len(vocabulary)
    asked[row] += 1
    return asked


def _strongest(slope: Floats, most: int | None) -> Floats:
    """Zeros but for the ``most`` largest of either sign."""
    if most is None or np.count_nonzero(slope) <= most:
        return slope
    kept = np.argpartition(np.abs(slope), -most)[-most:]
    left = np.zeros_like(slope)
    left[kept] = slope[kept]
    return left


def _unpool(pooled: Floats, conv5: Floats, pool: Layer) -> Floats:
    """Each gradient goes back to the cell that won its window: the first of the largest, as in PyTorch."""
    windows = np.lib.stride_tricks.sliding_window_view(conv5, (pool.kernel, pool.kernel), (1, 2))
    windows = windows[:, :: pool.stride, :: pool.stride]
    winners = windows.reshape(*pooled.shape, -1).argmax(-1)
    channel, y, x = np.indices(pooled.shape)
    back = np.zeros_like(conv5)
    np.add.at(
        back,
        (channel, y * pool.stride + winners // pool.kernel, x * pool.stride + winners % pool.kernel),
        pooled,
    )
    return back
