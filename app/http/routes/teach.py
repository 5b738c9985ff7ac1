"""The REST routes that embed pictures, and teach the network further names by them."""

from __future__ import annotations

from fastapi import APIRouter, Security
from starlette.responses import Response

from app.errors import DeadlineExceededError, GlassbotError, OtherNetworkError, UnreadableExamplesError
from app.http import answers, api_keys, bodies
from app.http import teaching_answers as teaching
from app.http.batch import in_turns
from app.http.bodies import Upload
from app.http.compression import quality
from app.http.dependencies import BodyIntakePart, IntakePart
from app.http.routes import contract
from app.http.routes.contract import DECODING, EXAMPLES_FILE, MANY_PICTURES, ONE_PICTURE, RECEIVING
from app.inference.admission import Slot

router = APIRouter(tags=["teaching"], dependencies=[Security(api_keys.required)])

_BYTES = "application/octet-stream"


@router.post(
    "/embed",
    response_model=teaching.EmbedResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(
        teaching.EMBED,
        *RECEIVING,
        *DECODING,
        description="Numbers in JSON, or as they are: float16, the lower byte first.",
        content={_BYTES: {"schema": contract.BINARY, "example": "\x00\x34\x00\xbe…"}},
    ),
)
async def embed(intake: IntakePart) -> Response:
    """What a picture is to the network, in 256 numbers: near for pictures of similar things."""
    embedded = await intake.picture(intake.predictor.embed)
    accepted = intake.request.headers.get("accept", "")
    if quality(accepted, _BYTES) > quality(accepted, "application/json"):
        response = Response(embedded.embedding.astype("<f2").tobytes(), media_type=_BYTES)
    else:
        answer = teaching.embed_response(embedded, intake.request_id)
        response = Response(answer.model_dump_json(), media_type="application/json")
    response.headers["Vary"] = "Accept"
    return response


@router.post(
    "/embed/batch",
    response_model=teaching.EmbedBatchResponse,
    openapi_extra=MANY_PICTURES,
    responses=contract.answers(teaching.EMBED_BATCH, *RECEIVING),
)
async def embed_batch(intake: BodyIntakePart) -> Response:
    """The same for many files; a bad one has a problem of its own and harms no other."""
    predictor, limit = intake.predictor, intake.settings.max_body_bytes

    async def item(file: Upload) -> teaching.EmbedItem:
        try:
            if len(file.content) > limit:
                raise bodies.too_large(limit)
            embedded = await predictor.embed(file.content)
        except GlassbotError as error:
            return teaching.EmbedItem(file=file.name, ok=None, problem=answers.problem(error, intake.request_id))
        return teaching.EmbedItem(file=file.name, ok=teaching.embedding(embedded), problem=None)

    async def work(files: list[Upload], slot: Slot) -> list[teaching.EmbedItem]:
        return await in_turns(files, slot, predictor.host.admission, item)

    items = await intake.files(work)
    embedding = await predictor.offload(lambda: predictor.teacher.embedding)
    answer = teaching.EmbedBatchResponse(
        request_id=intake.request_id, network=embedding.network, size=embedding.size, items=items
    )
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post(
    "/teach",
    response_model=teaching.TeachResponse,
    openapi_extra=EXAMPLES_FILE,
    responses=contract.answers(
        teaching.TEACH, *RECEIVING, OtherNetworkError, UnreadableExamplesError, DeadlineExceededError
    ),
)
async def teach(intake: BodyIntakePart) -> Response:
    """Learn names from the embeddings of a few photos each. They stay in memory for a while, and nowhere else."""
    predictor = intake.predictor
    taught = await intake.file(predictor.learn)
    answer = teaching.teach_response(taught, predictor.teacher.embedding.network, intake.request_id)
    return Response(answer.model_dump_json(), media_type="application/json")
