"""From what the model says to the answers of ``app.http.schemas``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.errors import GlassbotError
from app.http import schemas
from app.inference.images import Sight
from app.inference.results import Described, Explained, Timing
from model.checkpoint import Checkpoint
from model.describe import Description
from model.explain import Method
from model.language.sentence import Caption
from model.preprocess import Crop


def prediction(described: Described, checkpoint: Checkpoint) -> schemas.Prediction:
    """All that is said of one picture."""
    return schemas.Prediction(
        image=image(described.sight),
        timing_ms=timing(described.timing),
        **said(described.description, checkpoint),
    )


def predicted(described: Described, checkpoint: Checkpoint, request_id: str) -> schemas.PredictResponse:
    """The same, as the answer to ``POST /predict``."""
    return schemas.PredictResponse(
        request_id=request_id,
        model=model_name(checkpoint),
        image=image(described.sight),
        timing_ms=timing(described.timing),
        **said(described.description, checkpoint),
    )


def said(description: Description, checkpoint: Checkpoint) -> dict[str, Any]:
    """``caption``, ``labels`` and ``words``."""
    return {
        "caption": caption(description.caption, checkpoint),
        "labels": [
            schemas.LabelAnswer(label=s.label.name, id=s.label.id, score=s.score, kind=s.vocabulary)
            for s in description.labels
        ],
        "words": [
            schemas.WordAnswer(word=s.label.name, score=s.score, people_in_five=round(5 * s.score))
            for s in description.words
        ],
    }


def caption(caption: Caption, checkpoint: Checkpoint) -> schemas.CaptionAnswer:
    """The sentence, with how often its tier was right where that was measured."""
    return schemas.CaptionAnswer(
        text=caption.text,
        alt_text=caption.alt_text,
        confidence=caption.confidence,
        tier=caption.tier,
        right_times_in_ten=right_times_in_ten(caption, checkpoint),
        claims=[
            schemas.ClaimAnswer(node=c.node, kind=c.vocabulary, role=c.role, probability=c.probability)
            for c in caption.claims
        ],
    )


def right_times_in_ten(caption: Caption, checkpoint: Checkpoint) -> int | None:
    """How often the tier of the sentence's first claim was right, where ``calibrate`` measured it; else None."""
    figures = checkpoint.measured.get(caption.claims[0].vocabulary)
    tiers = figures.get("tiers") if isinstance(figures, Mapping) else None
    measured = tiers.get(caption.tier) if isinstance(tiers, Mapping) else None
    accuracy = measured.get("accuracy") if isinstance(measured, Mapping) else None
    if accuracy is None or not all(v.calibrated for v in checkpoint.vocabularies):
        return None
    return round(10 * float(accuracy))


def image(sight: Sight) -> schemas.ImageFacts:
    """The picture that was sent."""
    return schemas.ImageFacts(
        width=sight.width, height=sight.height, format=sight.format, sha256=sight.sha256, crop=box(sight.crop)
    )


def box(crop: Crop) -> schemas.Box:
    """The square that the network saw."""
    return schemas.Box(x=crop.x, y=crop.y, width=crop.width, height=crop.height)


def timing(timing: Timing) -> schemas.Timing:
    """Seconds to milliseconds."""
    values = (timing.decode, timing.queue, timing.model, timing.total)
    decode, queue, model, total = (round(1000 * seconds, 2) for seconds in values)
    return schemas.Timing(decode=decode, queue=queue, model=model, total=total)


def explanation(explained: Explained, method: Method, request_id: str) -> schemas.ExplainResponse:
    """The class map as numbers."""
    sight = explained.sight
    return schemas.ExplainResponse(
        request_id=request_id,
        label=explained.label.name,
        id=explained.label.id,
        kind=explained.kind,
        method=method,
        layer=explained.layer,
        map=[[round(float(cell), 5) for cell in row] for row in explained.map],
        maximum=explained.maximum,
        relevance=[round(float(part), 5) for part in explained.relevance],
        crop=box(sight.crop),
        image=schemas.Size(width=sight.width, height=sight.height),
    )


def problem(error: GlassbotError, request_id: str) -> schemas.Problem:
    """RFC 9457."""
    return schemas.Problem(
        type=error.type,
        title=error.title,
        status=error.status,
        detail=error.detail,
        request_id=request_id,
        errors=[schemas.ProblemError(where=e["where"], what=e["what"]) for e in error.errors],
    )


def model_name(checkpoint: Checkpoint) -> schemas.ModelName:
    """Which network answers."""
    return schemas.ModelName(name=checkpoint.name, version=checkpoint.version)


def model(checkpoint: Checkpoint) -> schemas.ModelResponse:
    """The network: its layers, vocabularies, and what was measured."""
    architecture = checkpoint.architecture
    fields = ("name", "kernel", "stride", "padding", "groups", "parameters", "multiply_adds",
              "receptive_field", "jump", "start")  # fmt: skip
    return schemas.ModelResponse(
        name=checkpoint.name,
        version=checkpoint.version,
        input_size=architecture.input_size,
        parameters=architecture.parameters,
        layers=[
            schemas.LayerAnswer(
                kind=layer.operation, shape=list(layer.shape), **{field: getattr(layer, field) for field in fields}
            )
            for layer in architecture.layers
        ],
        vocabularies=[
            schemas.VocabularyAnswer(
                name=v.name,
                kind="exclusive" if v.activation == "softmax" else "independent",
                size=len(v),
                calibrated=v.calibrated,
                labels=[schemas.LabelEntry(id=la.id, name=la.name, gloss=la.gloss) for la in v.labels],
            )
            for v in checkpoint.vocabularies
        ],
        measured=dict(checkpoint.measured),
        provenance=dict(checkpoint.provenance),
    )
