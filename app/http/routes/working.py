"""The REST routes that show the working: what fed an answer, how one number came about, what covering a part does."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Security
from starlette.responses import Response

from app.errors import InvalidRequestError, NoSuchCellError, NoSuchLabelError, NoSuchLayerError
from app.http import api_keys, working_answers, working_examples, working_schemas
from app.http.dependencies import IntakePart
from app.http.routes import contract
from app.http.routes.contract import DECODING, ONE_PICTURE, RECEIVING
from app.inference.images import Picture
from model.architecture import Architecture, Layer

router = APIRouter(tags=["pictures"], dependencies=[Security(api_keys.required)])

LabelQuery = Annotated[str, Query(min_length=1, max_length=200, description="Class id or natural name.")]
VocabularyQuery = Annotated[str | None, Query(max_length=100, description="Name of the label's vocabulary.")]
Place = Annotated[int | None, Query(ge=0, description="Of a convolution only: where in its map.")]


@router.post(
    "/connections",
    response_model=working_schemas.ConnectionsResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(working_examples.CONNECTIONS, *RECEIVING, *DECODING, NoSuchLabelError),
)
async def connections(
    intake: IntakePart,
    label: LabelQuery,
    vocabulary: VocabularyQuery = None,
    per_layer: Annotated[int, Query(ge=1, le=32, description="How many channels of each layer.")] = 10,
) -> Response:
    """What fed the answer for one label: the channels of each layer that matter most, and what flows between them."""
    predictor = intake.predictor

    async def answer(picture: Picture) -> str:
        found = await predictor.connections(picture, label=label, vocabulary=vocabulary, per_layer=per_layer)
        return await predictor.offload(
            lambda: working_answers.connections(found, intake.request_id).model_dump_json(by_alias=True)
        )

    return Response(await intake.picture(answer), media_type="application/json")


@router.post(
    "/cell",
    response_model=working_schemas.CellResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(working_examples.CELL, *RECEIVING, *DECODING, NoSuchLayerError, NoSuchCellError),
)
async def cell(
    intake: IntakePart,
    layer: Annotated[str, Query(max_length=40, description="A layer with weights.")],
    channel: Annotated[int, Query(ge=0, description="Channel of a convolution, unit, or row of fc8.")],
    row: Place = None,
    column: Place = None,
) -> Response:
    """How one number of the network came about: its terms, their sum, and what follows."""
    architecture = intake.predictor.checkpoint.architecture
    found = _layer(layer, architecture)
    place = _place(found, channel, row, column)
    traced = await intake.picture(lambda picture: intake.predictor.cell(picture, layer=found, place=place))
    answer = working_answers.cell(traced, architecture, intake.request_id)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post(
    "/occlusion",
    response_model=working_schemas.OcclusionResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(working_examples.OCCLUSION, *RECEIVING, *DECODING, NoSuchLabelError),
)
async def occlusion(
    intake: IntakePart,
    label: LabelQuery,
    vocabulary: VocabularyQuery = None,
    cells: Annotated[int, Query(ge=2, le=16, description="Patches along each side of the square.")] = 13,
) -> Response:
    """What one label's answer loses when each patch of the square is covered by the mean colour: one run a patch."""
    predictor = intake.predictor
    occluded = await intake.picture(
        lambda picture: predictor.occlusion(picture, label=label, vocabulary=vocabulary, cells=cells)
    )
    answer = working_answers.occlusion(occluded, intake.request_id)
    return Response(answer.model_dump_json(), media_type="application/json")


def _layer(name: str, architecture: Architecture) -> Layer:
    """The layer with weights of that name. Raises NoSuchLayerError."""
    known = {layer.name: layer for layer in architecture.layers if layer.weight_shape}
    if name not in known:
        raise NoSuchLayerError(f"layer is one of {', '.join(known)}; {name[:40]!r} is none of them.")
    return known[name]


def _place(layer: Layer, channel: int, row: int | None, column: int | None) -> tuple[int, int, int]:
    """Channel, row and column. Raises NoSuchCellError, or InvalidRequestError where a convolution lacks one of them."""
    if layer.operation == "conv" and (row is None or column is None):
        raise InvalidRequestError(f"{layer.name} is a convolution: say row and column of the cell, too.")
    channels, rows, columns = (*layer.shape, 1, 1)[:3]
    place = (channel, row or 0, column or 0)
    if channel >= channels or place[1] >= rows or place[2] >= columns:
        within = f" with rows and columns 0 to {rows - 1}" if layer.operation == "conv" else ", and no rows or columns"
        where = ", ".join(str(number)[:20] for number in place)
        raise NoSuchCellError(f"{layer.name} has channels 0 to {channels - 1}{within}: {where} lies outside.")
    return place
