"""Reads torchvision's AlexNet as a checkpoint of ours. The only reader of foreign files.

Its network is that of "One weird trick for parallelizing convolutional neural networks" (Krizhevsky, 2014): one column,
fewer kernels, no local response normalisation, and pictures of 224 px with zeros around them. It is another table of
the same architecture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.architecture import Architecture
from model.checkpoint import Checkpoint, Preprocessing, expected_shapes
from model.engines.imagenet import imagenet
from model.weights import Floats

ARCHITECTURE = Architecture(
    outputs=1000, input_size=224, channels=(64, 192, 384, 256, 256), conv1_padding=2, columns=1, lrn=None
)
KEYS = {
    "features.0": "conv1",
    "features.3": "conv2",
    "features.6": "conv3",
    "features.8": "conv4",
    "features.10": "conv5",
    "classifier.1": "fc6",
    "classifier.4": "fc7",
    "classifier.6": "fc8",
}
"""torchvision's modules -> rows of our table."""

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels from 0 to 1, red, green, blue
_SCALE = 1 / 64  # near theirs, so that conv1 hardly changes, and a power of two, so that pixels are not rounded


class ForeignError(ValueError):
    """Raised for a file that is not torchvision's AlexNet; its message is one sentence for the user."""


def read(path: Path) -> Checkpoint:
    """Return the network in a ``.pth`` file of torchvision. Raises ForeignError.

    Nothing in the file is ever executed: of a pickle, ``weights_only`` takes tensors and plain containers.
    """
    if not path.is_file():
        raise ForeignError(f"There is no file {path}: name torchvision's weights of AlexNet.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for what is truncated, hostile or another format
        raise ForeignError(
            f"{path} is not a whole file of PyTorch weights and nothing else, so it was not read: download it again."
        ) from error
    return from_torchvision(state, str(path))


def from_torchvision(state: Mapping[str, Tensor], source: str = "the state dict") -> Checkpoint:
    """Return a checkpoint of the same function as ``torchvision.models.alexnet``, with ImageNet's 1000 labels.

    Raises ForeignError, which names ``source``, where the tensors are not those of that network.
    """
    if fault := next(_faults(state), ""):
        raise ForeignError(f"{source} does not hold torchvision's AlexNet: {fault}.")
    weights = {ours: state[theirs].detach().float().numpy().copy() for theirs, ours in _names().items()}
    return Checkpoint(
        architecture=ARCHITECTURE,
        preprocessing=Preprocessing(mean=(255 * _MEAN[0], 255 * _MEAN[1], 255 * _MEAN[2]), scale=_SCALE),
        vocabularies=(imagenet(published().meta["categories"]),),
        weights=_take_in_spread(weights),
        name="alexnet-imagenet",
        provenance={"imported": "torchvision.models.alexnet", "from": Path(source).name},
    )


def published() -> Any:
    """Return torchvision's record of its weights: ``url``, ``meta``. It is imported here, which takes seconds."""
    from torchvision.models import AlexNet_Weights

    return AlexNet_Weights.IMAGENET1K_V1


def _names() -> dict[str, str]:
    """Return names of torchvision's tensors -> names of ours."""
    return {f"{theirs}.{part}": f"{ours}.{part}" for theirs, ours in KEYS.items() for part in ("weight", "bias")}


def _faults(state: object) -> Iterator[str]:
    """Yield why ``state`` does not hold the weights, in words that end a sentence."""
    if not isinstance(state, Mapping):
        yield "it is no state dict"
        return
    shapes, names = expected_shapes(ARCHITECTURE), _names()
    for theirs, ours in names.items():
        if theirs not in state:
            yield f"it lacks {theirs}"
        elif fault := _fault(state[theirs], shapes[ours]):
            yield f"{theirs} {fault}"
    yield from (f"it also holds {str(name)[:80]!r}" for name in state if name not in names)


def _fault(value: object, shape: tuple[int, ...]) -> str:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return "is no tensor of floats"
    if (value.layout, value.device.type) != (torch.strided, "cpu"):
        return "is no plain tensor"
    if value.shape != shape:  # before anything of its size is made
        return f"is {tuple(value.shape)}, not {shape}"
    return "" if value.float().isfinite().all() else "holds a value that is not finite"


def _take_in_spread(weights: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """Fold torchvision's standard deviation of each colour into conv1, because we scale all colours alike.

    Exact at the borders, too, where the padding stays zero.
    """
    gain = 1 / (255 * np.array(_STD).reshape(1, 3, 1, 1) * _SCALE)
    return {**weights, "conv1.weight": (weights["conv1.weight"] * gain).astype(np.float32)}
