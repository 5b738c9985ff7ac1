"""Examples of the answers that show the working, built from their schemas as those of ``app.http.examples`` are."""

from __future__ import annotations

from typing import Any

from app.http import working_schemas as schemas
from app.http.examples import REQUEST_ID

_IMAGE = schemas.NamedImage(width=4032, height=3024, sha256="9f86d081884c7d65" * 4)

CONNECTIONS: Any = schemas.ConnectionsResponse(
    request_id=REQUEST_ID,
    image=_IMAGE,
    label=schemas.LabelName(id="n02099601", label="golden retriever", vocabulary="object"),
    logit=9.7,
    probability=0.62,
    layers=[
        schemas.ColumnAnswer(
            name="conv1",
            shape=[96, 55, 55],
            channels=[schemas.ChannelAnswer(channel=12, relevance=0.31, maximum=4.2)],
            shown_share=0.62,
        )
    ],
    edges=[schemas.EdgeAnswer.model_validate({"from": ("conv1", 12), "to": ("conv2", 40), "weight": 0.11})],
).model_dump(mode="json", by_alias=True)
OCCLUSION: Any = schemas.OcclusionResponse(
    request_id=REQUEST_ID,
    image=_IMAGE,
    id="n02099601",
    label="golden retriever",
    vocabulary="object",
    probability=0.62,
    logit=9.7,
    cells=2,
    map=[[0.01, -0.02], [0.31, 0.12]],
    logit_map=[[0.1, -0.15], [2.4, 0.8]],
).model_dump(mode="json")
CELL: Any = schemas.CellResponse(
    request_id=REQUEST_ID,
    image=_IMAGE,
    layer="conv3",
    channel=7,
    row=4,
    column=5,
    operation="convolution",
    input=schemas.InputName(layer="pool2", shape=[256, 13, 13]),
    window=schemas.Window(top=3, left=4, height=3, width=3),
    patch=schemas.Patch(x=48, y=32, size=99),
    terms=[
        schemas.ConvolutionTermAnswer(
            channel=3,
            sum=0.42,
            inputs=[[0, 0, 0], [0, 1.4, 0.7], [0, 0, 0]],
            weights=[[0.1, 0, 0], [0, 0.25, 0.1], [0, -0.1, 0]],
        )
    ],
    others=schemas.OtherTerms(count=255, sum=-0.08),
    bias=0.02,
    sum=0.36,
    activation="relu",
    value=0.36,
    kept=0.3594,
    after=[],
    softmax=None,
    sigmoid=None,
).model_dump(mode="json")
