"""The same network for another picture size: fc6's windows are interpolated, all other weights are kept."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from model.engines.alexnet import AlexNet


def resize_input(network: AlexNet, size: int) -> AlexNet:
    """A network for pictures of ``size`` px that gives the answers of ``network``.

    At a larger size fc6 sums over more cells of pool5. With batch norm its weights keep their size, so that the
    optimiser's steps keep their proportion to them, and the norm takes the larger sums; without, they are scaled down.
    """
    resized = AlexNet(network.architecture.at(size))
    weights = network.state_dict()
    ratio = _cells(resized) / _cells(network)
    weights["fc6.weight"] = resize_fc6(weights["fc6.weight"], _side(network), _side(resized))
    if network.architecture.batch_norm:
        bias = weights["fc6.bias"]
        weights["fc6_norm.running_mean"] = (weights["fc6_norm.running_mean"] - bias) * ratio + bias
        weights["fc6_norm.running_var"] = weights["fc6_norm.running_var"] * ratio**2
    else:
        weights["fc6.weight"] /= ratio
    resized.load_state_dict(weights)
    return resized


def resize_optimiser_state(tensors: dict[str, Tensor], old: AlexNet, new: AlexNet) -> None:
    """Change in place what an optimiser keeps of one parameter (momentum, mean square); only fc6's has to change.

    With batch norm the gradient of a weight of fc6 shrinks as the number of cells grows; without, it keeps its size.
    """
    ratio = _cells(old) / _cells(new) if old.architecture.batch_norm else 1.0
    for name, tensor in tensors.items():
        if tensor.shape == old.get_parameter("fc6.weight").shape:
            scale = ratio**2 if name == "exp_avg_sq" else ratio
            tensors[name] = resize_fc6(tensor, _side(old), _side(new)) * scale


def resize_fc6(weight: Tensor, old: int, new: int) -> Tensor:
    """Weights (F, C * old²) as (F, C * new²), bilinear; a cell of a smaller grid is the mean of those it replaces."""
    windows = weight.reshape(len(weight), -1, old, old)
    return F.interpolate(windows, (new, new), mode="bilinear", align_corners=False, antialias=new < old).flatten(1)


def _side(network: AlexNet) -> int:
    """Cells along a side of pool5, which is what fc6 sees."""
    return network.architecture.layer("pool5").shape[1]


def _cells(network: AlexNet) -> int:
    return _side(network) ** 2
