"""The REST routes that take pictures."""

from __future__ import annotations

import gzip
from typing import Annotated

from fastapi import APIRouter, Query, Security
from starlette.responses import Response

from app.errors import InvalidRequestError, NoSuchLabelError, NoSuchLayerError, NoSuchTaughtError, NoSuchVocabularyError
from app.http import answers, api_keys, examples, schemas
from app.http.batch import Batch
from app.http.compression import quality
from app.http.dependencies import IntakePart, TaughtBodyIntakePart, VocabularyName
from app.http.routes import contract
from app.http.routes.contract import DECODING, MANY_PICTURES, ONE_PICTURE, RECEIVING
from app.inference import activations
from app.inference.images import Picture
from model import drawing
from model.explain import Method

router = APIRouter(tags=["pictures"], dependencies=[Security(api_keys.required)])

TopK = Annotated[int, Query(ge=1, le=20, description="How many labels.")]
# Which layers there are depends on the network: app.http.openapi names them, and a wrong name is a problem of its own.
LayerList = Annotated[str, Query(max_length=200, description="all, or names with commas: conv1,conv5")]


@router.post(
    "/predict",
    response_model=schemas.PredictResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(examples.PREDICT, *RECEIVING, *DECODING, NoSuchVocabularyError),
)
async def predict(intake: IntakePart, vocabulary: VocabularyName, top_k: TopK = 5) -> Response:
    """Labels, words, and one honest sentence."""
    predictor = intake.predictor
    described = await intake.picture(lambda picture: predictor.describe(picture, top_k=top_k, vocabulary=vocabulary))
    answer = answers.predict_response(described, predictor.checkpoint, intake.request_id)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post(
    "/predict/batch",
    response_model=schemas.BatchResponse,
    openapi_extra=MANY_PICTURES,
    responses=contract.answers(examples.BATCH, *RECEIVING, NoSuchTaughtError, NoSuchVocabularyError),
)
async def predict_batch(intake: TaughtBodyIntakePart, vocabulary: VocabularyName, top_k: TopK = 5) -> Response:
    """The same for many files; a bad one has a problem of its own and harms no other."""
    batch = Batch(
        predictor=intake.predictor,
        max_file_bytes=intake.settings.max_body_bytes,
        request_id=intake.request_id,
        top_k=top_k,
        vocabulary=vocabulary,
    )
    items = await intake.files(batch.items)
    model = answers.model_name(intake.predictor.checkpoint)
    answer = schemas.BatchResponse(request_id=intake.request_id, model=model, items=items)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post(
    "/explain",
    response_model=schemas.ExplainResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(
        examples.EXPLAIN,
        *RECEIVING,
        *DECODING,
        NoSuchLabelError,
        description="Numbers, or an overlay PNG.",
        content={"image/png": {"schema": contract.BINARY, "example": examples.PNG}},
    ),
)
async def explain(
    intake: IntakePart,
    vocabulary: VocabularyName,
    label: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Class id or natural name; or send claim.")
    ] = None,
    claim: Annotated[
        int | None, Query(ge=0, le=99, description="Which of the sentence's claims, counted from 0; in place of label.")
    ] = None,
    method: Annotated[Method, Query()] = "gradcam",
) -> Response:
    """Where the evidence for one label, word or claim lay: 13 x 13 numbers, or with ``Accept: image/png`` an overlay.

    The evidence for a claim is that for its members, each by its share of the claim.
    """
    predictor = intake.predictor
    as_picture = quality(intake.request.headers.get("accept", ""), "image/png") > 0
    if (label is None) == (claim is None):
        raise InvalidRequestError("A map is of a label or of a claim: send label=golden+retriever, or claim=0.")
    if claim is not None and vocabulary is not None:
        raise InvalidRequestError("A vocabulary tells labels of one name apart: leave it out beside claim.")

    async def answer(picture: Picture) -> Response:
        if label is None:
            explained = await predictor.explain_claim(picture, claim=claim or 0, method=method)
        else:
            explained = await predictor.explain(picture, label=label, vocabulary=vocabulary, method=method)
        if not as_picture:
            numbers = answers.explanation(explained, method, intake.request_id)
            return Response(numbers.model_dump_json(), media_type="application/json")
        pixels, architecture = explained.image.pixels, predictor.checkpoint.architecture
        png = await predictor.offload(lambda: drawing.png(drawing.overlay(pixels, explained.map, architecture)))
        return Response(png, media_type="image/png")

    response = await intake.picture(answer)
    response.headers["Vary"] = "Accept"
    return response


@router.post(
    "/activations",
    response_class=Response,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(
        examples.ACTIVATIONS,
        *RECEIVING,
        *DECODING,
        NoSuchLayerError,
        media="application/octet-stream",
        description=activations.__doc__,
    ),
)
async def every_layer(intake: IntakePart, layers: LayerList = "all") -> Response:
    """What every layer saw, in one binary body."""
    predictor = intake.predictor
    names = _layer_names(layers, predictor.checkpoint.architecture.activation_names)
    compress = quality(intake.request.headers.get("accept-encoding", ""), "gzip") > 0

    async def encode(picture: Picture) -> bytes:
        result = await predictor.activations(picture, names)

        def work() -> bytes:
            plain = activations.encode(result.image, result.output, predictor.checkpoint.architecture, names)
            return gzip.compress(plain, 1, mtime=0) if compress else plain  # harder costs time and saves a few per cent

        return await predictor.offload(work)

    encoded = await intake.picture(encode)
    headers = {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"} if compress else {}
    return Response(encoded, media_type="application/octet-stream", headers=headers)


@router.post(
    "/square",
    response_class=Response,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(
        examples.PNG,
        *RECEIVING,
        *DECODING,
        media="image/png",
        description="The square at the size that GET /model gives as input_size.",
    ),
)
async def square(intake: IntakePart) -> Response:
    """The square of the picture that the network sees: cropped, resized, upright, on white."""

    async def draw(picture: Picture) -> bytes:
        image = await intake.predictor.decode(picture)
        return await intake.predictor.offload(lambda: drawing.png(image.pixels))

    return Response(await intake.picture(draw), media_type="image/png")


def _layer_names(layers: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a query parameter, without repetitions. Raises NoSuchLayerError."""
    if layers == "all":
        return known
    names = tuple(dict.fromkeys(layers.split(",")))
    for name in names:
        if name not in known:
            raise NoSuchLayerError(f"layers is all, or some of {', '.join(known)}; {name[:40]!r} is none of them.")
    return names
