"""The cards of units as answers: their schemas, and pure functions that make them of what the file of cards holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from app.http.schemas import Answer
from model.checkpoint import Checkpoint
from model.unit_cards import ACROSS, UnitCards
from model.vocabulary import Label

_LABELS = "fc8"


class UnitLayerAnswer(Answer):
    """One layer of which there are cards."""

    name: str = Field(description="conv1 to conv5, as far as the network has them, and fc8 for the labels.")
    units: int = Field(ge=1, description="How many units, and pictures on the sheet.")
    side: int = Field(ge=1, description="Side of a picture on the sheet, in pixels.")
    across: int = Field(ge=1, description="Pictures in a row of the sheet.")
    seen: int = Field(ge=1, description="Side of the square that it stands for, in pixels of the network's input.")
    figures: dict[str, int] = Field(
        description="units; real_pictures, and for how many units the synthetic picture beats the best of these "
        "(beaten); dead units; named units, and how many would be named by_chance; where it was compared with another "
        "network, pairs of units that answer alike, and how many are named, and named alike."
    )


class UnitsResponse(Answer):
    """The answer to ``GET /units``: of which layers there are cards; none where they were never made."""

    version: str = Field(description="Version of the network, which sheets are kept by: units/conv1.webp?v=VERSION.")
    layers: list[UnitLayerAnswer]


class UnitName(Answer):
    """What the unit is called, and how well that fits, on pictures that the name was not chosen by."""

    name: str
    id: str = Field(description="Raw class name, or the kind of several labels.")
    vocabulary: str
    kind: bool = Field(description="Whether it is a kind of labels (dog) and not a label itself.")
    precision: float = Field(ge=0, le=1, description="Average precision.")
    low: float = Field(ge=0, le=1, description="Lower end of its 95 % interval.")
    high: float = Field(ge=0, le=1, description="Upper end of its 95 % interval.")
    base: float = Field(ge=0, le=1, description="Share of all pictures of which the name is true.")


class UnitTuning(Answer):
    """The stripes that excite the unit most."""

    colour: Literal["grey", "red-green", "blue-yellow"]
    colour_share: float = Field(ge=0, le=1, description="0 for light alone, 1 for colour alone.")
    period: int = Field(ge=0, description="Pixels from stripe to stripe; 0 where an even patch excites it most.")
    angle: int = Field(ge=0, lt=180, description="Degrees: 0 for horizontal stripes, 90 for vertical ones.")
    selectivity: float = Field(ge=0, le=1, description="How sharply it tells orientations apart.")


class UnitExcitation(Answer):
    """What the unit answers to the picture made for it, and to the best of some real ones."""

    synthetic: float
    real: float | None = Field(description="Anywhere in the best real picture; null where none were looked at.")


class UnitEffect(Answer):
    """What the unit adds to the evidence for a label, on average, where it is active."""

    label: str
    id: str
    vocabulary: str
    row: int = Field(ge=0, description="Row of fc8: the label's own card is units/fc8/ROW.")
    effect: float = Field(description="Gradient x activation, in units of a logit.")


class UnitSource(Answer):
    """A unit of the layer before that feeds this one."""

    layer: str
    channel: int = Field(ge=0)
    share: float = Field(
        description="What it adds on average: to the sum of the unit's strongest cell, or to the label."
    )


class UnitResponse(Answer):
    """The answer to ``GET /units/{layer}/{channel}``: the card of one unit."""

    layer: str
    channel: int = Field(ge=0)
    label: str | None = Field(description="Of fc8: the label's natural noun.")
    vocabulary: str | None = Field(description="Of fc8: the label's vocabulary.")
    name: UnitName | None = Field(description="Null where no label, word or kind fits well enough, and of fc8.")
    tuning: UnitTuning | None = Field(description="Of conv1 and conv2.")
    excitation: UnitExcitation
    active: float | None = Field(description="Share of real pictures that excite it anywhere; null where unknown.")
    dead: bool = Field(description="Whether none did.")
    argues_for: list[UnitEffect]
    argues_against: list[UnitEffect]
    fed_by: list[UnitSource]


def units(cards: UnitCards | None, checkpoint: Checkpoint) -> UnitsResponse:
    """Of which layers there are cards."""
    layers = [] if cards is None else list(cards.layers.values())
    figures = {} if cards is None else cards.figures
    return UnitsResponse(
        version=checkpoint.version,
        layers=[
            UnitLayerAnswer(
                name=layer.name,
                units=layer.units,
                side=layer.side,
                across=ACROSS,
                seen=layer.seen,
                figures=figures.get(layer.name, {}),
            )
            for layer in layers
        ],
    )


def unit(card: Mapping[str, Any], layer: str, channel: int, checkpoint: Checkpoint) -> UnitResponse:
    """The card of one unit, with labels by their names."""
    labels = _labels(checkpoint)
    own = labels[channel] if layer == _LABELS else None
    before = _layer_before(layer, checkpoint)
    return UnitResponse(
        layer=layer,
        channel=channel,
        label=own[1].name if own else None,
        vocabulary=own[0] if own else None,
        name=_name(card.get("name"), checkpoint),
        tuning=UnitTuning(**card["tuning"]) if card.get("tuning") else None,
        excitation=UnitExcitation(synthetic=card["synthetic"], real=card.get("real")),
        active=card.get("active"),
        dead=card.get("dead", False),
        argues_for=_effects(card.get("for", ()), labels),
        argues_against=_effects(card.get("against", ()), labels),
        fed_by=[UnitSource(layer=before, channel=int(row), share=share) for row, share in card.get("fed_by", ())],
    )


def _labels(checkpoint: Checkpoint) -> list[tuple[str, Label]]:
    """Vocabulary and label of each row of fc8."""
    return [(vocabulary.name, label) for vocabulary in checkpoint.vocabularies for label in vocabulary.labels]


def _layer_before(layer: str, checkpoint: Checkpoint) -> str:
    """The convolution before a layer, whose channels poolings between them pass on."""
    before = ""
    for row in checkpoint.architecture.layers:
        if row.name == layer:
            break
        before = row.name if row.operation == "conv" else before
    return before


def _name(record: Mapping[str, Any] | None, checkpoint: Checkpoint) -> UnitName | None:
    if record is None:
        return None
    names = {
        label.id: label.name for v in checkpoint.vocabularies if v.name == record["vocabulary"] for label in v.labels
    }
    return UnitName(name=record["id"] if record["kind"] else names.get(record["id"], record["id"]), **record)


def _effects(pairs: Sequence[Sequence[float]], labels: Sequence[tuple[str, Label]]) -> list[UnitEffect]:
    found = []
    for row, effect in pairs:
        vocabulary, label = labels[int(row)]
        found.append(UnitEffect(label=label.name, id=label.id, vocabulary=vocabulary, row=int(row), effect=effect))
    return found
