"""Rows of the layer table, and the table in the making. :mod:`model.architecture` spells the table out.

Shapes are (C, H, W): channels, height, width, without the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

Activation = Literal["relu", "tanh", "sigmoid"]
Operation = Literal["conv", "lrn", "pool", "linear"]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One row of the table: an operation, its shapes, and what one of its cells sees of the picture."""

    name: str
    """``conv1``, ``norm1``, ``pool1`` and so on to ``fc8``; also the prefix of its weights' names."""
    operation: Operation
    """What the row does with its input, before its activation."""
    inputs: tuple[int, ...]
    """Shape of the input: (C, H, W). Of fc7 and fc8 (features,)."""
    shape: tuple[int, ...]
    """Shape of the output: (C, H, W). Of a linear layer (features,)."""
    kernel: int = 1
    """Side of the sliding window, in cells of the input."""
    stride: int = 1
    """Cells of the input between neighbouring windows."""
    padding: int = 0
    """Zeros added on each side of the input, in cells."""
    groups: int = 1
    """Columns that do not see each other: a kernel reads 1 / groups of the input's channels."""
    activation: Activation | None = None
    """Function applied to the output, after everything else in the row; None for none."""
    batch_norm: bool = False
    """Whether batch norm stands between weights and activation while training; later it is folded into the weights."""
    dropout: float = 0.0
    """Probability that a unit of the output is set to zero while training."""
    receptive_field: int = 1
    """Side of the square of the picture that one cell of the output sees, in pixels."""
    jump: int = 1
    """Pixels of the picture between neighbouring cells of the output."""
    start: int = 0
    """First pixel of the picture that cell 0 sees; negative where that lies in the padding."""

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights: (out, in / groups, kernel, kernel) or (out, in); empty where there are none."""
        if self.operation == "conv":
            return (self.shape[0], self.inputs[0] // self.groups, self.kernel, self.kernel)
        return (self.shape[0], prod(self.inputs)) if self.operation == "linear" else ()

    @property
    def parameters(self) -> int:
        """Number of weights and biases; those of batch norm, which is folded away, do not count."""
        return prod(self.weight_shape) + self.shape[0] if self.weight_shape else 0

    @property
    def multiply_adds(self) -> int:
        """Multiplications with addition that one picture takes in this row."""
        return prod(self.weight_shape) * prod(self.shape[1:]) if self.weight_shape else 0


def output_side(side: int, kernel: int, stride: int, padding: int = 0) -> int:
    """Return the cells along one side after a convolution or pooling: (side + 2 padding - kernel) // stride + 1."""
    return (side + 2 * padding - kernel) // stride + 1


class LayerTable:
    """A table in the making: each row that is appended reads what comes out of the row before it.

    The first reads a picture of 3 x ``input_size`` x ``input_size``. With ``batch_norm`` all rows that have weights
    get one, but for the logits.
    """

    def __init__(self, input_size: int, *, batch_norm: bool) -> None:
        self.rows: list[Layer] = []
        self._input_size = input_size
        self._batch_norm = batch_norm
        self._shape: tuple[int, ...] = (3, input_size, input_size)
        self._receptive_field = 1
        self._jump = 1
        self._start = 0

    def conv(
        self,
        name: str,
        kernels: int,
        kernel: int,
        *,
        activation: Activation | None,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
    ) -> None:
        """Append a convolution with ``kernels`` kernels of ``kernel`` cells a side."""
        self._append_window(
            name,
            "conv",
            kernels,
            kernel,
            stride=stride,
            padding=padding,
            groups=groups,
            activation=activation,
            batch_norm=self._batch_norm,
        )

    def lrn(self, name: str) -> None:
        """Append a local response normalisation, which leaves shape and receptive field as they are."""
        self._append_window(name, "lrn", self._shape[0], 1, stride=1)

    def pool(self, name: str, window: int, *, stride: int, activation: Activation | None = None) -> None:
        """Append a max-pooling over windows of ``window`` cells a side."""
        self._append_window(name, "pool", self._shape[0], window, stride=stride, activation=activation)

    def linear(self, name: str, units: int, *, activation: Activation, dropout: float) -> None:
        """Append a fully-connected layer of ``units`` hidden units, each of which sees the whole picture."""
        self._append_linear(name, units, activation=activation, batch_norm=self._batch_norm, dropout=dropout)

    def logits(self, name: str, labels: int) -> None:
        """Append the last fully-connected layer: one number for each of ``labels`` labels, with no activation."""
        self._append_linear(name, labels)

    def _append_linear(
        self,
        name: str,
        units: int,
        *,
        activation: Activation | None = None,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        self._append(
            Layer(
                name=name,
                operation="linear",
                inputs=self._shape,
                shape=(units,),
                activation=activation,
                batch_norm=batch_norm,
                dropout=dropout,
                receptive_field=self._input_size,
                jump=self._input_size,
            )
        )

    def _append_window(
        self,
        name: str,
        operation: Operation,
        channels: int,
        kernel: int,
        *,
        stride: int,
        padding: int = 0,
        groups: int = 1,
        activation: Activation | None = None,
        batch_norm: bool = False,
    ) -> None:
        """Append a window of ``kernel`` cells a side that slides over the row before."""
        side = output_side(self._shape[1], kernel, stride, padding)
        self._append(
            Layer(
                name=name,
                operation=operation,
                inputs=self._shape,
                shape=(channels, side, side),
                kernel=kernel,
                stride=stride,
                padding=padding,
                groups=groups,
                activation=activation,
                batch_norm=batch_norm,
                receptive_field=self._receptive_field + (kernel - 1) * self._jump,
                jump=self._jump * stride,
                start=self._start - padding * self._jump,
            )
        )

    def _append(self, row: Layer) -> None:
        self.rows.append(row)
        self._shape = row.shape
        self._receptive_field = row.receptive_field
        self._jump = row.jump
        self._start = row.start
