"""Turns results of the network into the answers of ``app.http.schemas``. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from app.errors import GlassbotError
from app.http import schemas
from app.inference.images import DecodedImage
from app.inference.results import Described, Explained, Timing
from model.architecture import Layer
from model.checkpoint import Checkpoint
from model.describe import Scored
from model.explain import Method
from model.language.beliefs import Claim, Guess
from model.language.sentence import Caption
from model.preprocess import Crop
from model.vocabulary import Label, Vocabulary

LEAST_MEMBER = 0.005
"""Least probability of a label that is listed as a member of a claim."""
MOST_IN_TEN = 9
"""Most that is said of how often in ten a sentence is right."""


def prediction(described: Described, checkpoint: Checkpoint) -> schemas.Prediction:
    """All that is said of one picture: the caption, labels and words."""
    description = described.description
    return schemas.Prediction(
        image=image(described.image),
        caption=caption(description.caption, checkpoint),
        labels=[label(scored) for scored in description.labels],
        words=[word(scored) for scored in description.words],
        gates=dict(description.gates),
        timing_ms=timing(described.timing),
    )


def predict_response(described: Described, checkpoint: Checkpoint, request_id: str) -> schemas.PredictResponse:
    """The prediction of one picture as the answer to ``POST /predict``."""
    return schemas.PredictResponse(
        request_id=request_id, model=model_name(checkpoint), **dict(prediction(described, checkpoint))
    )


def label(scored: Scored) -> schemas.LabelAnswer:
    """A label with its probability."""
    name = scored.vocabulary
    return schemas.LabelAnswer(
        label=scored.label.name, id=scored.label.id, score=scored.score, vocabulary=name, kind=name
    )


def word(scored: Scored) -> schemas.WordAnswer:
    """A word with its probability, also said as people in five."""
    return schemas.WordAnswer(word=scored.label.name, score=scored.score, people_in_five=round(5 * scored.score))


def caption(caption: Caption, checkpoint: Checkpoint) -> schemas.CaptionAnswer:
    """The sentence, with how often sentences of its tier were right where that was measured."""
    return schemas.CaptionAnswer(
        text=caption.text,
        alt_text=caption.alt_text,
        confidence=caption.confidence,
        tier=caption.tier,
        right_times_in_ten=right_times_in_ten(caption, checkpoint),
        threshold=caption.threshold,
        blank=caption.blank,
        claims=[claim(one) for one in caption.claims],
        additions=[claim(one) for one in caption.additions],
    )


def claim(claim: Claim) -> schemas.ClaimAnswer:
    """One thing that the sentence claims, with the labels that it is made of."""
    listed = [guess for guess in claim.members if guess.probability >= LEAST_MEMBER] or claim.members[:1]
    rest = claim.probability - sum(guess.probability for guess in listed) if claim.combination == "sum" else 0.0
    return schemas.ClaimAnswer(
        node=claim.node,
        phrase=claim.phrase,
        vocabulary=claim.vocabulary,
        kind=claim.vocabulary,
        role=claim.role,
        probability=claim.probability,
        combination=claim.combination,
        members=[member(guess) for guess in listed],
        rest=max(0.0, rest),
    )


def member(guess: Guess) -> schemas.MemberAnswer:
    """One label that a claim is made of."""
    return schemas.MemberAnswer(
        id=guess.label.id, label=guess.label.name, vocabulary=guess.vocabulary, score=guess.probability
    )


def right_times_in_ten(caption: Caption, checkpoint: Checkpoint) -> int | None:
    """How often in ten the tier of the sentence's first claim was right; None where that was not measured.

    It is what the lower end of the interval supports, and never ten: no tier is right of every photo.
    """
    figures = checkpoint.measured.get(caption.claims[0].vocabulary)
    tiers = figures.get("tiers") if isinstance(figures, Mapping) else None
    measured = tiers.get(caption.tier) if isinstance(tiers, Mapping) else None
    low = measured.get("low") if isinstance(measured, Mapping) else None
    if low is None or not all(v.calibrated for v in checkpoint.vocabularies):
        return None
    return min(MOST_IN_TEN, round(10 * float(low)))


def image(image: DecodedImage) -> schemas.ImageFacts:
    """The facts of the picture that was sent."""
    return schemas.ImageFacts(
        width=image.width, height=image.height, format=image.format, sha256=image.sha256, crop=box(image.crop)
    )


def box(crop: Crop) -> schemas.Box:
    """The square that the network saw, in pixels."""
    return schemas.Box(x=crop.x, y=crop.y, width=crop.width, height=crop.height)


def timing(timing: Timing) -> schemas.Timing:
    """The times of one answer in milliseconds."""
    return schemas.Timing(
        decode=_milliseconds(timing.decode_s),
        queue=_milliseconds(timing.queue_s),
        model=_milliseconds(timing.model_s),
        total=_milliseconds(timing.total_s),
    )


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 2)


def explanation(explained: Explained, method: Method, request_id: str) -> schemas.ExplainResponse:
    """The class map of one label as numbers, rounded to five decimals."""
    return schemas.ExplainResponse(
        request_id=request_id,
        label=explained.label.name,
        id=explained.label.id,
        vocabulary=explained.vocabulary,
        kind=explained.vocabulary,
        method=method,
        layer=explained.layer,
        map=[[round(float(cell), 5) for cell in row] for row in explained.map],
        maximum=explained.maximum,
        relevance=[round(float(part), 5) for part in explained.relevance],
        crop=box(explained.image.crop),
        image=schemas.Size(width=explained.image.width, height=explained.image.height),
    )


def label_entry(label: Label) -> schemas.LabelEntry:
    """A label that the network knows, with the words by which it can be found."""
    synonyms = [form for form in label.forms if form != label.name.lower()]
    return schemas.LabelEntry(
        id=label.id, name=label.name, gloss=label.gloss, synonyms=synonyms, kinds=list(label.ancestors)
    )


def problem(error: GlassbotError, request_id: str) -> schemas.Problem:
    """An error as an RFC 9457 problem."""
    return schemas.Problem(
        type=error.type,
        title=error.title,
        status=error.status,
        detail=error.detail,
        request_id=request_id,
        errors=[schemas.ProblemError(where=part["where"], what=part["what"]) for part in error.errors],
    )


def model_name(checkpoint: Checkpoint) -> schemas.ModelName:
    """The name and version of the network that answers."""
    return schemas.ModelName(name=checkpoint.name, version=checkpoint.version)


def model(checkpoint: Checkpoint) -> schemas.ModelResponse:
    """The network: its layers, its vocabularies, and what was measured."""
    architecture = checkpoint.architecture
    return schemas.ModelResponse(
        name=checkpoint.name,
        version=checkpoint.version,
        input_size=architecture.input_size,
        input_detail=architecture.input_detail,
        parameters=architecture.parameters,
        layers=[layer(row) for row in architecture.layers],
        vocabularies=[vocabulary(one) for one in checkpoint.vocabularies],
        measured=dict(checkpoint.measured),
        provenance=dict(checkpoint.provenance),
    )


def layer(layer: Layer) -> schemas.LayerAnswer:
    """One row of the layer table."""
    return schemas.LayerAnswer(
        name=layer.name,
        operation=layer.operation,
        kind=layer.operation,
        shape=list(layer.shape),
        kernel=layer.kernel,
        stride=layer.stride,
        padding=layer.padding,
        groups=layer.groups,
        parameters=layer.parameters,
        multiply_adds=layer.multiply_adds,
        receptive_field=layer.receptive_field,
        jump=layer.jump,
        start=layer.start,
    )


def vocabulary(vocabulary: Vocabulary) -> schemas.VocabularyAnswer:
    """One vocabulary with all its labels."""
    return schemas.VocabularyAnswer(
        name=vocabulary.name,
        activation=vocabulary.activation,
        kind="exclusive" if vocabulary.activation == "softmax" else "independent",
        size=len(vocabulary),
        calibrated=vocabulary.calibrated,
        labels=[label_entry(one) for one in vocabulary.labels],
    )
