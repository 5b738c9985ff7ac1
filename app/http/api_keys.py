"""API keys: whoever sends pictures must show one, where the operator set any."""

from __future__ import annotations

from hmac import compare_digest
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader

from app.errors import UnauthorizedError
from app.settings import Settings

_HEADER = APIKeyHeader(
    name="X-API-Key", scheme_name="ApiKeyAuth", auto_error=False, description="Needed only where the operator set keys."
)


async def required(request: Request, key: Annotated[str | None, Security(_HEADER)]) -> None:
    """A dependency, so that it runs before the body is read. Raises UnauthorizedError."""
    check(key, request.app.state.settings)


def check(key: str | None, settings: Settings) -> None:
    """Nothing where there are no keys or ``key`` is one of them. Raises UnauthorizedError."""
    if not settings.api_keys:
        return
    offered = (key or "").encode("latin-1", "replace")
    # All of them, always: the time must not tell which key comes near.
    fits = [compare_digest(offered, one.get_secret_value().encode()) for one in settings.api_keys]
    if not any(fits):
        why = "is not one of those that were given out" if key else "is missing"
        raise UnauthorizedError(f"The API key in the header X-API-Key {why}.")
