"""Gzip for clients that accept it: Starlette's middleware, and static files that work with and without it."""

from __future__ import annotations

import os

from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Gzip(GZipMiddleware):
    """Starlette's middleware, made to respect ``gzip;q=0``, which it would take for a yes."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, compresslevel=6)  # 9 takes longer and saves next to nothing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; a client that refuses gzip is treated as one that does not name it."""
        if scope["type"] == "http" and not quality(Headers(scope=scope).get("accept-encoding", ""), "gzip"):
            del MutableHeaders(scope=scope)["accept-encoding"]
        await super().__call__(scope, receive, send)


class Files(StaticFiles):
    """Static files under that middleware, with one ETag for the plain and the compressed form."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Starlette's response, with an Allow header on its 405 (RFC 9110, section 15.5.6)."""
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 405:
                error.headers = {"Allow": "GET, HEAD"}
            raise

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or a 304. Its ETag is weak: it names the content, not the bytes that one encoding makes of it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["ETag"] = f"W/{response.headers['ETag']}"
        response.headers["Cache-Control"] = "no-cache"  # so that a new page never meets old scripts
        if response.status_code == 304:  # the middleware adds this to the whole answer, but not to a 304
            response.headers.add_vary_header("Accept-Encoding")
        return response


def quality(accepted: str, wanted: str) -> float:
    """The weight from 0 to 1 that an Accept or Accept-Encoding header gives to ``wanted``; 0 where it is not named.

    Wildcards do not count: what is sent by default needs no weight, and anything else must be asked for by name.
    """
    for choice in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in choice.split(";"))
        if name == wanted:
            weights = [parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0
