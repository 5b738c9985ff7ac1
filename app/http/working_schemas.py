"""The JSON bodies of the answers that show the working: what fed what, and how one number came about."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.http.schemas import AmongLabels, Answer, Size


class NamedImage(Size):
    """The picture, by the name under which it is kept."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class LabelName(Answer):
    """The label that an answer is about."""

    id: str = Field(description="Raw class name.")
    label: str = Field(description="Natural noun.")
    vocabulary: str = Field(description="Name of the vocabulary that the label belongs to.")


class ChannelAnswer(Answer):
    """One channel of a convolution, or one unit of a linear layer."""

    channel: int = Field(ge=0, description="Its number in the layer; of fc8 the row.")
    relevance: float = Field(description="What it adds to the evidence for the label: gradient times activation.")
    maximum: float = Field(description="Its largest activation in this picture; of fc8 the logit.")


class ColumnAnswer(Answer):
    """One layer of the view, with the channels that matter most for the label, that of the most first."""

    name: str
    shape: list[int]
    channels: list[ChannelAnswer]
    shown_share: float = Field(ge=0, le=1.0001, description="Of all relevance, without signs, the part of these.")


class EdgeAnswer(Answer):
    """How much of the evidence came from one channel to one of the next layer."""

    source: tuple[str, int] = Field(alias="from", description="Name of the layer, and the channel.")
    target: tuple[str, int] = Field(alias="to", description="Name of the next layer, and the channel.")
    weight: float = Field(description="In units of a logit; never 0.")


class ConnectionsResponse(Answer):
    """The answer to ``POST /connections``: what fed the answer for one label."""

    request_id: str
    image: NamedImage
    label: LabelName
    logit: float
    probability: float = AmongLabels
    layers: list[ColumnAnswer]
    edges: list[EdgeAnswer]


class OcclusionResponse(LabelName):
    """The answer to ``POST /occlusion``: what the label's answer loses when a part of the square is covered."""

    request_id: str
    image: NamedImage
    probability: float = AmongLabels
    logit: float = Field(description="Of the whole square.")
    cells: int = Field(ge=2, description="Patches along each side of the square.")
    map: list[list[float]] = Field(description="Rows of patches: what the probability loses, below 0 where it gains.")
    logit_map: list[list[float]] = Field(description="The same of the logit.")


class InputName(Answer):
    """What a layer reads: the layer before it, or the photo."""

    layer: str
    shape: list[int]


class Window(Answer):
    """A rectangle in cells of the input; it may reach past the edge, into the padding."""

    top: int
    left: int
    height: int
    width: int


class Patch(Answer):
    """A square in pixels of the square that the network sees; it may reach past its edge."""

    x: int
    y: int
    size: int


class ConvolutionTermAnswer(Answer):
    """What one channel of the input adds to the sum of a convolution."""

    channel: int
    sum: float
    inputs: list[list[float]] = Field(description="Rows of cells of the window; 0 in the padding.")
    weights: list[list[float]] = Field(description="Rows of the kernel.")


class CellName(Answer):
    """One number of a layer of maps."""

    channel: int
    row: int
    column: int


class LinearTermAnswer(Answer):
    """What one number of the input adds to the sum of a unit."""

    unit: int | None = Field(description="The unit of a linear layer that is read; null where a cell is.")
    cell: CellName | None = Field(description="The cell that is read; null where a unit is.")
    input: float
    weight: float
    product: float


class OtherTerms(Answer):
    """The terms that are not told one by one."""

    count: int
    sum: float


class StepAnswer(Answer):
    """What happens to the number before the next layer with weights reads it."""

    step: Literal["lrn", "pool", "relu", "tanh", "sigmoid"]
    value: float
    window: list[list[float]] | None = Field(description="Of pooling: rows of the cells, of which the largest stays.")
    row: int | None = Field(description="Of pooling: row of the cell that it makes.")
    column: int | None = Field(description="Of pooling: column of the cell that it makes.")


class RivalAnswer(Answer):
    """One of the most probable labels of a vocabulary."""

    id: str
    label: str
    logit: float
    probability: float = AmongLabels


class ProbabilityAnswer(Answer):
    """How a logit becomes a probability.

    ``scaled`` is logit / temperature + bias. Softmax: ``exp`` is e^(scaled - largest), ``total`` the sum of that over
    the vocabulary, probability exp / total. Sigmoid: ``exp`` is e^(-scaled), ``total`` 1 + exp, probability 1 / total.
    """

    vocabulary: str
    logit: float
    temperature: float
    bias: float
    scaled: float
    largest: float = Field(description="The largest scaled logit of the vocabulary; 0 for sigmoid.")
    exp: float
    total: float
    probability: float = AmongLabels
    top: list[RivalAnswer]


class CellResponse(Answer):
    """The answer to ``POST /cell``: how one number of the network came about, in the order of its own steps."""

    request_id: str
    image: NamedImage
    layer: str
    channel: int
    row: int
    column: int
    operation: Literal["convolution", "linear"]
    input: InputName
    window: Window | None = Field(description="Null for a linear layer, which reads all of its input.")
    patch: Patch = Field(description="What the number sees of the square.")
    terms: list[ConvolutionTermAnswer] | list[LinearTermAnswer] = Field(
        description="The largest first, of either sign."
    )
    others: OtherTerms
    bias: float
    sum: float
    activation: Literal["relu", "tanh", "sigmoid"] | None = Field(description="Null where none is applied here.")
    value: float = Field(description="The sum after the activation, from what was kept of the layer before.")
    kept: float = Field(
        description="The number as the engine computed it, rounded as its precision does (docs/decisions/0018)."
    )
    after: list[StepAnswer]
    softmax: ProbabilityAnswer | None = Field(description="Of fc8, where the labels exclude each other.")
    sigmoid: ProbabilityAnswer | None = Field(description="Of fc8, where each label holds or not for itself.")
