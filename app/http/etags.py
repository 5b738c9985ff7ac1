"""ETags for answers that change only with the network or with this program."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response


def tag(*versions: str) -> str:
    """A weak one: of the content, not of the bytes that one encoding or one version of a library makes of it."""
    return f'W/"{"-".join(versions)}"'


def unchanged(request: Request, current: str) -> Response | None:
    """304 for those who name ``current`` in If-None-Match, compared weakly (RFC 9110, 13.1.2); else None."""
    named = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304) if named & {current.removeprefix("W/"), "*"} else None
