"""The JSON bodies of all answers: the schemas of the OpenAPI contract.

A field that was renamed keeps its old name beside the new one for one release; :func:`deprecated` marks it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Field(ge=0, le=1)
AmongLabels = Field(
    ge=0,
    le=1,
    description="Of a label its probability among those of its vocabulary: its score in an answer is this times the "
    "vocabulary's gate. Of a word its score.",
)


def deprecated(new_name: str) -> Any:
    """The field of an old name. Marked in the contract only: pydantic's own mark would warn whoever reads the field."""
    return Field(
        description=f"Old name of {new_name}; it goes in release 0.2.0.", json_schema_extra={"deprecated": True}
    )


class Answer(BaseModel):
    """The base of all answers: frozen, and with no fields but those that are documented.

    pydantic builds each one when it is first used, and not all of them while the service starts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ModelName(Answer):
    """The network that answered, by name and version."""

    name: str
    version: str = Field(description="First 12 hexadecimal digits of the checkpoint's SHA-256.")


class Identified(Answer):
    """The request that is answered, and the network that answers it."""

    request_id: str
    model: ModelName


class Box(Answer):
    """A rectangle in pixels of the upright picture."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class Size(Answer):
    """The size of the upright picture, in pixels."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)


class ImageFacts(Size):
    """The picture that was sent."""

    format: str = Field(examples=["JPEG"])
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    crop: Box = Field(description="The square that the network saw.")


class MemberAnswer(Answer):
    """A label that a claim is made of."""

    id: str = Field(description="Raw class name.")
    label: str = Field(description="Natural noun.")
    vocabulary: str = Field(description="Name of the vocabulary that the label belongs to.")
    score: float = Field(
        ge=0,
        le=1,
        description="Probability that the picture shows it; of a word, that one of five people would say it.",
    )


class ClaimAnswer(Answer):
    """One thing that the sentence claims, and how that came about."""

    node: str = Field(description="The label, or the ancestor of it, that is said.")
    phrase: str = Field(description="How a sentence names it.")
    vocabulary: str = Field(description="Name of the vocabulary that the label belongs to.")
    kind: str = deprecated("vocabulary")
    role: str
    probability: float = Probability
    combination: Literal["sum", "any"] = Field(
        description="sum: probability is the sum of all members and of rest. any: that at least one member holds."
    )
    members: list[MemberAnswer] = Field(description="The labels it is made of, most probable first; none below 0.005.")
    rest: float = Field(ge=0, le=1, description="Of a sum: less probable labels, and things of this kind without one.")


class CaptionAnswer(Answer):
    """One honest sentence about the picture."""

    text: str
    alt_text: str
    confidence: float = Field(ge=0, le=1, description="Probability that every claim holds.")
    tier: Literal["sure", "think", "hedge", "pass"]
    right_times_in_ten: int | None = Field(
        ge=0,
        le=9,
        description="How often the claims of this tier were right on the kinds of pictures it was tested on, by the "
        "lower end of its 95 % interval; null where not measured.",
    )
    threshold: float | None = Field(
        description="The confidence from which this is said in its tier, of a pass from which it would be said at all; "
        "null where it never would."
    )
    blank: bool = Field(
        default=False,
        description="Whether the picture is all one colour: then nothing is claimed, however probable a label is.",
    )
    claims: list[ClaimAnswer]
    additions: list[ClaimAnswer] = Field(
        default=[],
        description='What the sentence adds with a "maybe"; the confidence and the tier are those of the claims alone.',
    )


class LabelAnswer(Answer):
    """A label of a vocabulary whose labels exclude each other."""

    label: str = Field(description="Natural noun.")
    id: str = Field(description="Raw class name.")
    score: float = Field(
        ge=0, le=1, description="Probability that the picture shows it; those of a vocabulary sum to its gate."
    )
    vocabulary: str = Field(description="Name of the vocabulary that the label belongs to.")
    kind: str = deprecated("vocabulary")


class WordAnswer(Answer):
    """A word that people would use of the picture."""

    word: str
    score: float = Probability
    people_in_five: int = Field(ge=0, le=5, description="How many of five people would say it.")


class Timing(Answer):
    """Milliseconds that each step took; 0 where its result came from a cache."""

    decode: float
    queue: float
    model: float
    total: float


class Prediction(Answer):
    """What is said of one picture."""

    image: ImageFacts
    caption: CaptionAnswer
    labels: list[LabelAnswer]
    words: list[WordAnswer]
    gates: dict[str, float] = Field(
        description="For each vocabulary of labels: the probability that the picture shows any of them."
    )
    timing_ms: Timing


class PredictResponse(Prediction, Identified):
    """The answer to ``POST /predict``: a prediction, the request it answers and the network."""


class ProblemError(Answer):
    """One of several things that are wrong with a request."""

    where: str
    what: str


class Problem(Answer):
    """A problem as RFC 9457 defines it."""

    type: str = Field(description="Stable URI of this kind of problem.", examples=["urn:glassbot:problem:not-an-image"])
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[ProblemError] = Field(default=[], description="Where several things are wrong: each of them.")


class BatchItem(Answer):
    """One file of a batch: either ``ok`` or ``problem`` is null."""

    file: str = Field(description="The name it was sent under.")
    ok: Prediction | None
    problem: Problem | None


class BatchResponse(Identified):
    """The answer to ``POST /predict/batch``, in the order of the files."""

    items: list[BatchItem]


class ExplainResponse(Answer):
    """The answer to ``POST /explain``: where the evidence for a label lay."""

    request_id: str
    label: str
    id: str
    vocabulary: str = Field(description="Name of the vocabulary that the label belongs to.")
    kind: str = deprecated("vocabulary")
    method: Literal["gradcam", "hirescam", "layercam"]
    layer: str = Field(description="The convolution whose cells the map has.")
    map: list[list[float]] = Field(description="Rows of cells of the layer, as shares of the largest.")
    maximum: float = Field(ge=0, description="The largest cell, in units of a logit; 0 where there is no evidence.")
    relevance: list[float] = Field(description="What each channel of the layer adds to the label's lead.")
    crop: Box
    image: Size


class LayerAnswer(Answer):
    """One row of the layer table."""

    name: str
    operation: str = Field(description="conv, lrn, pool or linear.")
    kind: str = deprecated("operation")
    shape: list[int]
    kernel: int
    stride: int
    padding: int
    groups: int
    parameters: int
    multiply_adds: int
    receptive_field: int
    jump: int
    start: int


class LabelEntry(Answer):
    """A label that the network knows."""

    id: str
    name: str
    gloss: str
    synonyms: list[str] = Field(description="Other words that people use for it.")
    kinds: list[str] = Field(description="What it is a kind of, nearest first.")


class VocabularyAnswer(Answer):
    """One question that the network answers, and the labels it chooses from."""

    name: str
    activation: Literal["softmax", "sigmoid"] = Field(
        description="softmax: the labels exclude each other. sigmoid: each holds or not, whatever the others do."
    )
    kind: Literal["exclusive", "independent"] = deprecated("activation, where softmax is exclusive")
    size: int
    calibrated: bool
    labels: list[LabelEntry]


class ModelResponse(Answer):
    """The answer to ``GET /model``: the network that is served."""

    name: str
    version: str
    input_size: int
    input_detail: int = Field(
        description="Side in pixels that a larger square is made before it is brought to input_size; 0: it is not."
    )
    parameters: int
    layers: list[LayerAnswer]
    vocabularies: list[VocabularyAnswer]
    measured: dict[str, Any]
    provenance: dict[str, Any]


class Health(Answer):
    """The answer to ``GET /livez`` and ``GET /readyz``."""

    status: Literal["alive", "ready"]
