"""The answer to ``POST /compare``: its schemas, its example, and how a comparison is put into them."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from app.http.examples import REQUEST_ID
from app.http.schemas import AmongLabels, Answer
from model.compare import Comparison, Place

_MOST_PARTS = 12  # channels or units that are listed


class Standing(Answer):
    """Where a label stands among those of its vocabulary."""

    label: str
    id: str
    vocabulary: str = Field(description="Name of the vocabulary that the label belongs to.")
    logit: float
    probability: float = AmongLabels
    rank: int = Field(ge=1, description="1 for the likeliest label of the vocabulary.")
    of: int = Field(ge=1, description="How many labels the vocabulary has.")


class ChannelPart(Answer):
    """What one channel of the last convolution adds to a lead."""

    channel: int = Field(ge=0)
    part: float = Field(description="In units of a logit; negative where it speaks for the label.")


class UnitPart(Answer):
    """What one unit of fc7 adds to a lead: its value times the difference of two weights."""

    unit: int = Field(ge=0)
    value: float
    weight: float
    part: float


class CompareResponse(Answer):
    """The answer to ``POST /compare``: why another label came out above this one, or below it."""

    request_id: str
    label: Standing
    against: Standing | None = Field(
        description="The likeliest other label; null for a word or an only name, which have no rival."
    )
    lead: float = Field(description="Logit of against minus that of the label; for a word, its own logit.")
    layer: str = Field(description="The convolution whose cells and channels are compared.")
    cells: list[list[float]] = Field(description="What each cell of the layer adds to the lead.")
    elsewhere: float = Field(description="What no cell adds: biases. With the cells it adds up to the lead.")
    channels: list[ChannelPart] = Field(description="The twelve channels that decide most, in order.")
    units: list[UnitPart] = Field(description="The twelve units of fc7 that decide most, in order.")


def comparison(compared: Comparison, layer: str, request_id: str) -> CompareResponse:
    """One label against another as numbers, rounded to five decimals, with the channels and units that decide most."""
    channels = np.argsort(-np.abs(compared.channels))[:_MOST_PARTS].tolist()
    units = np.argsort(-np.abs(compared.values * compared.weights))[:_MOST_PARTS].tolist()
    return CompareResponse(
        request_id=request_id,
        label=_standing(compared.label),
        against=_standing(compared.against) if compared.against else None,
        lead=compared.lead,
        layer=layer,
        cells=[[_rounded(cell) for cell in row] for row in compared.cells],
        elsewhere=compared.elsewhere,
        channels=[ChannelPart(channel=c, part=_rounded(compared.channels[c])) for c in channels],
        units=[
            UnitPart(
                unit=u,
                value=_rounded(compared.values[u]),
                weight=_rounded(compared.weights[u]),
                part=_rounded(compared.values[u] * compared.weights[u]),
            )
            for u in units
        ],
    )


def _rounded(number: float) -> float:
    return round(float(number), 5)


def _standing(place: Place) -> Standing:
    return Standing(
        label=place.label.name,
        id=place.label.id,
        vocabulary=place.vocabulary,
        logit=place.logit,
        probability=place.probability,
        rank=place.rank,
        of=place.of,
    )


EXAMPLE: dict[str, Any] = CompareResponse(
    request_id=REQUEST_ID,
    label=Standing(label="tabby", id="n02123045", vocabulary="object", logit=4.1, probability=0.06, rank=3, of=200),
    against=Standing(
        label="golden retriever", id="n02099601", vocabulary="object", logit=6.4, probability=0.61, rank=1, of=200
    ),
    lead=2.3,
    layer="conv5",
    cells=[[round(max(0.0, 0.3 - (abs(y - 5) + abs(x - 7)) / 20), 5) for x in range(13)] for y in range(13)],
    elsewhere=-0.2,
    channels=[ChannelPart(channel=17, part=0.8), ChannelPart(channel=203, part=-0.3)],
    units=[UnitPart(unit=1044, value=2.5, weight=0.12, part=0.3)],
).model_dump(mode="json")
