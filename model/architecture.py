"""The layer table of AlexNet (Krizhevsky, Sutskever, Hinton; NIPS 2012, section 3), as frozen data. Pure.

Everything that depends on the shape of the network reads this table: the torch module, the OpenVINO graph,
the class maps, the page. Shapes are C, H, W without the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

Activation = Literal["relu", "tanh", "sigmoid"]
Operation = Literal["conv", "lrn", "pool", "linear"]

MAPS = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7")
"""Layers whose activations are shown, in the order in which a picture passes them."""


@dataclass(frozen=True, kw_only=True)
class LocalResponseNorm:
    """b = a / (k + alpha * sum of a^2 over ``size`` neighbouring channels) ^ beta (section 3.3), with a plain sum.

    Libraries divide alpha by ``size``: hand them ``alpha * size``.
    """

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One row of the table."""

    name: str
    operation: Operation
    inputs: tuple[int, ...]
    """Shape that goes in: (C, H, W), or (features,) for a linear layer."""
    shape: tuple[int, ...]
    """Shape that comes out."""
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    groups: int = 1
    activation: Activation | None = None
    """Applied last in this row."""
    batch_norm: bool = False
    """Between the weights and the activation; only while training, folded into the weights afterwards."""
    dropout: float = 0.0
    receptive_field: int = 1
    """Side, in input pixels, of the square that one cell sees."""
    jump: int = 1
    """Input pixels between neighbouring cells."""
    start: int = 0
    """First input pixel seen by cell 0; negative where it begins in the padding."""

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """(out, in / groups, kernel, kernel) or (out, in); empty where the row has no weights."""
        if self.operation == "conv":
            return (self.shape[0], self.inputs[0] // self.groups, self.kernel, self.kernel)
        return (self.shape[0], prod(self.inputs)) if self.operation == "linear" else ()

    @property
    def parameters(self) -> int:
        """Weights and biases; batch norm, which is folded away, is not counted."""
        return prod(self.weight_shape) + self.shape[0] if self.weight_shape else 0

    @property
    def multiply_adds(self) -> int:
        """Of one picture."""
        return prod(self.weight_shape) * prod(self.shape[1:]) if self.weight_shape else 0


def output_side(side: int, kernel: int, stride: int, padding: int = 0) -> int:
    """Cells along one side after a convolution or pooling: M_z = (M_x + 2 p - M_F) // s + 1."""
    return (side + 2 * padding - kernel) // stride + 1


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The choices that make one AlexNet; :attr:`layers` is the table they lead to.

    Raises ValueError for values that give no network.
    """

    outputs: int = 1000
    """Rows of fc8: the labels of all vocabularies together."""
    input_size: int = 227
    """Side of the square picture, in pixels; 227 is the paper's 224 with the padding that its 55 x 55 maps need."""
    channels: tuple[int, ...] = (96, 256, 384, 384, 256)
    """Kernels of conv1 to conv5."""
    conv1_padding: int = 0
    """Zeros around the standardised picture, on each side."""
    columns: Literal[1, 2] = 2
    """Two columns group conv2, conv4 and conv5, as on the paper's two GPUs (section 3.2)."""
    activation: Activation = "relu"
    lrn: LocalResponseNorm | None = field(default_factory=LocalResponseNorm)
    lrn_before_activation: bool = False
    """False: ReLU, LRN, pool (the text). True: LRN, pool, ReLU (the program)."""
    overlapping_pooling: bool = True
    """Windows of 3 at stride 2 (section 3.4), else of 2."""
    batch_norm: bool = False
    dropout: float = 0.5
    dropout_at_test: bool = False
    """False: what stays in training is scaled up by 1 / (1 - dropout). True: all is scaled down at test time (section
    4.2). The same function once folded into the weights after it."""
    without: str = ""
    """A convolution that is left out, as section 7 does with the middle ones."""

    def __post_init__(self) -> None:
        if self.outputs < 1:
            raise ValueError(f"A network needs at least one output, not {self.outputs}.")
        if self.columns not in (1, 2):
            raise ValueError(f"A network has 1 or 2 columns, not {self.columns}.")
        if self.activation not in ("relu", "tanh", "sigmoid"):
            raise ValueError(f"Activation must be relu, tanh or sigmoid, not {self.activation!r}.")
        if self.without not in ("", "conv3", "conv4", "conv5"):
            raise ValueError(f"Only conv3, conv4 or conv5 can be left out, not {self.without!r}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Dropout must be at least 0 and below 1, not {self.dropout}.")
        self._check_convolutions()

    def _check_convolutions(self) -> None:
        if len(self.channels) != 5 or min(self.channels) < 1 or any(n % self.columns for n in self.channels):
            raise ValueError(f"Five numbers of kernels must each fill {self.columns} columns, not {self.channels}.")
        if self.conv1_padding < 0:
            raise ValueError(f"The padding of conv1 must be at least 0, not {self.conv1_padding}.")
        if min(self.layer("pool5").shape) < 1 or self.input_size < 11:
            least = 67 - 2 * self.conv1_padding
            raise ValueError(f"Pictures of {self.input_size} px are too small for this network: use at least {least}.")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The table, in the order in which a picture passes it."""
        return tuple(self._rows())

    def layer(self, name: str) -> Layer:
        """The row of that name. Raises KeyError."""
        for row in self._rows():
            if row.name == name:
                return row
        raise KeyError(name)

    @property
    def parameters(self) -> int:
        """Weights and biases of the whole network."""
        return sum(row.parameters for row in self._rows())

    @property
    def multiply_adds(self) -> int:
        """Of one picture through the whole network."""
        return sum(row.multiply_adds for row in self._rows())

    def at(self, input_size: int) -> Architecture:
        """The same network for pictures of another size: only fc6 changes its shape."""
        return replace(self, input_size=input_size)

    def _rows(self) -> Iterator[Layer]:
        early = None if self.lrn_before_activation else self.activation
        late = self.activation if self.lrn_before_activation else None
        row = Layer(name="picture", operation="pool", inputs=(), shape=(3, self.input_size, self.input_size))
        for number, kernel, stride, padding, groups in (
            (1, 11, 4, self.conv1_padding, 1),
            (2, 5, 1, 2, self.columns),
            (3, 3, 1, 1, 1),
            (4, 3, 1, 1, self.columns),
            (5, 3, 1, 1, self.columns),
        ):
            normed = number <= 2
            if f"conv{number}" != self.without:
                row = _slide(
                    row, name=f"conv{number}", operation="conv", channels=self.channels[number - 1], kernel=kernel,
                    stride=stride, padding=padding, groups=groups,
                    activation=early if normed else self.activation, batch_norm=self.batch_norm,
                )  # fmt: skip
                yield row
            if normed and self.lrn is not None:
                row = replace(
                    row,
                    name=f"norm{number}",
                    operation="lrn",
                    inputs=row.shape,
                    kernel=1,
                    stride=1,
                    padding=0,
                    groups=1,
                    activation=None,
                    batch_norm=False,
                )
                yield row
            if number in (1, 2, 5):
                row = _slide(
                    row, name=f"pool{number}", operation="pool", channels=row.shape[0], stride=2,
                    kernel=3 if self.overlapping_pooling else 2, activation=late if normed else None,
                )  # fmt: skip
                yield row
        for name, width in (("fc6", 4096), ("fc7", 4096), ("fc8", self.outputs)):
            hidden = name != "fc8"
            row = Layer(
                name=name, operation="linear", inputs=row.shape, shape=(width,),
                activation=self.activation if hidden else None, batch_norm=self.batch_norm and hidden,
                dropout=self.dropout if hidden else 0.0, receptive_field=self.input_size, jump=self.input_size,
            )  # fmt: skip
            yield row


def _slide(
    before: Layer, *, name: str, operation: Operation, channels: int, kernel: int, stride: int, padding: int = 0,
    groups: int = 1, activation: Activation | None = None, batch_norm: bool = False,
) -> Layer:  # fmt: skip
    """A window of ``kernel`` cells sliding over ``before``."""
    side = output_side(before.shape[1], kernel, stride, padding)
    return Layer(
        name=name, operation=operation, inputs=before.shape, shape=(channels, side, side), kernel=kernel, stride=stride,
        padding=padding, groups=groups, activation=activation, batch_norm=batch_norm,
        receptive_field=before.receptive_field + (kernel - 1) * before.jump,
        jump=before.jump * stride, start=before.start - padding * before.jump,
    )  # fmt: skip
