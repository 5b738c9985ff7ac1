"""Errors in the protocol's form, ``{"error": …}``, with the statuses that its clients know."""

from __future__ import annotations

from starlette.responses import Response

from app.errors import GlassbotError
from app.http.open_inference.schemas import Failure

PREFIX = "/v2"
_ABOUT_THE_REQUEST = (415, 422)
"""Statuses that the protocol does not know; it says 400 for whatever is wrong with a request."""


def status_of(error: GlassbotError | type[GlassbotError]) -> int:
    """The HTTP status of an error beneath ``/v2``."""
    return 400 if error.status in _ABOUT_THE_REQUEST else error.status


def is_beneath(path: str) -> bool:
    """Whether the protocol's form is expected at this path."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def failure(error: GlassbotError) -> Response:
    """The answer for an error: its sentence, its headers, and the status of it here."""
    body = Failure(error=error.detail).model_dump_json()
    return Response(body, status_of(error), error.headers, media_type="application/json")
