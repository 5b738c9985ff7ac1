"""The layer table of AlexNet (Krizhevsky, Sutskever, Hinton; NIPS 2012), as frozen data.

:meth:`Architecture._convolutions` and :meth:`Architecture._fully_connected` spell the table out, from conv1 to fc8.
Whatever depends on the shape of the network reads it: the torch module, the OpenVINO graph, the class maps, the page.

Shapes are (C, H, W): channels, height, width, without the batch. "Section" means a section of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from model.layers import Activation, Layer, LayerTable, Operation, output_side

__all__ = ["Activation", "Architecture", "Layer", "LocalResponseNorm", "Operation", "output_side"]


@dataclass(frozen=True, kw_only=True)
class LocalResponseNorm:
    """b = a / (k + alpha * sum of a^2 over ``size`` neighbouring channels) ^ beta (section 3.3), with a plain sum.

    Libraries divide alpha by ``size``: hand them ``alpha * size``.
    """

    size: int = 5
    """Neighbouring channels that are summed, the channel itself among them; the paper's n."""
    alpha: float = 1e-4
    """Factor of the sum of squares."""
    beta: float = 0.75
    """Exponent of the whole denominator."""
    k: float = 2.0
    """Constant that keeps the denominator away from zero."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The choices that make one AlexNet; :attr:`layers` is the table they lead to.

    Raises ValueError for values that give no network.
    """

    outputs: int = 1000
    """Rows of fc8: the labels of all vocabularies together."""
    input_size: int = 227
    """Side of the square picture, in pixels; 227 is the paper's 224 with the padding that its 55 x 55 maps need."""
    input_detail: int = 0
    """Side in pixels that a larger picture's square is made before it is enlarged to ``input_size``: a network that has
    seen nothing but small pictures tells more without the detail that those did not have. 0 leaves all of it."""
    channels: tuple[int, ...] = (96, 256, 384, 384, 256)
    """Number of kernels of conv1 to conv5."""
    conv1_padding: int = 0
    """Zeros around the standardised picture, in pixels on each side."""
    columns: Literal[1, 2] = 2
    """2 splits conv2, conv4 and conv5 into two groups, as on the paper's two GPUs (section 3.2); 1 does not."""
    activation: Activation = "relu"
    """Activation of every convolution and of fc6 and fc7 (section 3.1)."""
    lrn: LocalResponseNorm | None = field(default_factory=LocalResponseNorm)
    """Local response normalisation after conv1 and conv2 (section 3.3); None leaves it out."""
    lrn_before_activation: bool = False
    """False: ReLU, normalise, pool, as the paper says. True: normalise, pool, ReLU, as cuda-convnet ran it in 2012."""
    overlapping_pooling: bool = True
    """True: pooling windows of 3 at stride 2 (section 3.4). False: windows of 2 at stride 2."""
    batch_norm: bool = False
    """Whether the network has batch norm, which is younger than the paper; only while it is trained."""
    dropout: float = 0.5
    """Probability that a unit of fc6 or fc7 is set to zero while training (section 4.2)."""
    dropout_at_test: bool = False
    """False: units that stay are multiplied by 1 / (1 - dropout) while training. True: all units are multiplied by
    1 - dropout afterwards, as in section 4.2. The same function once the factor is folded into the weights."""
    without: str = ""
    """Name of a convolution that is left out (section 7): conv3, conv4 or conv5; empty for none."""

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
        if self.input_detail < 0:
            raise ValueError(f"The detail of pictures is a side in pixels, or 0 for all, not {self.input_detail}.")
        self._check_convolutions()

    def _check_convolutions(self) -> None:
        if len(self.channels) != 5 or min(self.channels) < 1 or any(n % self.columns for n in self.channels):
            raise ValueError(f"Five numbers of kernels must each fill {self.columns} columns, not {self.channels}.")
        if self.conv1_padding < 0:
            raise ValueError(f"The padding of conv1 must be at least 0, not {self.conv1_padding}.")
        if min(self.layer("pool5").shape) < 1 or self.input_size < 11:
            least = 67 - 2 * self.conv1_padding
            raise ValueError(f"Pictures of {self.input_size} px are too small for this network: use at least {least}.")

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The rows of the table, in the order in which a picture passes them."""
        table = LayerTable(self.input_size, batch_norm=self.batch_norm)
        self._convolutions(table)
        self._fully_connected(table)
        return tuple(table.rows)

    def _convolutions(self, table: LayerTable) -> None:
        """Append conv1 to pool5. Comments give what comes out for the paper's picture of 3 x 227 x 227."""
        conv1, conv2, conv3, conv4, conv5 = self.channels
        relu = self.activation  # the paper's; tanh or sigmoid in experiments
        window = 3 if self.overlapping_pooling else 2
        columns = self.columns
        before, after = (None, relu) if self.lrn_before_activation else (relu, None)
        # conv1, section 3.5: 96 kernels of 11 x 11 x 3, four pixels apart -> 96 x 55 x 55
        table.conv("conv1", conv1, 11, stride=4, padding=self.conv1_padding, activation=before)
        # norm1, section 3.3: local response normalisation -> 96 x 55 x 55
        if self.lrn is not None:
            table.lrn("norm1")
        # pool1, section 3.4: the largest of overlapping 3 x 3 windows -> 96 x 27 x 27
        table.pool("pool1", window, stride=2, activation=after)
        # conv2, sections 3.2 and 3.5: 256 kernels of 5 x 5 x 48, each within its own column -> 256 x 27 x 27
        table.conv("conv2", conv2, 5, padding=2, groups=columns, activation=before)
        # norm2, section 3.3 -> 256 x 27 x 27
        if self.lrn is not None:
            table.lrn("norm2")
        # pool2, section 3.4 -> 256 x 13 x 13
        table.pool("pool2", window, stride=2, activation=after)
        # conv3, section 3.5: 384 kernels of 3 x 3 x 256, which see both columns -> 384 x 13 x 13
        if self.without != "conv3":
            table.conv("conv3", conv3, 3, padding=1, activation=relu)
        # conv4, section 3.5: 384 kernels of 3 x 3 x 192, each within its own column -> 384 x 13 x 13
        if self.without != "conv4":
            table.conv("conv4", conv4, 3, padding=1, groups=columns, activation=relu)
        # conv5, section 3.5: 256 kernels of 3 x 3 x 192, each within its own column -> 256 x 13 x 13
        if self.without != "conv5":
            table.conv("conv5", conv5, 3, padding=1, groups=columns, activation=relu)
        # pool5, section 3.4 -> 256 x 6 x 6
        table.pool("pool5", window, stride=2)

    def _fully_connected(self, table: LayerTable) -> None:
        """Append fc6 to fc8 (section 3.5), the first two with dropout (section 4.2)."""
        # fc6: all 9216 cells of pool5 -> 4096
        table.linear("fc6", 4096, activation=self.activation, dropout=self.dropout)
        # fc7: 4096 -> 4096
        table.linear("fc7", 4096, activation=self.activation, dropout=self.dropout)
        # fc8: 4096 -> one logit for each label
        table.logits("fc8", self.outputs)

    def layer(self, name: str) -> Layer:
        """The row of that name. Raises KeyError where the network has none."""
        for row in self.layers:
            if row.name == name:
                return row
        raise KeyError(name)

    @cached_property
    def activation_names(self) -> tuple[str, ...]:
        """Names of the rows whose activations are shown: all but normalisations and fc8, in the table's order."""
        return tuple(row.name for row in self.layers if row.operation != "lrn" and row.name != "fc8")

    @cached_property
    def last_convolution(self) -> str:
        """Name of the convolution that pool5 reads, whose cells a class map has: conv5, or conv4 without conv5."""
        return next(row.name for row in reversed(self.layers) if row.operation == "conv")

    @property
    def parameters(self) -> int:
        """Weights and biases of the whole network."""
        return sum(row.parameters for row in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiplications with addition that one picture takes through the whole network."""
        return sum(row.multiply_adds for row in self.layers)

    def at(self, input_size: int) -> Architecture:
        """The same network for pictures of another size in pixels: only fc6 changes its shape."""
        return replace(self, input_size=input_size)
