"""What every answer carries: a request id, security headers, a log line, a count. Pure ASGI: streams stay streams."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.errors import GlassbotError
from app.metrics import Metrics

_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_QUIET = ("/livez", "/readyz", "/metrics")

log = logging.getLogger("glassbot.http")


class Head:
    """Answers HEAD as GET, header for header; the server keeps the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; all but HEAD are passed on."""
        if scope.get("method") != "HEAD":
            await self._app(scope, receive, send)
            return
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send)
        finally:
            scope["route"] = as_get.get("route")  # by which Envelope counts


class Envelope:
    """Wraps the whole application; also the last one to catch what nobody foresaw."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        leaving: Callable[[], bool],
        apology: Callable[[GlassbotError], ASGIApp],
    ) -> None:
        self._app, self._metrics, self._leaving, self._apology = app, metrics, leaving, apology

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request; anything else is passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _GOOD_ID.fullmatch(asked) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        token = logs.request_id.set(request_id)
        try:
            await self._counted(scope, receive, send, request_id)
        finally:
            logs.request_id.reset(token)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began, status = perf_counter(), 0

        async def labelled(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._label(MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            await self._app(scope, receive, labelled)
        except ClientDisconnect:
            status = status or 499  # as nginx counts it: nobody is there to be answered
        except Exception:
            log.exception("unforeseen")
            if status:  # the answer has begun: only breaking it off tells the client
                raise
            await self._apology(GlassbotError("This is our fault; it has been logged."))(scope, receive, labelled)
        finally:
            self._count(scope, status, perf_counter() - began)

    def _label(self, headers: MutableHeaders, request_id: str) -> None:
        headers["X-Request-ID"] = request_id
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if self._leaving():
            headers["Connection"] = "close"  # the next request belongs to another replica

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.latency.labels(route).observe(seconds)
        facts = {"method": method, "route": route, "status": status, "ms": round(1000 * seconds, 1)}
        log.log(logging.DEBUG if route in _QUIET else logging.INFO, "answered", extra={"facts": facts})
