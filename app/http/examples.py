"""An example of every good answer, for the documentation.

They are built from the schemas of the answers themselves, so that no example can be an impossible answer.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from app.errors import GlassbotError, NotAnImageError
from app.http import answers, schemas, unit_answers

REQUEST_ID = "5f0c9a3e4b7d4d1c8a2e6f7b9c0d1e2f"

_MODEL = schemas.ModelName(name="glassbot", version="3b1f6c2a9d04")
_CROP = schemas.Box(x=504, y=0, width=3024, height=3024)
_PREDICTION = schemas.Prediction(
    image=schemas.ImageFacts(width=4032, height=3024, format="JPEG", sha256="9f86d081884c7d65" * 4, crop=_CROP),
    caption=schemas.CaptionAnswer(
        text="I think it's some kind of dog, maybe a golden retriever.",
        alt_text="Probably some kind of dog, maybe a golden retriever.",
        confidence=0.91,
        tier="think",
        right_times_in_ten=9,
        threshold=0.8,
        claims=[
            schemas.ClaimAnswer(
                node="dog",
                phrase="some kind of dog",
                vocabulary="object",
                kind="object",
                role="subject",
                probability=0.91,
                combination="sum",
                members=[
                    schemas.MemberAnswer(id="n02099601", label="golden retriever", vocabulary="object", score=0.62),
                    schemas.MemberAnswer(id="n02099712", label="Labrador retriever", vocabulary="object", score=0.21),
                ],
                rest=0.08,
            )
        ],
        additions=[],
    ),
    labels=[
        schemas.LabelAnswer(label="golden retriever", id="n02099601", score=0.62, vocabulary="object", kind="object")
    ],
    words=[schemas.WordAnswer(word="dog", score=0.81, people_in_five=4)],
    gates={"object": 0.93, "scene": 0.4},
    timing_ms=schemas.Timing(decode=4.1, queue=0.3, model=9.8, total=15.0),
)


def problem(error: type[GlassbotError]) -> schemas.Problem:
    """The problem that a caller sees for an error of this class."""
    return answers.problem(error(error.example), REQUEST_ID)


def _json(answer: BaseModel) -> Any:
    return answer.model_dump(mode="json")


PREDICT = _json(schemas.PredictResponse(request_id=REQUEST_ID, model=_MODEL, **dict(_PREDICTION)))
BATCH = _json(
    schemas.BatchResponse(
        request_id=REQUEST_ID,
        model=_MODEL,
        items=[
            schemas.BatchItem(file="beach.jpg", ok=_PREDICTION, problem=None),
            schemas.BatchItem(file="notes.txt", ok=None, problem=problem(NotAnImageError)),
        ],
    )
)
EXPLAIN = _json(
    schemas.ExplainResponse(
        request_id=REQUEST_ID,
        label="golden retriever",
        id="n02099601",
        vocabulary="object",
        kind="object",
        method="gradcam",
        layer="conv5",
        map=[[round(max(0.0, 1 - (abs(y - 5) + abs(x - 7)) / 4), 5) for x in range(13)] for y in range(13)],
        maximum=3.1,
        relevance=[0.42, -0.07, 0.0],
        crop=_CROP,
        image=schemas.Size(width=4032, height=3024),
    )
)
MODEL = _json(
    schemas.ModelResponse(
        name="glassbot",
        version="3b1f6c2a9d04",
        input_size=227,
        input_detail=128,
        parameters=58_330_309,
        layers=[
            schemas.LayerAnswer(
                name="conv1",
                operation="conv",
                kind="conv",
                shape=[96, 55, 55],
                kernel=11,
                stride=4,
                padding=0,
                groups=1,
                parameters=34_944,
                multiply_adds=105_415_200,
                receptive_field=11,
                jump=4,
                start=0,
            )
        ],
        vocabularies=[
            schemas.VocabularyAnswer(
                name="object",
                activation="softmax",
                kind="exclusive",
                size=1,
                calibrated=True,
                labels=[
                    schemas.LabelEntry(
                        id="n02099601", name="golden retriever", gloss="an English breed", synonyms=[], kinds=["dog"]
                    )
                ],
            )
        ],
        measured={"object": {"top1": 0.344, "top5": 0.623, "n": 5000}},
        provenance={"recipe": "modern"},
    )
)
UNITS = _json(
    unit_answers.UnitsResponse(
        version="3b1f6c2a9d04",
        layers=[
            unit_answers.UnitLayerAnswer(
                name="conv5",
                units=256,
                side=96,
                across=16,
                seen=163,
                figures={
                    "units": 256,
                    "real_pictures": 1000,
                    "beaten": 256,
                    "dead": 0,
                    "named": 120,
                    "by_chance": 0,
                },
            )
        ],
    )
)
UNIT = _json(
    unit_answers.UnitResponse(
        layer="conv2",
        channel=102,
        label=None,
        vocabulary=None,
        name=unit_answers.UnitName(
            name="dog", id="dog", vocabulary="word", kind=False, precision=0.62, low=0.55, high=0.69, base=0.21
        ),
        tuning=unit_answers.UnitTuning(colour="grey", colour_share=0.2, period=8, angle=45, selectivity=0.7),
        excitation=unit_answers.UnitExcitation(synthetic=31.2, real=12.5),
        active=0.83,
        dead=False,
        argues_for=[
            unit_answers.UnitEffect(label="espresso", id="n07920052", vocabulary="object", row=132, effect=0.8)
        ],
        argues_against=[
            unit_answers.UnitEffect(label="plate", id="n07579787", vocabulary="object", row=90, effect=-0.3)
        ],
        fed_by=[unit_answers.UnitSource(layer="conv1", channel=12, share=1.4)],
    )
)
ALIVE = _json(schemas.Health(status="alive"))
READY = _json(schemas.Health(status="ready"))
METRICS = "# HELP glassbot_ready 1 while ready.\n# TYPE glassbot_ready gauge\nglassbot_ready 1.0\n"
PNG = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR…"
"""The first bytes of a PNG file; JSON cannot hold the rest."""
WEBP = "RIFF\x10\x27\0\0WEBPVP8 …"
"""The first bytes of a WebP file."""
ACTIVATIONS = 'GBA1\x0c\x01\0\0{"image": {"sha256": "9f86…", "width": 4032, "height": 3024}, "crop": …'
"""The first bytes of the binary body of ``POST /activations``."""
