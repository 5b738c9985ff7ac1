"""The answers, which are the OpenAPI contract."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Field(ge=0, le=1)


class Answer(BaseModel):
    """All answers are frozen and say no more than they document."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelName(Answer):
    """Which network answered."""

    name: str
    version: str = Field(description="First 12 hexadecimal digits of the checkpoint's SHA-256.")


class Box(Answer):
    """A rectangle in pixels of the upright picture."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class Size(Answer):
    """In pixels, upright."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)


class ImageFacts(Size):
    """The picture that was sent."""

    format: str = Field(examples=["JPEG"])
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    crop: Box = Field(description="The square that the network saw.")


class ClaimAnswer(Answer):
    """One thing the sentence says."""

    node: str = Field(description="The label, or the ancestor of it, that is said.")
    kind: str
    role: str
    probability: float = Probability


class CaptionAnswer(Answer):
    """One honest sentence."""

    text: str
    alt_text: str
    confidence: float = Field(ge=0, le=1, description="Probability that every claim holds.")
    tier: Literal["sure", "think", "hedge", "pass"]
    right_times_in_ten: int | None = Field(
        ge=0, le=10, description="How often this tier was right on held-out pictures; null where not measured."
    )
    claims: list[ClaimAnswer]


class LabelAnswer(Answer):
    """A label of an exclusive vocabulary."""

    label: str = Field(description="Natural noun.")
    id: str = Field(description="Raw class name.")
    score: float = Field(ge=0, le=1, description="Probability within its vocabulary.")
    kind: str


class WordAnswer(Answer):
    """A word that people would use."""

    word: str
    score: float = Probability
    people_in_five: int = Field(ge=0, le=5, description="How many of five people would say it.")


class Timing(Answer):
    """Milliseconds; 0 where a result was remembered."""

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
    timing_ms: Timing


class PredictResponse(Answer):
    """``POST /predict``."""

    request_id: str
    model: ModelName
    image: ImageFacts
    caption: CaptionAnswer
    labels: list[LabelAnswer]
    words: list[WordAnswer]
    timing_ms: Timing


class ProblemError(Answer):
    """One of several things that are wrong."""

    where: str
    what: str


class Problem(Answer):
    """RFC 9457."""

    type: str = Field(description="Stable URI of this kind of problem.", examples=["urn:glassbot:problem:not-an-image"])
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[ProblemError] = Field(default=[], description="Where several things are wrong: each of them.")


class BatchItem(Answer):
    """One file of a batch: ``ok`` or ``problem`` is null."""

    file: str = Field(description="The name it was sent under.")
    ok: Prediction | None
    problem: Problem | None


class BatchResponse(Answer):
    """``POST /predict/batch``, in the order of the files."""

    request_id: str
    model: ModelName
    items: list[BatchItem]


class ExplainResponse(Answer):
    """``POST /explain``: where the evidence for a label lay."""

    request_id: str
    label: str
    id: str
    kind: str
    method: Literal["gradcam", "hirescam", "layercam"]
    layer: str
    map: list[list[float]] = Field(description="Rows of conv5 cells, as shares of the largest.")
    maximum: float = Field(ge=0, description="The largest cell, in units of a logit; 0 where there is no evidence.")
    relevance: list[float] = Field(description="What each channel of conv5 adds to the label's lead.")
    crop: Box
    image: Size


class LayerAnswer(Answer):
    """A row of the layer table."""

    name: str
    kind: str
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


class VocabularyAnswer(Answer):
    """One question that the network answers."""

    name: str
    kind: Literal["exclusive", "independent"]
    size: int
    calibrated: bool
    labels: list[LabelEntry]


class ModelResponse(Answer):
    """``GET /model``."""

    name: str
    version: str
    input_size: int
    parameters: int
    layers: list[LayerAnswer]
    vocabularies: list[VocabularyAnswer]
    measured: dict[str, Any]
    provenance: dict[str, Any]


class Health(Answer):
    """``GET /livez`` and ``GET /readyz``."""

    status: Literal["alive", "ready"]
