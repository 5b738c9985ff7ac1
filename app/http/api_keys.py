"""API keys: where the operator set any, a request that sends pictures or examples must carry one of them."""

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
    """Check the key of a request; a dependency, so that it runs before the body is read. Raises UnauthorizedError."""
    check(key, request.app.state.settings)


def check(key: str | None, settings: Settings) -> None:
    """Raises UnauthorizedError where the operator set keys and ``key`` is none of them."""
    if not settings.api_keys:
        return
    offered = (key or "").encode("latin-1", "replace")
    # Each key is compared every time: how long it takes must not tell which key comes near.
    matches = [compare_digest(offered, secret.get_secret_value().encode()) for secret in settings.api_keys]
    if not any(matches):
        reason = "is not one of those that were given out" if key else "is missing"
        raise UnauthorizedError(f"The API key in the header X-API-Key {reason}.")
