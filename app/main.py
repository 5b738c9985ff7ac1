"""The application: lifespan, routes, problems, headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from app import logs
from app.errors import GlassbotError, InvalidRequestError, MethodNotAllowedError, NotFoundError
from app.http import answers
from app.http.compression import Files, Gzip
from app.http.cors import Cors
from app.http.middleware import Envelope, Head
from app.http.openapi import DESCRIPTION, Service
from app.http.routes import api, health, network, pages, training
from app.http.routes.contract import PROBLEM
from app.http.site_files import web_root
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.runs.registry import Runs
from app.settings import Settings
from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint


def create_app(settings: Settings, checkpoint: Checkpoint | None = None) -> FastAPI:
    """The service for one network, read from ``settings.checkpoint`` where none is given. Raises CheckpointError.

    The lifespan loads the engine in the background: ``/readyz`` tells when it is done.
    """
    metrics = Metrics()
    predictor = Predictor(settings, checkpoint or checkpoints.load(settings.checkpoint), metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with predictor.running():
            yield

    app = Service(
        title="Glassbot",
        version=_version(),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        root_path_in_servers=False,
    )
    app.state.settings, app.state.predictor, app.state.metrics = settings, predictor, metrics
    app.state.runs = Runs(settings.runs)
    for router in (api.router, network.router, health.router, pages.router, training.router):
        app.include_router(router)
    app.mount("/static", Files(directory=web_root() / "static"), name="static")
    _wrap(app, settings, metrics, predictor)
    _answer_problems(app, metrics)
    return app


def _wrap(app: FastAPI, settings: Settings, metrics: Metrics, predictor: Predictor) -> None:
    """From the inside to the outside."""

    def apology(error: GlassbotError) -> ASGIApp:
        return shared(problem(error))

    def shared(inner: ASGIApp) -> ASGIApp:
        return Cors(inner, settings.cors_origins, problem) if settings.cors_origins else inner

    app.add_middleware(Gzip)
    app.add_middleware(Head)
    app.add_middleware(shared)
    app.add_middleware(Envelope, metrics=metrics, leaving=lambda: predictor.draining, apology=apology)


def problem(error: GlassbotError) -> Response:
    """The RFC 9457 answer."""
    body = answers.problem(error, logs.request_id.get()).model_dump_json(exclude_defaults=True)
    return Response(body, error.status, error.headers, media_type=PROBLEM)


def _answer_problems(app: FastAPI, metrics: Metrics) -> None:
    @app.exception_handler(GlassbotError)
    async def ours(_: Request, error: GlassbotError) -> Response:
        metrics.rejected.labels(error.slug).inc()
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [{"where": ".".join(map(str, e["loc"])), "what": str(e["msg"])} for e in error.errors()]
        detail = (
            f"{wrong[0]['where'].removeprefix('query.')}: {wrong[0]['what']}." if wrong else "The request is not valid."
        )
        return await ours(request, InvalidRequestError(detail, errors=wrong))

    @app.exception_handler(HTTPException)
    async def plain(_: Request, error: HTTPException) -> Response:
        answer = problem(_from_http(error))
        answer.headers.update(error.headers or {})
        allowed = set(answer.headers.get("Allow", "").split(", "))
        if "GET" in allowed:  # see app.http.middleware.Head
            answer.headers["Allow"] = ", ".join(sorted(allowed | {"HEAD"}))
        return answer


def _from_http(error: HTTPException) -> GlassbotError:
    """What the framework itself raises: a wrong path or method, hardly anything else."""
    if error.status_code == 404:
        return NotFoundError("No page and no route has this address; GET / is the page.")
    if error.status_code == 405:
        return MethodNotAllowedError("This address answers another method; the Allow header names it.")
    if error.status_code < 500:
        return InvalidRequestError(str(error.detail))
    return GlassbotError("This is our fault.")


def _version() -> str:
    try:
        return version("glassbot")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
