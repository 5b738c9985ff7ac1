"""The pages; without scripts the first is a form that posts to itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.templating import Jinja2Templates
from starlette.responses import FileResponse, Response

from app.errors import GlassbotError, NotFoundError
from app.http import answers, api_keys, bodies
from app.http.site_files import notebook, samples, web_root
from app.inference.images import FORMATS
from app.inference.predictor import Predictor
from app.settings import Settings
from model import drawing
from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.vocabulary import Vocabulary

router = APIRouter(include_in_schema=False)

_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
_NOTEBOOK_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class ModelView:
    """What the page says of the network."""

    name: str
    version: str
    parameters: int
    input_size: int
    kernels: int
    """Of conv1, in all columns together."""
    columns: int
    size_mb: float
    """Of the checkpoint file; 0 where it is not a file any more."""
    accuracy: list[dict[str, Any]]
    """One row for each thing that was measured: ``name`` and its figures."""
    vocabularies: dict[str, int]
    """Name -> number of labels."""


@dataclass(frozen=True)
class LearnView:
    """What the lessons say of the network."""

    served: Architecture
    """The table of the network that is loaded."""
    paper: Architecture
    """Of section 3.5, with its 1000 classes."""
    mean: tuple[float, float, float]
    """Of the pixels; they are read as (pixel - mean) * scale."""
    scale: float
    kernels: list[dict[str, Any]]
    """Some of conv1, the clearest stripes first: ``number`` from 1, ``weights`` (3, 11, 11), ``bias``."""
    vocabularies: Sequence[Vocabulary]


@router.api_route("/", methods=["GET", "POST"])  # one route, so that 405 can name both
async def see(request: Request) -> Response:
    """The page; posted to, with the answer for the picture in the form."""
    return await _answered(request) if request.method == "POST" else _page(request)


@router.get("/learn")
async def learn(request: Request) -> Response:
    """The lessons: how such a network sees, up to its own layer table."""
    context = {
        "lesson": _learn_view(request.app.state.predictor.checkpoint),
        "samples": samples(),
        "notebook": notebook(),
    }
    return templates().TemplateResponse(request, "learn.html", context)


@router.get("/notebook")
async def read_notebook() -> Response:
    """The lessons in code, executed; one page that asks for nothing. Raises NotFoundError where it is not installed."""
    page = notebook()
    if page is None:
        raise NotFoundError("This service was installed without the notebook: it is in notebooks/ of the repository.")
    return FileResponse(page, headers={"Content-Security-Policy": _NOTEBOOK_POLICY})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The contract, to be read and tried out."""
    headers = {"Content-Security-Policy": _DOCS_POLICY}
    return templates().TemplateResponse(request, "docs.html", headers=headers)


async def _answered(request: Request) -> Response:
    predictor: Predictor = request.app.state.predictor
    settings: Settings = request.app.state.settings
    try:
        api_keys.check(request.headers.get("x-api-key"), settings)
        with predictor.admit() as place:
            with place.receiving():
                body = await bodies.picture(request, cap=settings.max_body_bytes, seconds=settings.upload_seconds)
            described = await bodies.while_connected(request, predictor.describe(body))
            picture = await predictor.offload(lambda: drawing.data_uri(described.sight.pixels))
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
    return templates().TemplateResponse(request, "see.html", whole, status_code=status, headers=headers)


def _model_view(predictor: Predictor, settings: Settings) -> ModelView:
    network, path = predictor.checkpoint, settings.checkpoint
    return ModelView(
        name=network.name,
        version=network.version,
        parameters=network.architecture.parameters,
        input_size=network.architecture.input_size,
        kernels=network.architecture.channels[0],
        columns=network.architecture.columns,
        size_mb=round(path.stat().st_size / 1e6, 1) if path.is_file() else 0,
        accuracy=[{"name": name, **figures} for name, figures in network.measured.items() if isinstance(figures, dict)],
        vocabularies={v.name: len(v) for v in network.vocabularies},
    )


def _learn_view(network: Checkpoint, kernels: int = 6) -> LearnView:
    network = network.folded()
    weights, biases = (np.asarray(network.weights[f"conv1.{part}"], np.float64).round(4) for part in ("weight", "bias"))
    waves = np.abs(np.fft.fft2(weights.sum(1))).max((1, 2))  # the stripes that stand out most, of all colours together
    clearest = np.argsort(-waves, kind="stable")[:kernels]
    return LearnView(
        served=network.architecture,
        paper=Architecture(),
        mean=network.preprocessing.mean,
        scale=network.preprocessing.scale,
        vocabularies=network.vocabularies,
        kernels=[{"number": int(i) + 1, "weights": weights[i].tolist(), "bias": biases[i].item()} for i in clearest],
    )


@cache
def templates() -> Jinja2Templates:
    """The pages to fill in."""
    return Jinja2Templates(directory=web_root() / "templates")
