"""Builds the application: its parts, lifespan, routes, middleware, and how errors become problems."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import logs
from app.errors import GlassbotError, InvalidRequestError, MethodNotAllowedError, NotFoundError
from app.http import answers
from app.http.compression import Files, Gzip
from app.http.cors import Cors
from app.http.middleware import Head, PlainErrors, RelativeRedirects, RequestContextMiddleware, path_of
from app.http.open_inference import failures
from app.http.openapi import DESCRIPTION, Service
from app.http.routes import api, compare, health, network, open_inference, pages, teach, training, units, working
from app.http.routes.contract import PROBLEM
from app.http.site_files import web_root
from app.inference.engine_host import CreateEngine, EngineHost
from app.inference.predictor import Predictor
from app.inference.steps import unwatched
from app.metrics import Metrics
from app.runs.registry import Runs
from app.settings import Settings
from model import checkpoint as checkpoints
from model import unit_cards
from model.checkpoint import Checkpoint
from model.engines import create_engine as create_real_engine
from model.unit_cards import UnitCards

if TYPE_CHECKING:
    from app.http.tracing import Tracing

log = logging.getLogger("glassbot")


def create_app(
    settings: Settings, checkpoint: Checkpoint | None = None, *, create_engine: CreateEngine = create_real_engine
) -> FastAPI:
    """The service for one network, read from ``settings.checkpoint`` where none is given. Raises CheckpointError.

    Its lifespan starts the engine that ``create_engine`` builds in the background; ``/readyz`` tells when it runs.
    """
    metrics = Metrics(shared=settings.workers > 1)
    host = EngineHost(settings, checkpoint or checkpoints.load(settings.checkpoint), metrics, create_engine)
    tracing = _tracing(settings)
    predictor = Predictor(settings, host, metrics, tracing.step if tracing else unwatched)
    app = Service(
        title="Glassbot",
        version=_version(),
        description=DESCRIPTION,
        lifespan=lambda _: _running(settings, predictor, tracing),
        docs_url=None,
        redoc_url=None,
        root_path_in_servers=False,
        telemetry=tracing.telemetry if tracing else None,
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.host = host
    app.state.predictor = predictor
    app.state.runs = Runs(settings.runs)
    app.state.unit_cards = _unit_cards(settings, host.checkpoint)
    for part in (api, compare, working, teach, network, units, open_inference, health, pages, training):
        app.include_router(part.router)
    app.mount("/static", Files(directory=web_root() / "static"), name="static")
    _add_middleware(app, settings, metrics, host)
    if tracing:
        app.add_middleware(tracing.ids_in_logs)
    _answer_problems(app, metrics)
    return app


def _tracing(settings: Settings) -> Tracing | None:
    """What sends traces, where they are asked for. Raises SettingsError."""
    if settings.traces == "off":
        return None
    from app.http.tracing import Tracing

    return Tracing()


@asynccontextmanager
async def _running(settings: Settings, predictor: Predictor, tracing: Tracing | None) -> AsyncIterator[None]:
    async with predictor.running():
        if settings.workers > 1:  # a worker takes connections once it can answer: until then others do
            await predictor.host.started()
        yield
    if tracing:
        await tracing.close()


def _add_middleware(app: FastAPI, settings: Settings, metrics: Metrics, host: EngineHost) -> None:
    """Wrap the application, from the inside to the outside."""

    def with_cors(inner: ASGIApp) -> ASGIApp:
        return Cors(inner, settings.cors_origins, problem) if settings.cors_origins else inner

    def error_response(error: GlassbotError) -> ASGIApp:
        return with_cors(_failing(error))

    app.add_middleware(PlainErrors, error_response=_failing)
    app.add_middleware(RelativeRedirects)
    app.add_middleware(Gzip)
    app.add_middleware(Head)
    app.add_middleware(with_cors)
    app.add_middleware(
        RequestContextMiddleware,
        metrics=metrics,
        is_draining=lambda: host.draining,
        error_response=error_response,
    )


def _failing(error: GlassbotError) -> ASGIApp:
    """What answers any request with an error."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await failure(error, scope)(scope, receive, send)

    return answer


def failure(error: GlassbotError, scope: Scope) -> Response:
    """The answer for an error: a problem, but beneath ``/v2`` what that protocol has in its place."""
    return failures.failure(error) if failures.is_beneath(path_of(scope)) else problem(error)


def problem(error: GlassbotError) -> Response:
    """The RFC 9457 answer for an error, with the id of the current request."""
    body = answers.problem(error, logs.request_id.get()).model_dump_json(exclude_defaults=True)
    return Response(body, error.status, error.headers, media_type=PROBLEM)


def _answer_problems(app: FastAPI, metrics: Metrics) -> None:
    """Answer our own errors, invalid parameters, and the framework's 404 and 405 with problems."""

    @app.exception_handler(GlassbotError)
    async def answer(request: Request, error: GlassbotError) -> Response:
        metrics.rejected.labels(error.slug).inc()
        return failure(error, request.scope)

    @app.exception_handler(RequestValidationError)
    async def answer_invalid(request: Request, error: RequestValidationError) -> Response:
        return await answer(request, _from_validation(error))

    @app.exception_handler(HTTPException)
    async def answer_framework(request: Request, error: HTTPException) -> Response:
        response = failure(_from_http(error), request.scope)
        response.headers.update(error.headers or {})
        allowed = set(response.headers.get("Allow", "").split(", "))
        if "GET" in allowed:  # app.http.middleware.Head answers HEAD wherever GET is answered
            response.headers["Allow"] = ", ".join(sorted(allowed | {"HEAD"}))
        return response


def _from_validation(error: RequestValidationError) -> InvalidRequestError:
    """Parameters that do not fit; the detail is about the first of them."""
    faults = [{"where": ".".join(map(str, fault["loc"])), "what": str(fault["msg"])} for fault in error.errors()]
    if not faults:
        return InvalidRequestError("The request is not valid.")
    where, what = faults[0]["where"].removeprefix("query."), faults[0]["what"]
    if error.errors()[0]["type"] == "missing":
        return InvalidRequestError(f"{where} is missing: add ?{where}=… to the address.", errors=faults)
    return InvalidRequestError(f"{where}: {what}.", errors=faults)


def _from_http(error: HTTPException) -> GlassbotError:
    """An exception of the framework, which is hardly ever anything but a wrong path or method."""
    if error.status_code == 404:
        return NotFoundError("No page and no route has this address; GET / is the page.")
    if error.status_code == 405:
        return MethodNotAllowedError("This address answers another method; the Allow header names it.")
    if error.status_code < 500:
        return InvalidRequestError(str(error.detail))
    return GlassbotError("This is our fault.")


def _unit_cards(settings: Settings, checkpoint: Checkpoint) -> UnitCards | None:
    """The cards beside the checkpoint; None, with a line in the log, where they are broken or another network's."""
    try:
        return unit_cards.read_beside(settings.checkpoint, checkpoint)
    except (unit_cards.UnitCardsError, OSError) as error:
        log.warning("no unit cards", extra={"facts": {"why": str(error)}})
        return None


def _version() -> str:
    try:
        return version("glassbot")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
