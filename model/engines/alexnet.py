"""AlexNet as a torch module that can be trained, built from the layer table of :mod:`model.architecture`.

Shapes: N batch, C channels, H height, W width, S side of the picture, F features, K outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.architecture import Activation, Architecture, Layer, LocalResponseNorm

Initialisation = Literal["paper", "source_2012", "fan_in"]

_BIASES_OF_ONE = frozenset({"conv2", "conv4", "conv5", "fc6", "fc7"})


class AlexNet(nn.Module):
    """The network of NIPS 2012, one child module for each row of the table that has weights.

    Children are named as their rows (``conv1`` … ``fc8``), batch norms ``conv1_norm`` …; so are the keys of the
    state dict, which is also what a checkpoint holds.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        for row in architecture.layers:
            if row.operation == "conv":
                convolution = nn.Conv2d(
                    row.inputs[0], row.shape[0], row.kernel, row.stride, row.padding, groups=row.groups
                )
                self.add_module(row.name, convolution)
            elif row.operation == "linear":
                self.add_module(row.name, nn.Linear(row.weight_shape[1], row.shape[0]))
            if row.batch_norm:
                norm = nn.BatchNorm2d if row.operation == "conv" else nn.BatchNorm1d
                self.add_module(f"{row.name}_norm", norm(row.shape[0]))

    @torch.no_grad()
    def initialise(self, scheme: Initialisation, generator: torch.Generator | None = None) -> AlexNet:
        """Draw all weights anew from normal distributions around 0, and return the network.

        ``paper``: standard deviation 0.01; biases 1 in conv2, conv4, conv5, fc6 and fc7, else 0 (section 5).
        ``source_2012``: the same with 0.03 in conv3 to conv5, as in cuda-convnet's configuration. ``fan_in``:
        sqrt(2 / fan-in) with biases 0, for networks with batch norm; fc8 keeps 0.01, so that first answers are even.
        """
        for row in self.architecture.layers:
            if not row.weight_shape:
                continue
            child = self.get_submodule(row.name)
            spread = 0.01
            if scheme == "source_2012" and row.name in ("conv3", "conv4", "conv5"):
                spread = 0.03
            elif scheme == "fan_in" and row.name != "fc8":
                spread = float((2 / child.weight[0].numel()) ** 0.5)  # type: ignore[index]
            nn.init.normal_(child.weight, 0.0, spread, generator=generator)  # type: ignore[arg-type]
            bias = 1.0 if scheme != "fan_in" and row.name in _BIASES_OF_ONE else 0.0
            nn.init.constant_(child.bias, bias)  # type: ignore[arg-type]
        return self

    @overload
    def forward(self, x: Tensor) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, maps: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]: ...

    def forward(self, x: Tensor, maps: Sequence[str] | None = None) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Return (N, K) logits of standardised (N, 3, S, S) pictures; with ``maps``, also those rows' activations."""
        activations: dict[str, Tensor] = {}
        for row in self.architecture.layers:
            x = self.step(row, x)
            if maps is not None and row.name in maps:
                activations[row.name] = x
        return x if maps is None else (x, activations)

    def step(self, row: Layer, x: Tensor) -> Tensor:
        """Return the output of one row of the table for the input ``x``, with batch norm, activation and dropout."""
        if row.operation == "pool":
            x = F.max_pool2d(x, row.kernel, row.stride)
        elif row.operation == "lrn":
            assert self.architecture.lrn is not None
            x = local_response_norm(x, self.architecture.lrn)
        else:
            x = self.get_submodule(row.name)(x.flatten(1) if row.operation == "linear" else x)
            if row.batch_norm:
                x = self.get_submodule(f"{row.name}_norm")(x)
        if row.activation is not None:
            x = activate(x, row.activation)
        if row.dropout and self.architecture.dropout_at_test:
            factor = 1 - row.dropout
            return F.dropout(x, row.dropout) * factor if self.training else x * factor
        return F.dropout(x, row.dropout, self.training) if row.dropout else x


def local_response_norm(x: Tensor, norm: LocalResponseNorm) -> Tensor:
    """Return (N, C, H, W) activations after local response normalisation (section 3.3), in any float type.

    It adds shifted squares, in one pass that a compiler can fuse. ``F.local_response_norm`` pools over a fifth
    dimension instead, which takes several passes over memory.
    """
    channels = x.shape[1]
    squares = F.pad(x * x, (0, 0, 0, 0, norm.size // 2, (norm.size - 1) // 2))
    total = squares[:, :channels]
    for shift in range(1, norm.size):
        total = total + squares[:, shift : shift + channels]
    base = norm.k + norm.alpha * total
    if norm.beta == 0.75:  # noqa: SIM108 two square roots are several times cheaper than a power
        divided = x * base.rsqrt() * base.sqrt().rsqrt()
    else:
        divided = x * base.pow(-norm.beta)
    return divided


def activate(x: Tensor, activation: Activation) -> Tensor:
    """Return the activation function of every cell of ``x``."""
    if activation == "relu":
        return F.relu(x)
    return torch.tanh(x) if activation == "tanh" else torch.sigmoid(x)
