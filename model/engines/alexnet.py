"""AlexNet as a torch module: the layer table (``model.architecture``) made trainable.

N batch, C channels, H height, W width, F features, K outputs.
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
                self.add_module(row.name, nn.Conv2d(
                    row.inputs[0], row.shape[0], row.kernel, row.stride, row.padding, groups=row.groups,
                ))  # fmt: skip
            elif row.operation == "linear":
                self.add_module(row.name, nn.Linear(row.weight_shape[1], row.shape[0]))
            if row.batch_norm:
                norm = nn.BatchNorm2d if row.operation == "conv" else nn.BatchNorm1d
                self.add_module(f"{row.name}_norm", norm(row.shape[0]))

    @torch.no_grad()
    def initialise(self, scheme: Initialisation, generator: torch.Generator | None = None) -> AlexNet:
        """Draw all weights anew and return the network.

        ``paper``: N(0, 0.01), biases 1 in conv2, conv4, conv5, fc6 and fc7, else 0 (section 5). ``source_2012``: the
        same with 0.03 in conv3 to conv5, as the program has it. ``fan_in``: N(0, sqrt(2 / fan-in)) with zero biases,
        for networks with batch norm; fc8 keeps 0.01 so that the first answers are even.
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
            one = scheme != "fan_in" and row.name in _BIASES_OF_ONE
            nn.init.constant_(child.bias, 1.0 if one else 0.0)  # type: ignore[arg-type]
        return self

    @overload
    def forward(self, x: Tensor) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, maps: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]: ...

    def forward(self, x: Tensor, maps: Sequence[str] | None = None) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Standardised pictures (N, 3, S, S) to logits (N, K); with ``maps``, also the activations of those rows."""
        kept: dict[str, Tensor] = {}
        for row in self.architecture.layers:
            x = self.step(row, x)
            if maps is not None and row.name in maps:
                kept[row.name] = x
        return x if maps is None else (x, kept)

    def step(self, row: Layer, x: Tensor) -> Tensor:
        """What comes out of one row of the table, with its batch norm, activation and dropout."""
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
            x = _activate(x, row.activation)
        if row.dropout and self.architecture.dropout_at_test:
            kept = 1 - row.dropout
            return F.dropout(x, row.dropout) * kept if self.training else x * kept
        return F.dropout(x, row.dropout, self.training) if row.dropout else x


def local_response_norm(x: Tensor, norm: LocalResponseNorm) -> Tensor:
    """Section 3.3 on (N, C, H, W), as shifted sums over channels: one pass a compiler can fuse, any float type.

    ``F.local_response_norm`` pools over a fifth dimension instead, which costs several passes over memory.
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


def _activate(x: Tensor, activation: Activation) -> Tensor:
    if activation == "relu":
        return F.relu(x)
    return torch.tanh(x) if activation == "tanh" else torch.sigmoid(x)
