"""For those who keep the service alive."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app import metrics
from app.errors import NotReadyError
from app.http import examples
from app.http.routes import contract
from app.http.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/livez", responses=contract.answers(examples.ALIVE))
async def livez() -> Health:
    """Whether the process answers at all."""
    return Health(status="alive")


@router.get("/readyz", responses=contract.answers(examples.READY, NotReadyError))
async def readyz(request: Request) -> Health:
    """Whether pictures can be sent: the network has run once, and this replica is not leaving."""
    predictor = request.app.state.predictor
    if predictor.draining:
        raise NotReadyError("This replica is on its way out.")
    if not predictor.ready:
        raise NotReadyError("The network is still being loaded.")
    return Health(status="ready")


@router.get("/metrics", response_class=Response, responses=contract.answers(examples.METRICS, media="text/plain"))
async def prometheus(request: Request) -> Response:
    """Counters and histograms for Prometheus."""
    text: bytes = request.app.state.metrics.render()
    return Response(text, media_type=metrics.CONTENT_TYPE)
