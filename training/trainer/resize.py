"""The same network for larger pictures: fc6's windows are interpolated, everything else is kept."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from model.engines.alexnet import AlexNet


def grown(network: AlexNet, size: int) -> AlexNet:
    """A network for ``size`` px that says what ``network`` says.

    fc6 then sums over more cells. With batch norm its weights keep their size, so that the optimiser's steps keep
    their proportion to them, and the norm takes the larger sums; without, they are scaled down.
    """
    larger = AlexNet(network.architecture.at(size))
    weights = network.state_dict()
    more = _cells(larger) / _cells(network)
    weights["fc6.weight"] = stretch(weights["fc6.weight"], _side(network), _side(larger))
    if network.architecture.batch_norm:
        bias = weights["fc6.bias"]
        weights["fc6_norm.running_mean"] = (weights["fc6_norm.running_mean"] - bias) * more + bias
        weights["fc6_norm.running_var"] = weights["fc6_norm.running_var"] * more**2
    else:
        weights["fc6.weight"] /= more
    larger.load_state_dict(weights)
    return larger


def grow_memory(entry: dict[str, Tensor], old: AlexNet, new: AlexNet) -> None:
    """What an optimiser remembers of one parameter (momentum, squares) after growing; only that of fc6 changes.

    With batch norm the gradient of a weight of fc6 shrinks as the number of cells grows; without, it keeps its size.
    """
    less = _cells(old) / _cells(new) if old.architecture.batch_norm else 1.0
    for name, value in entry.items():
        if value.shape == old.get_parameter("fc6.weight").shape:
            entry[name] = stretch(value, _side(old), _side(new)) * (less**2 if name == "exp_avg_sq" else less)


def stretch(weight: Tensor, old: int, new: int) -> Tensor:
    """(F, C * old^2) to (F, C * new^2), bilinear; towards a smaller side each cell is the mean of those it replaces."""
    windows = weight.reshape(len(weight), -1, old, old)
    return F.interpolate(windows, (new, new), mode="bilinear", align_corners=False, antialias=new < old).flatten(1)


def _side(network: AlexNet) -> int:
    return network.architecture.layer("pool5").shape[1]


def _cells(network: AlexNet) -> int:
    return _side(network) ** 2
