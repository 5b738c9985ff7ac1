"""The REST route that says why one label came out above another."""

from __future__ import annotations

from fastapi import APIRouter, Security
from starlette.responses import Response

from app.errors import NoSuchLabelError
from app.http import api_keys
from app.http.comparison import EXAMPLE, CompareResponse, comparison
from app.http.dependencies import IntakePart
from app.http.routes import contract
from app.http.routes.contract import DECODING, ONE_PICTURE, RECEIVING
from app.http.routes.working import LabelQuery, VocabularyQuery

router = APIRouter(tags=["pictures"], dependencies=[Security(api_keys.required)])


@router.post(
    "/compare",
    response_model=CompareResponse,
    openapi_extra=ONE_PICTURE,
    responses=contract.answers(EXAMPLE, *RECEIVING, *DECODING, NoSuchLabelError),
)
async def compare(
    intake: IntakePart,
    label: LabelQuery,
    vocabulary: VocabularyQuery = None,
) -> Response:
    """Score and rank of any label, and what decided between it and the likeliest other one."""
    predictor = intake.predictor
    compared = await intake.picture(lambda picture: predictor.compare(picture, label=label, vocabulary=vocabulary))
    answer = comparison(compared, predictor.checkpoint.architecture.last_convolution, intake.request_id)
    return Response(answer.model_dump_json(), media_type="application/json")
