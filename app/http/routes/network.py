"""What is served: asked for again and again, and answered in full only when it changed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.http import answers, examples, schemas
from app.http.etags import tag, unchanged
from app.http.routes import contract
from app.http.routes.contract import Responses
from app.inference.predictor import Predictor
from model import drawing

router = APIRouter(tags=["network"])

_TAGGED = {"ETag": {"required": True, "schema": {"type": "string"}, "description": "Weak; for If-None-Match."}}


def _responses(example: object, media: str = "application/json") -> Responses:
    """200 with its tag, and 304."""
    return contract.answers(example, media=media, headers=_TAGGED) | {
        304: {"description": "It is still what If-None-Match names.", "headers": contract.EVERY | _TAGGED}
    }


@router.get("/model", response_model=schemas.ModelResponse, responses=_responses(examples.MODEL))
async def model(request: Request) -> Response:
    """The network: its layers, its vocabularies, what was measured, where it comes from."""
    predictor, current = _served(request)
    answer = unchanged(request, current)
    if answer is None:
        answer = Response(answers.model(predictor.checkpoint).model_dump_json(), media_type="application/json")
    else:  # says so as the whole answer would, which the gzip middleware sees to
        answer.headers["Vary"] = "Accept-Encoding"
    answer.headers.update({"ETag": current, "Cache-Control": "no-cache"})
    return answer


@router.get("/model/filters.png", response_class=Response, responses=_responses(examples.PNG, "image/png"))
async def filters(request: Request) -> Response:
    """The 96 kernels of conv1, 48 of each column: 12 x 8 tiles of 11 x 11 pixels."""
    predictor, current = _served(request)
    answer = unchanged(request, current)
    if answer is None:
        weights = predictor.checkpoint.weights["conv1.weight"]
        png = await predictor.offload(lambda: drawing.filters_png(weights))
        answer = Response(png, media_type="image/png")
    answer.headers.update({"ETag": current, "Cache-Control": "no-cache"})
    return answer


def _served(request: Request) -> tuple[Predictor, str]:
    predictor: Predictor = request.app.state.predictor
    return predictor, tag(predictor.checkpoint.version, request.app.version)
