"""The REST contract."""

from __future__ import annotations

import asyncio
import gzip
from typing import Annotated

from fastapi import APIRouter, Query, Request, Security
from starlette.responses import Response

from app.errors import GlassbotError, NoSuchKindError, NoSuchLabelError, NoSuchLayerError
from app.http import answers, api_keys, bodies, examples, schemas
from app.http.bodies import Upload
from app.http.compression import quality
from app.http.routes import contract
from app.http.routes.contract import MANY_PICTURES, ONE_PICTURE, RECEIVING, SEEING
from app.inference import activations
from app.inference.admission import Place
from app.inference.predictor import Predictor
from app.settings import Settings
from model import drawing
from model.architecture import Architecture
from model.explain import Method

router = APIRouter(tags=["pictures"], dependencies=[Security(api_keys.required)])

TopK = Annotated[int, Query(ge=1, le=20, description="How many labels.")]
Kind = Annotated[str | None, Query(max_length=100, description="Labels of this exclusive vocabulary only.")]
_NAME = "|".join(Architecture().activation_names)
Layers = Annotated[
    str,
    Query(
        max_length=200,
        description="all, or names with commas: conv1,conv5",
        # Said, not checked: what does not fit is told which layers there are.
        json_schema_extra={"pattern": f"^(all|({_NAME})(,({_NAME}))*)$"},
    ),
]


def _predictor(request: Request) -> Predictor:
    predictor: Predictor = request.app.state.predictor
    return predictor


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _picture(request: Request, place: Place) -> bytes:
    settings = _settings(request)
    with place.receiving():
        return await bodies.picture(request, cap=settings.max_body, seconds=settings.upload_s)


@router.post(
    "/predict",
    response_model=schemas.PredictResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(examples.PREDICT, *RECEIVING, *SEEING, NoSuchKindError),
)
async def predict(request: Request, top_k: TopK = 5, kind: Kind = None) -> Response:
    """Labels, words, and one honest sentence."""
    predictor = _predictor(request)
    with predictor.admit() as place:
        body = await _picture(request, place)
        described = await bodies.while_connected(request, predictor.describe(body, top_k=top_k, kind=kind))
    answer = answers.predicted(described, predictor.checkpoint, request.state.request_id)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post(
    "/predict/batch",
    response_model=schemas.BatchResponse,
    openapi_extra=MANY_PICTURES,
    responses=contract.answers(examples.BATCH, *RECEIVING, NoSuchKindError),
)
async def predict_batch(request: Request, top_k: TopK = 5, kind: Kind = None) -> Response:
    """The same for many files; a bad one has a problem of its own and harms no other."""
    predictor, settings = _predictor(request), _settings(request)
    with predictor.admit() as place:
        with place.receiving():
            files = await bodies.uploads(
                request, cap=settings.max_batch_body, seconds=settings.upload_s, most=settings.max_batch_files
            )
        place.release()  # its files are counted instead, and half of the room stays for others
        few = asyncio.Semaphore(max(1, predictor.admission.room // 2))

        async def one(file: Upload) -> schemas.BatchItem:
            async with few:
                with predictor.admission.one_more():
                    return await _item(request, file, top_k, kind)

        async def every() -> list[schemas.BatchItem]:
            return await asyncio.gather(*map(one, files))

        items = await bodies.while_connected(request, every())
    model = answers.model_name(predictor.checkpoint)
    answer = schemas.BatchResponse(request_id=request.state.request_id, model=model, items=items)
    return Response(answer.model_dump_json(), media_type="application/json")


async def _item(request: Request, file: Upload, top_k: int, kind: str | None) -> schemas.BatchItem:
    predictor, settings = _predictor(request), _settings(request)
    try:
        if len(file.content) > settings.max_body:
            raise bodies.too_large(settings.max_body)
        described = await predictor.describe(file.content, top_k=top_k, kind=kind)
    except NoSuchKindError:  # the request's fault, not this file's
        raise
    except GlassbotError as error:
        problem = answers.problem(error, request.state.request_id)
        return schemas.BatchItem(file=file.name, ok=None, problem=problem)
    return schemas.BatchItem(file=file.name, ok=answers.prediction(described, predictor.checkpoint), problem=None)


@router.post(
    "/explain",
    response_model=schemas.ExplainResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(
        examples.EXPLAIN,
        *(*RECEIVING, *SEEING, NoSuchLabelError),
        description="Numbers, or an overlay PNG.",
        content={"image/png": {"schema": contract.BINARY, "example": examples.PNG}},
    ),
)
async def explain(
    request: Request,
    label: Annotated[str, Query(min_length=1, max_length=200, description="Class id or natural name.")],
    kind: Annotated[str | None, Query(max_length=100, description="The vocabulary to look it up in.")] = None,
    method: Annotated[Method, Query()] = "gradcam",
) -> Response:
    """Where the evidence for one label or word lay: 13 x 13 numbers, or with ``Accept: image/png`` an overlay."""
    predictor = _predictor(request)
    with predictor.admit() as place:
        body = await _picture(request, place)
        explained = await bodies.while_connected(
            request, predictor.explain(body, label=label, kind=kind, method=method)
        )
        if quality(request.headers.get("accept", ""), "image/png") > 0:
            architecture = predictor.checkpoint.architecture
            png = await predictor.offload(
                lambda: drawing.png(drawing.overlay(explained.sight.pixels, explained.map, architecture))
            )
            return Response(png, media_type="image/png", headers={"Vary": "Accept"})
    answer = answers.explanation(explained, method, request.state.request_id)
    return Response(answer.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})


@router.post(
    "/activations",
    response_class=Response,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(
        examples.ACTIVATIONS,
        *(*RECEIVING, *SEEING, NoSuchLayerError),
        media="application/octet-stream",
        description=activations.__doc__,
    ),
)
async def every_layer(
    request: Request,
    layers: Layers = "all",
) -> Response:
    """What every layer saw, in one binary body."""
    predictor = _predictor(request)
    names = _names(layers, predictor.checkpoint.architecture)
    squeeze = quality(request.headers.get("accept-encoding", ""), "gzip") > 0
    with predictor.admit() as place:
        body = await _picture(request, place)
        seen = await bodies.while_connected(request, predictor.activations(body, names))

        def pack() -> bytes:
            plain = activations.encode(seen.sight, seen.output, predictor.checkpoint.architecture, names)
            return gzip.compress(plain, 1, mtime=0) if squeeze else plain  # harder costs time and saves a few per cent

        packed = await predictor.offload(pack)
    headers = {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"} if squeeze else {}
    return Response(packed, media_type="application/octet-stream", headers=headers)


def _names(layers: str, architecture: Architecture) -> tuple[str, ...]:
    known = architecture.activation_names
    if layers == "all":
        return known
    names = tuple(dict.fromkeys(layers.split(",")))
    for name in names:
        if name not in known:
            raise NoSuchLayerError(f"layers is all, or some of {', '.join(known)}; {name[:40]!r} is none of them.")
    return names
