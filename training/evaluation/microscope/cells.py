"""One unit of a network as a function of a picture that is no larger than what the unit sees.

Shapes: N pictures, S side, C channels, K labels.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.architecture import Layer
from model.backward import logit_weights
from model.checkpoint import Checkpoint
from model.engines.alexnet import AlexNet, activate

LABELS = "fc8"
"""Name of the layer whose units are the labels."""


def layers_of(network: Checkpoint) -> tuple[str, ...]:
    """Names of the layers whose units are looked at: the convolutions that the network has, then :data:`LABELS`."""
    return (*(row.name for row in network.architecture.layers if row.operation == "conv"), LABELS)


def quick_type() -> torch.dtype:
    """The numbers that gradients are quickest in: bf16 where the processor has instructions for it, else float32."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return torch.bfloat16 if capabilities.get("amx_bf16") or capabilities.get("avx512_bf16") else torch.float32


def torch_network(network: Checkpoint) -> AlexNet:
    """The network as a torch module in evaluation mode, whose weights need no gradient."""
    module = AlexNet(network.architecture)
    module.load_state_dict({name: torch.from_numpy(np.array(network.weights[name])) for name in network.weights})
    return module.eval().requires_grad_(False)


class Cell:
    """All channels of one cell of a layer: of its centre, for a picture that is as large as what that cell sees.

    Where the cell sees more than a whole picture, and for labels, the picture is whole and padded as in the network.
    Else no padding is in sight of the centre, so the convolutions before run without any and compute this cell alone.
    """

    def __init__(self, network: Checkpoint, layer: str, dtype: torch.dtype = torch.float32) -> None:
        self.row = network.architecture.layer(layer)
        self.is_label = layer == LABELS
        self.side = min(self.row.receptive_field, network.architecture.input_size)
        """Side of the picture, in pixels."""
        self.channels = self.row.shape[0]
        self._whole = self.is_label or self.row.receptive_field > network.architecture.input_size
        self._preprocessing = network.preprocessing
        self._dtype = dtype
        self._module = torch_network(network).to(dtype).to(memory_format=torch.channels_last)
        self._rows = network.architecture.layers
        if self.is_label:
            weights = np.stack([logit_weights(network, row) for row in range(network.architecture.outputs)])
            self._evidence = torch.from_numpy(weights)

    def values(self, pixels_NCHW: Tensor) -> Tensor:
        """(N, C) before the activation, of pictures (N, 3, S, S) from 0 to 255; of labels (N, K) their evidence.

        Evidence as in :mod:`model.explain`: a label's logit, less the mean logit of its vocabulary where that is a
        softmax. Before the activation, because a unit that is off has no gradient after it.
        """
        mean = torch.tensor(self._preprocessing.mean).view(1, 3, 1, 1)
        x = ((pixels_NCHW - mean) * self._preprocessing.scale).to(self._dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        for row in self._rows:
            if row.name == self.row.name:
                break
            x = self._step(row, x)
        x = self._sum(self.row, x.flatten(1) if self.is_label else x).float()
        if self.is_label:
            return x @ self._evidence.T
        middle = x.shape[2] // 2
        return x[:, :, middle, middle]

    def active(self, values: Tensor) -> Tensor:
        """The values after the layer's activation; those of labels as they are."""
        return values if self.row.activation is None else activate(values, self.row.activation)

    def _step(self, row: Layer, x: Tensor) -> Tensor:
        if row.operation != "conv":
            return self._module.step(row, x)
        x = self._sum(row, x)
        return x if row.activation is None else activate(x, row.activation)

    def _sum(self, row: Layer, x: Tensor) -> Tensor:
        child = self._module.get_submodule(row.name)
        if self._whole or isinstance(child, nn.Linear):
            return cast(Tensor, child(x))
        return _convolve(x, cast(nn.Conv2d, child), row)


def _convolve(x: Tensor, child: nn.Conv2d, row: Layer) -> Tensor:
    """A convolution without padding.

    One whose stride is larger than 1 runs over blocks of stride x stride pixels as channels instead, which is the same
    sum: the gradient of 3 channels is slow, that of 48 takes a quarter less time for the whole network.
    """
    stride = row.stride
    rest = -x.shape[2] % stride
    if stride == 1 or (x.shape[2] + rest) // stride < -(-row.kernel // stride):
        return F.conv2d(x, child.weight, child.bias, stride, 0, 1, row.groups)
    more = -row.kernel % stride
    if (x.shape[2] - row.kernel) % stride or rest != more or row.groups != 1:
        return F.conv2d(x, child.weight, child.bias, stride, 0, 1, row.groups)
    blocks = F.pixel_unshuffle(F.pad(x, (0, rest, 0, rest)), stride).contiguous(memory_format=torch.channels_last)
    kernels = F.pixel_unshuffle(F.pad(child.weight, (0, more, 0, more)), stride)
    return F.conv2d(blocks, kernels.contiguous(memory_format=torch.channels_last), child.bias)
