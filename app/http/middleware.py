"""Middleware around every request: an id, security headers, a line in the log, metrics.

Pure ASGI, so that bodies which are streamed stay streams.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from random import getrandbits
from time import perf_counter
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.errors import GlassbotError, MalformedRequestError, UnsatisfiableRangeError
from app.http.protocol import BROKEN_OFF, REFUSAL, repeats
from app.metrics import Metrics

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
POLLED = frozenset(("/livez", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"))
"""Routes that machines ask every few seconds; they are logged at level debug, and not traced."""

log = logging.getLogger("glassbot.http")


class Head:
    """Answers HEAD as GET, header for header; the server leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; every method but HEAD is passed on unchanged."""
        if scope.get("method") != "HEAD":
            await self._app(scope, receive, send)
            return
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send)
        finally:
            scope["route"] = as_get.get("route")  # RequestContextMiddleware counts requests by it


class PlainErrors:
    """Puts a problem in the place of each error that the framework answers in plain text.

    Starlette does so for a Range header that a file cannot satisfy. ``error_response`` makes the answer for an error.
    """

    def __init__(self, app: ASGIApp, *, error_response: Callable[[GlassbotError], ASGIApp]) -> None:
        self._app = app
        self._error_response = error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; answers that are no errors in plain text pass unchanged."""
        replaced: Message | None = None

        async def send_unless_plain(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_plain_error(message):
                replaced = message
            if replaced is None:
                await send(message)

        await self._app(scope, receive, send_unless_plain)
        if replaced is not None:
            await self._error_response(_framework_error(replaced["status"]))(scope, receive, send)


class RelativeRedirects:
    """Lets the redirect from an address with a slash too many, or too few, hold behind any proxy.

    Starlette names scheme, host and prefix, as this process sees them; a proxy that speaks HTTPS, or that strips a
    prefix, has others. So only the last part of the address is named, relative to the one that was asked for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; all but redirects pass unchanged."""

        async def send_relative(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 307:
                headers = MutableHeaders(scope=message)
                headers["Location"] = _beside(scope["path"], headers["Location"])
            await send(message)

        await self._app(scope, receive, send_relative)


def path_of(scope: Scope) -> str:
    """The path of a request as the routes name it, without the prefix that a gateway strips."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _beside(path: str, location: str) -> str:
    """The last part of an absolute address as a reference that is relative to ``path``."""
    target = urlsplit(location)
    slashes = len(path) - len(path.rstrip("/"))
    name = target.path.rstrip("/").rpartition("/")[2]
    reference = "../" * slashes + name if slashes else f"{name}/"
    return reference + (f"?{target.query}" if target.query else "")


def _is_plain_error(message: Message) -> bool:
    return message["status"] >= 400 and Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")


def _framework_error(status: int) -> GlassbotError:
    if status == 416:
        return UnsatisfiableRangeError("The Range header asks for bytes that this file does not have.")
    if status < 500:
        return MalformedRequestError("A header of this request cannot be read: Range is bytes=FIRST-LAST.")
    return GlassbotError("This is our fault.")


class RequestContextMiddleware:
    """Gives every request its id, headers, line in the log and metrics, and answers 500 to unforeseen exceptions.

    It wraps the whole application. ``error_response`` makes the answer for an error, and ``is_draining`` tells whether
    clients should send their next request to another replica.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        is_draining: Callable[[], bool],
        error_response: Callable[[GlassbotError], ASGIApp],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._is_draining = is_draining
        self._error_response = error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request; anything else is passed on unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client_id = Headers(scope=scope).get("x-request-id", "")
        request_id = client_id if _VALID_ID.fullmatch(client_id) else f"{getrandbits(128):032x}"
        state = scope.setdefault("state", {})
        request_id = state.setdefault("request_id", request_id)
        token = logs.request_id.set(request_id)
        try:
            await self._handle(scope, receive, send, request_id)
        finally:
            logs.request_id.reset(token)

    async def _handle(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began = perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            await self._app_for(scope)(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = status or 499  # nginx's code for a client that left before it was answered
        except Exception:
            log.exception("unforeseen")
            if status:  # the answer has begun: only breaking it off tells the client
                raise
            response = self._error_response(GlassbotError("This is our fault; it has been logged."))
            await response(scope, receive, send_with_headers)
        finally:
            if not repeats(scope):
                status = scope.get("extensions", {}).get(BROKEN_OFF, {}).get("status", status)
                self._record(scope, status, perf_counter() - began)

    def _app_for(self, scope: Scope) -> ASGIApp:
        """What answers the request: the application, or a problem where the protocol has found no request in it."""
        refusal = scope.get("extensions", {}).get(REFUSAL)
        return self._app if refusal is None else self._error_response(refusal)

    def _add_headers(self, headers: MutableHeaders, request_id: str) -> None:
        headers["X-Request-ID"] = request_id
        for name, value in _SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if self._is_draining():
            headers["Connection"] = "close"  # the next request belongs to another replica

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.latency.labels(route).observe(seconds)
        facts = {"method": method, "route": route, "status": status, "ms": round(1000 * seconds, 1)}
        level = logging.DEBUG if route in POLLED else logging.INFO
        log.log(level, "answered", extra={"facts": facts})
