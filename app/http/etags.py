"""ETags for answers that change only with the network, or with this program."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response


def tag(*versions: str) -> str:
    """A weak ETag of ``versions``, all of which the answer depends on.

    Weak, because it names the content and not the bytes that one encoding, or one version of a library, makes of it.
    """
    return f'W/"{"-".join(versions)}"'


def unchanged(request: Request, current: str) -> Response | None:
    """A 304 where If-None-Match names the ETag ``current``, compared weakly (RFC 9110, section 13.1.2); else None."""
    known = {etag.strip().removeprefix("W/") for etag in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304) if known & {current.removeprefix("W/"), "*"} else None
