"""An example of every good answer, for the documentation.

They are built from the schemas of the answers themselves, so that no example can be an impossible answer.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from app.errors import GlassbotError, NotAnImageError
from app.http import answers, schemas

REQUEST_ID = "5f0c9a3e4b7d4d1c8a2e6f7b9c0d1e2f"

_MODEL = schemas.ModelName(name="glassbot", version="3b1f6c2a9d04")
_CROP = schemas.Box(x=504, y=0, width=3024, height=3024)
_PREDICTION = schemas.Prediction(
    image=schemas.ImageFacts(width=4032, height=3024, format="JPEG", sha256="9f86d081884c7d65" * 4, crop=_CROP),
    caption=schemas.CaptionAnswer(
        text="I think it's a dog, probably a golden retriever, on a beach.",
        alt_text="Possibly a dog on a beach.",
        confidence=0.83,
        tier="think",
        right_times_in_ten=9,
        claims=[schemas.ClaimAnswer(node="dog", vocabulary="object", kind="object", role="subject", probability=0.91)],
    ),
    labels=[
        schemas.LabelAnswer(label="golden retriever", id="n02099601", score=0.62, vocabulary="object", kind="object")
    ],
    words=[schemas.WordAnswer(word="dog", score=0.81, people_in_five=4)],
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
ALIVE = _json(schemas.Health(status="alive"))
READY = _json(schemas.Health(status="ready"))
METRICS = "# HELP glassbot_ready 1 while ready.\n# TYPE glassbot_ready gauge\nglassbot_ready 1.0\n"
PNG = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR…"
"""The first bytes of a PNG file; JSON cannot hold the rest."""
ACTIVATIONS = 'GBA1\x0c\x01\0\0{"image": {"sha256": "9f86…", "width": 4032, "height": 3024}, "crop": …'
"""The first bytes of the binary body of ``POST /activations``."""
