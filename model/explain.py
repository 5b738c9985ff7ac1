"""Class maps in closed form: where in the last convolution the evidence for one label lay. numpy, no autograd.

After the last convolution (conv5, where the network has it) come a max-pool and three linear layers. The gradient of
the evidence with respect to its activations is therefore a product of weight matrices, masked by the slope of the
activation function at each unit of fc7 and fc6: :mod:`model.backward`, which also says what evidence is.

Grad-CAM: Selvaraju et al., ICCV 2017. HiResCAM: Draelos and Carin, 2020. LayerCAM: Jiang et al., TIP 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from model.architecture import Architecture
from model.backward import gradients
from model.checkpoint import Checkpoint
from model.engines import Output
from model.weights import Floats

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
    where = "This network does not know" if vocabulary is None else f"The vocabulary {vocabulary!r} does not have"
    raise UnknownLabelError(f"{where} {label!r}: ask for one of the labels that GET /model lists.")


def gradient(output: Output, index: int, checkpoint: Checkpoint, row: int, *, most: int | None = None) -> Floats:
    """Return the (C, H, W) gradient of the evidence for ``row`` with respect to the last convolution's activations.

    ``output`` holds :func:`needed_activations`, ``index`` is the picture in it, and ``checkpoint`` is folded. Equal to
    autograd. With ``most`` the gradient flows only through that many units of fc7 and of fc6, those where it is
    largest: an approximation that takes a fraction of the time.
    """
    return gradient_of_any(output, index, checkpoint, {row: 1.0}, most=most)


def gradient_of_any(
    output: Output, index: int, checkpoint: Checkpoint, shares: Mapping[int, float], *, most: int | None = None
) -> Floats:
    """Return the :func:`gradient` of the evidence for "any of these rows": the sum of theirs, each times its share.

    Where the shares are the rows' probabilities divided by their sum, it is the gradient of the logarithm of the sum of
    the exponentials of their logits.
    """
    last = checkpoint.architecture.last_convolution
    maps = {name: output.maps[name][index] for name in needed_activations(checkpoint.architecture)}
    return gradients(maps, checkpoint, shares, down_to=last, most=most)[last]


def class_map(gradient_CHW: Floats, activations_CHW: Floats, method: Method = "gradcam") -> Floats:
    """Return the (H, W) evidence, never negative, not normalised, from a :func:`gradient` and its activations."""
    if method == "gradcam":
        gradient_CHW = gradient_CHW.mean((1, 2), keepdims=True)
    elif method == "layercam":
        gradient_CHW = np.maximum(gradient_CHW, 0)
    evidence: Floats = np.maximum((gradient_CHW * activations_CHW).sum(0), 0)
    return evidence


def relevance(gradient_CHW: Floats, activations_CHW: Floats) -> Floats:
    """Return (C,) what each channel adds to the evidence: gradient times activation, summed over the map.

    Units of a linear layer, in the shape (C,), are channels of one cell.
    """
    channels: Floats = (gradient_CHW * activations_CHW).reshape(len(gradient_CHW), -1).sum(1)
    return channels
