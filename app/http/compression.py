"""Gzip for whoever takes it: Starlette's middleware, and what files need in order to go out both ways."""

from __future__ import annotations

import os

from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Gzip(GZipMiddleware):
    """Starlette's, which takes every mention of gzip for a yes, even ``gzip;q=0``."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, compresslevel=6)  # 9 takes longer for nothing to speak of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; whoever refuses gzip is treated as one who never spoke of it."""
        if scope["type"] == "http" and not quality(Headers(scope=scope).get("accept-encoding", ""), "gzip"):
            del MutableHeaders(scope=scope)["accept-encoding"]
        await super().__call__(scope, receive, send)


class Files(StaticFiles):
    """Files under that middleware: one validator for both ways."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As Starlette's, whose 405 names no method (RFC 9110, 15.5.6, wants it to)."""
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 405:
                error.headers = {"Allow": "GET, HEAD"}
            raise

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file or a 304. Weak: the tag is that of the content, not of the bytes that one encoding makes of it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["ETag"] = f"W/{response.headers['ETag']}"
        response.headers["Cache-Control"] = "no-cache"  # asked again each time: a new page must not meet old scripts
        if response.status_code == 304:  # says so as the whole answer would, which the middleware sees to
            response.headers.add_vary_header("Accept-Encoding")
        return response


def quality(accepted: str, wanted: str) -> float:
    """The weight that an Accept or Accept-Encoding header gives to exactly ``wanted``; 0 where it is not named."""
    for choice in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in choice.split(";"))
        if name == wanted:
            weights = [p.removeprefix("q=") for p in parameters if p.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0
