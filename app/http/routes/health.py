"""Routes for operators and orchestrators: liveness, readiness and metrics."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from app.errors import NotReadyError
from app.http import examples
from app.http.dependencies import EngineHostPart, MetricsPart
from app.http.routes import contract
from app.http.schemas import Health
from app.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])


@router.get("/livez", responses=contract.answers(examples.ALIVE))
async def livez() -> Health:
    """Whether the process answers requests at all."""
    return Health(status="alive")


@router.get("/readyz", responses=contract.answers(examples.READY, NotReadyError))
async def readyz(host: EngineHostPart) -> Health:
    """Whether pictures can be sent: the network has run once, and this replica is not about to end."""
    if host.draining:
        raise NotReadyError("This replica is shutting down.")
    if not host.ready:
        raise NotReadyError("The network is still being loaded.")
    return Health(status="ready")


@router.get("/metrics", response_class=Response, responses=contract.answers(examples.METRICS, media="text/plain"))
async def prometheus(metrics: MetricsPart) -> Response:
    """Counters and histograms for Prometheus."""
    return Response(metrics.render(), media_type=CONTENT_TYPE)
