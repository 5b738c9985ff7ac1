"""Routes of the cards of units: what each unit of the network looks for, and what it is called."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from app.errors import InvalidRequestError, NoSuchUnitError
from app.http import examples, unit_answers
from app.http.dependencies import AppVersion, CheckpointPart, UnitCardsPart
from app.http.etags import tag, unchanged
from app.http.routes import contract
from app.http.routes.network import etag_responses

router = APIRouter(tags=["network"])

_FOREVER = "public, max-age=31536000, immutable"
LayerName = Annotated[str, Path(max_length=20, description="A layer that GET /units lists.")]


@router.get("/units", response_model=unit_answers.UnitsResponse, responses=etag_responses(examples.UNITS))
async def units(
    request: Request, cards: UnitCardsPart, checkpoint: CheckpointPart, app_version: AppVersion
) -> Response:
    """Of which layers there are cards, and what was measured of their units; none where no cards were made."""
    etag = tag(checkpoint.version, app_version)
    answer = unchanged(request, etag)
    if answer is None:
        body = unit_answers.units(cards, checkpoint).model_dump_json()
        answer = Response(body, media_type="application/json")
    answer.headers.update({"ETag": etag, "Cache-Control": "no-cache"})
    return answer


@router.get(
    "/units/{layer}.webp",
    response_class=Response,
    responses=etag_responses(examples.WEBP, NoSuchUnitError, InvalidRequestError, media="image/webp"),
)
async def sheet(
    request: Request,
    layer: LayerName,
    cards: UnitCardsPart,
    checkpoint: CheckpointPart,
    app_version: AppVersion,
    v: Annotated[
        str, Query(max_length=40, description="Version of the network: with it the answer is kept for good.")
    ] = "",
) -> Response:
    """The synthetic pictures of a layer's units on one sheet, in rows as GET /units says."""
    etag = tag(checkpoint.version, app_version)
    if cards is None or layer not in cards.layers:
        raise _no_such(layer)
    answer = unchanged(request, etag) or Response(cards.sheet(layer), media_type="image/webp")
    kept = v == checkpoint.version
    answer.headers.update({"ETag": etag, "Cache-Control": _FOREVER if kept else "no-cache"})
    return answer


@router.get(
    "/units/{layer}/{channel}",
    response_model=unit_answers.UnitResponse,
    responses=contract.answers(examples.UNIT, NoSuchUnitError, InvalidRequestError),
)
async def unit(
    layer: LayerName,
    channel: Annotated[int, Path(ge=0, le=100_000, description="From 0: a channel, or a row of fc8.")],
    cards: UnitCardsPart,
    checkpoint: CheckpointPart,
) -> Response:
    """The card of one unit: its name with evidence, its tuning, what it argues for and against, what feeds it."""
    if cards is None or layer not in cards.layers or channel >= cards.layers[layer].units:
        raise _no_such(f"{layer}/{channel}")
    answer = unit_answers.unit(cards.card(layer, channel), layer, channel, checkpoint)
    return Response(answer.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-cache"})


def _no_such(what: str) -> NoSuchUnitError:
    return NoSuchUnitError(f"There is no card of {what}: GET /units lists the layers that have some.")
