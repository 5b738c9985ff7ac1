"""Cross-origin requests: lets pages of the origins that the operator named call this service."""

from __future__ import annotations

from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.errors import CrossOriginError, GlassbotError


class Cors(CORSMiddleware):
    """Starlette's middleware, which refuses in plain text; here a refusal is a problem like every other."""

    def __init__(self, app: ASGIApp, origins: Collection[str], problem: Callable[[GlassbotError], Response]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=(
                "If-None-Match",
                "Inference-Header-Content-Length",
                "traceparent",
                "tracestate",
                "X-API-Key",
                "X-Request-ID",
            ),
            expose_headers=(
                "ETag",
                "Inference-Header-Content-Length",
                "Retry-After",
                "WWW-Authenticate",
                "X-Request-ID",
            ),
        )
        self._problem = problem

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer the request that a browser sends before one with a picture or a key."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        reason = bytes(answer.body).decode()
        refusal = self._problem(
            CrossOriginError(f"Pages of this origin, or with this method or header, may not call: {reason}.")
        )
        refusal.headers.update({name: value for name, value in answer.headers.items() if name.startswith("vary")})
        return refusal
