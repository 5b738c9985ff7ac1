"""The same network for larger pictures: fc6's windows are interpolated, everything else is kept."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.engines.alexnet import AlexNet


def grown(network: AlexNet, size: int) -> AlexNet:
    """A network for ``size`` px with the weights of ``network``; fc6 is scaled so that its sums keep their size."""
    larger = AlexNet(network.architecture.at(size))
    weights = network.state_dict()
    old, new = (n.architecture.layer("pool5").shape[1] for n in (network, larger))
    weights["fc6.weight"] = stretch(weights["fc6.weight"], old, new) * (old / new) ** 2
    larger.load_state_dict(weights)
    return larger.to(memory_format=torch.channels_last)


def stretch(weight: Tensor, old: int, new: int) -> Tensor:
    """(F, C * old^2) to (F, C * new^2), bilinear."""
    windows = weight.reshape(len(weight), -1, old, old)
    return F.interpolate(windows, size=(new, new), mode="bilinear", align_corners=False).flatten(1)
