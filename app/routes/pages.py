"""The page; without scripts it is a form that posts to itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.templating import Jinja2Templates
from starlette.responses import Response

from app import answers, bodies, keys, pictures
from app.errors import GlassbotError
from app.images import FORMATS
from app.predictor import Predictor
from app.settings import Settings
from app.web import samples, web_root

router = APIRouter(include_in_schema=False)

_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class ModelView:
    """What the page says of the network."""

    name: str
    version: str
    parameters: int
    input_size: int
    size_mb: float
    """Of the checkpoint file; 0 where it is not a file any more."""
    accuracy: list[dict[str, Any]]
    """One row for each thing that was measured: ``name`` and its figures."""
    vocabularies: dict[str, int]
    """Name -> number of labels."""


@router.api_route("/", methods=["GET", "POST"])  # one route, so that 405 can name both
async def see(request: Request) -> Response:
    """The page; posted to, with the answer for the picture in the form."""
    return await _answered(request) if request.method == "POST" else _page(request)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The contract, to be read and tried out."""
    headers = {"Content-Security-Policy": _DOCS_POLICY}
    return _templates().TemplateResponse(request, "docs.html", headers=headers)


async def _answered(request: Request) -> Response:
    predictor: Predictor = request.app.state.predictor
    settings: Settings = request.app.state.settings
    try:
        keys.check(request.headers.get("x-api-key"), settings)
        with predictor.admit() as place:
            with place.receiving():
                body = await bodies.picture(request, cap=settings.max_body, seconds=settings.upload_s)
            described = await bodies.while_connected(request, predictor.describe(body))
            picture = await predictor.offload(lambda: pictures.data_uri(described.sight.pixels))
    except GlassbotError as error:
        request.app.state.metrics.rejected.labels(error.slug).inc()
        problem = answers.problem(error, request.state.request_id)
        return _page(request, status=error.status, headers=error.headers, problem=problem)
    answer = answers.predicted(described, predictor.checkpoint, request.state.request_id)
    return _page(request, answer=answer, picture=picture)


def _page(request: Request, *, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> Response:
    settings: Settings = request.app.state.settings
    whole = {
        "model": _model_view(request.app.state.predictor, settings),
        "answer": None,
        "problem": None,
        "picture": None,
        "limits": {"megabytes": f"{settings.max_body_mb:g}", "formats": FORMATS},
        "samples": samples(),
        "keys": bool(settings.api_keys),
        **context,
    }
    return _templates().TemplateResponse(request, "see.html", whole, status_code=status, headers=headers)


def _model_view(predictor: Predictor, settings: Settings) -> ModelView:
    network, path = predictor.checkpoint, settings.checkpoint
    return ModelView(
        name=network.name,
        version=network.version,
        parameters=network.architecture.parameters,
        input_size=network.architecture.input_size,
        size_mb=round(path.stat().st_size / 1e6, 1) if path.is_file() else 0,
        accuracy=[{"name": name, **figures} for name, figures in network.measured.items() if isinstance(figures, dict)],
        vocabularies={v.name: len(v) for v in network.vocabularies},
    )


@cache
def _templates() -> Jinja2Templates:
    return Jinja2Templates(directory=web_root() / "templates")
