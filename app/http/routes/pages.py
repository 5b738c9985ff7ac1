"""The HTML pages. Without scripts, the home page is a form that posts to itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.templating import Jinja2Templates
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from app.errors import GlassbotError, NotFoundError
from app.http import answers, api_keys
from app.http.dependencies import BodyIntakePart, CheckpointPart, MetricsPart
from app.http.lesson_view import lesson_view
from app.http.site_files import notebook, samples, web_root
from app.http.worked_example import worked_example
from app.inference.images import Picture
from app.settings import Settings
from model import drawing
from model.checkpoint import Checkpoint
from model.pictures.errors import FORMATS

router = APIRouter(include_in_schema=False)

_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
_NOTEBOOK_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """The facts of the network that the home page shows."""

    name: str
    version: str
    parameters: int
    """Number of weights and biases."""
    input_size: int
    """Side of the square that the network sees, in pixels."""
    kernels: int
    """Number of kernels of conv1, in all columns together."""
    columns: int
    """Number of columns, which share no weights in conv2, conv4 and conv5 (section 3.2 of the paper)."""
    size_mb: float
    """Size of the checkpoint file in megabytes; 0 where the file is gone."""
    accuracy: list[dict[str, Any]]
    """One row for each vocabulary or part that was measured: its ``name``, and its figures by name."""
    vocabularies: dict[str, int]
    """Number of labels by name of the vocabulary."""


@router.api_route("/", methods=["GET", "POST"])  # one route, so that a 405 can name both methods
async def home(request: Request, intake: BodyIntakePart, metrics: MetricsPart) -> Response:
    """The home page; where its form was posted, with the answer for the picture in it."""
    predictor, settings, request_id = intake.predictor, intake.settings, intake.request_id
    if request.method != "POST":
        return _home_page(request, predictor.checkpoint, settings, worked=await worked_example(predictor))

    async def describe(sent: Picture) -> dict[str, Any]:
        described = await predictor.describe(sent)
        picture = await predictor.offload(lambda: drawing.data_uri(described.image.pixels))
        answer = answers.predict_response(described, predictor.checkpoint, request_id)
        return {"answer": answer, "picture": picture}

    try:
        api_keys.check(request.headers.get("x-api-key"), settings)
        context = await intake.picture(describe)
    except GlassbotError as error:
        metrics.rejected.labels(error.slug).inc()
        page = _home_page(request, predictor.checkpoint, settings, problem=answers.problem(error, request_id))
        page.status_code = error.status
        page.headers.update(error.headers)
        return page
    return _home_page(request, predictor.checkpoint, settings, **context)


@router.get("/learn")
async def learn(request: Request, checkpoint: CheckpointPart) -> Response:
    """The lessons: how such a network sees, from one convolution up to its whole layer table."""
    context = {"lesson": lesson_view(checkpoint), "samples": samples(), "notebook": notebook()}
    return templates().TemplateResponse(request, "learn.html", context)


@router.get("/teach")
async def teach(request: Request, checkpoint: CheckpointPart, intake: BodyIntakePart) -> Response:
    """The page on which people teach names of their own; what they give stays in their browser.

    While somebody thinks of a name, what the first lesson needs is computed.
    """
    settings, teacher = intake.settings, intake.predictor.teacher
    context = {
        "names": sum(len(vocabulary) for vocabulary in checkpoint.vocabularies if not vocabulary.taught),
        "input_size": checkpoint.architecture.input_size,
        "limits": {"megabytes": f"{settings.max_body_mb:g}", "formats": FORMATS},
        "samples": samples(),
        "keys": bool(settings.api_keys),
    }
    return templates().TemplateResponse(request, "teach.html", context, background=BackgroundTask(teacher.prepare))


@router.get("/notebook")
async def read_notebook() -> Response:
    """The executed notebook: one page that loads nothing else. Raises NotFoundError where it is not installed."""
    page = notebook()
    if page is None:
        raise NotFoundError("This service was installed without the notebook: it is in notebooks/ of the repository.")
    return FileResponse(page, headers={"Content-Security-Policy": _NOTEBOOK_POLICY})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The OpenAPI contract, to be read and tried out."""
    headers = {"Content-Security-Policy": _DOCS_POLICY}
    return templates().TemplateResponse(request, "docs.html", headers=headers)


def _home_page(request: Request, checkpoint: Checkpoint, settings: Settings, **answer: Any) -> Response:
    """The home page: with ``answer`` and ``picture``, or a ``problem``, where there was a picture, else ``worked``."""
    context = {
        "model": _model_view(checkpoint, settings),
        "answer": None,
        "problem": None,
        "picture": None,
        "worked": None,
        "limits": {"megabytes": f"{settings.max_body_mb:g}", "formats": FORMATS},
        "samples": samples(),
        "keys": bool(settings.api_keys),
        **answer,
    }
    return templates().TemplateResponse(request, "see.html", context)


def _model_view(checkpoint: Checkpoint, settings: Settings) -> ModelView:
    file, measured = settings.checkpoint, checkpoint.measured
    return ModelView(
        name=checkpoint.name,
        version=checkpoint.version,
        parameters=checkpoint.architecture.parameters,
        input_size=checkpoint.architecture.input_size,
        kernels=checkpoint.architecture.channels[0],
        columns=checkpoint.architecture.columns,
        size_mb=round(file.stat().st_size / 1e6, 1) if file.is_file() else 0,
        accuracy=[{"name": name, **figures} for name, figures in measured.items() if isinstance(figures, dict)],
        vocabularies={vocabulary.name: len(vocabulary) for vocabulary in checkpoint.vocabularies},
    )


@cache
def templates() -> Jinja2Templates:
    """The templates of all pages, from the folder where they are installed."""
    return Jinja2Templates(directory=web_root() / "templates")
