"""Routes that describe the network; a client that holds an answer gets it again only once it has changed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import GlassbotError
from app.http import answers, examples, schemas
from app.http.dependencies import AppVersion, CheckpointPart, PredictorPart
from app.http.etags import tag, unchanged
from app.http.routes import contract
from app.http.routes.contract import Responses
from model import drawing

router = APIRouter(tags=["network"])

_ETAG_HEADER = {"ETag": {"required": True, "schema": {"type": "string"}, "description": "Weak; for If-None-Match."}}


def etag_responses(example: object, *failures: type[GlassbotError], media: str = "application/json") -> Responses:
    """The contract of an answer with an ETag: 200 as in ``example``, 304, or one of some ``failures``."""
    return contract.answers(example, *failures, media=media, headers=_ETAG_HEADER) | {
        304: {"description": "It is still what If-None-Match names.", "headers": contract.EVERY | _ETAG_HEADER}
    }


@router.get("/model", response_model=schemas.ModelResponse, responses=etag_responses(examples.MODEL))
async def model(request: Request, checkpoint: CheckpointPart, app_version: AppVersion) -> Response:
    """The network: its layers, its vocabularies, what was measured, where it comes from."""
    etag = tag(checkpoint.version, app_version)
    answer = unchanged(request, etag)
    if answer is None:
        answer = Response(answers.model(checkpoint).model_dump_json(), media_type="application/json")
    else:  # the gzip middleware adds this to the whole answer, but not to a 304
        answer.headers["Vary"] = "Accept-Encoding"
    answer.headers.update({"ETag": etag, "Cache-Control": "no-cache"})
    return answer


@router.get("/model/filters.png", response_class=Response, responses=etag_responses(examples.PNG, media="image/png"))
async def filters(request: Request, predictor: PredictorPart, app_version: AppVersion) -> Response:
    """The 96 kernels of conv1, 48 of each column: 12 x 8 tiles of 11 x 11 pixels."""
    etag = tag(predictor.checkpoint.version, app_version)
    answer = unchanged(request, etag)
    if answer is None:
        weights = predictor.checkpoint.weights["conv1.weight"]
        png = await predictor.offload(lambda: drawing.filters_png(weights))
        answer = Response(png, media_type="image/png")
    answer.headers.update({"ETag": etag, "Cache-Control": "no-cache"})
    return answer
