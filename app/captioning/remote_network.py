"""A running service as the captioner of ``glassbot caption``: ``POST /predict`` over a few connections that stay open.

Temporary failures are tried again: a broken connection and the statuses 429, 502, 503 and 504, ``MAX_ATTEMPTS`` times
in all. The pauses double and are partly random, and are never shorter than the ``Retry-After`` of the service. A
request that pauses keeps its place among the ``concurrency`` ones, so that a busy service gets fewer requests.
"""

from __future__ import annotations

from asyncio import Semaphore, sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError
from tenacity import AsyncRetrying, RetryCallState, wait_exponential, wait_random_exponential

from app.captioning.files import OneByOne, PredictionFields, prediction_fields
from app.errors import GlassbotError
from app.http.schemas import PredictResponse
from app.settings import LAST_PORT, SettingsError
from app.startup import StartError

MAX_ATTEMPTS = 8
MAX_PAUSE_SECONDS = 60.0
"""A service that asks for a longer pause is not asked again."""

_BACKOFF = wait_exponential(multiplier=0.25, max=4) + wait_random_exponential(multiplier=0.25, max=4)
"""Seconds between half and all of a span that doubles from 0.5 to 8, so that not all requests return at once."""
_TEMPORARY_STATUSES = (429, 502, 503, 504)
_FORBIDDEN_STATUSES = (401, 403)
_TIMEOUT = httpx.Timeout(60, connect=10)
_OCTETS = {"Content-Type": "application/octet-stream"}


class ServiceError(StartError):
    """Report that the service cannot caption any picture; the message is one sentence."""


class RefusedError(GlassbotError):
    """Report that the service did not caption one picture, in the words of the service."""


def parse_address(text: str) -> httpx.URL:
    """Parse the address that ``--server`` gives. Raises SettingsError where it is not an HTTP address."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(f"--server needs an address such as http://127.0.0.1:8000, not {text[:80]!r}.")
    if (url.port or 0) > LAST_PORT:
        raise SettingsError(f"The port of --server is {LAST_PORT} at most, not {url.port}.")
    return url


@asynccontextmanager
async def open_captioner(
    url: httpx.URL, *, key: str | None, concurrency: int, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[OneByOne]:
    """Connect to the service at ``url``, for at most ``concurrency`` requests at once. Raises ServiceError.

    ``key`` is the API key to send; ``transport`` replaces the network connection in tests.
    """
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    headers = {"X-API-Key": key} if key else {}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=_TIMEOUT, transport=transport
    ) as client:
        service = RemoteService(client, concurrency)
        version = await service.read_version()
        yield OneByOne(version, service.predict, 4 * concurrency)


class RemoteService:
    """Sends requests to one service, and sends them again after temporary failures."""

    def __init__(self, client: httpx.AsyncClient, concurrency: int) -> None:
        self._client = client
        self._slots = Semaphore(concurrency)
        self._address = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"  # without a password
        self._version: str | None = None

    async def read_version(self) -> str:
        """Return the version of the service's network. Raises ServiceError, at once where nothing answers."""
        response = await self._send("GET", "model")
        self._check_access(response)
        try:
            self._version = str(response.raise_for_status().json()["version"])
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError) as error:
            reason = f"GET /model answered {response.status_code}, without the version of a network"
            raise ServiceError(f"{self._address} is not a Glassbot service: {reason}.") from error
        return self._version

    async def predict(self, body: bytes) -> PredictionFields:
        """Caption the picture in ``body``.

        Raises RefusedError where this picture failed, and ServiceError where every other one would fail too.
        """
        async with self._slots:
            response = await self._send("POST", "predict", body)
        self._check_access(response)
        if response.status_code != 200:
            raise RefusedError(problem_detail(response))
        try:
            prediction = PredictResponse.model_validate_json(response.content)
        except ValidationError as error:
            raise ServiceError(f"{self._address} does not answer like this version of Glassbot.") from error
        version = prediction.model.version
        if version != self._version:
            raise ServiceError(f"{self._address} changed its network from {self._version} to {version}.")
        return prediction_fields(prediction)

    def _check_access(self, response: httpx.Response) -> None:
        """Raise ServiceError where the service refuses all requests, or is too busy for the first one already."""
        too_busy = self._version is None and response.status_code in _TEMPORARY_STATUSES
        if too_busy or response.status_code in _FORBIDDEN_STATUSES:
            raise ServiceError(f"{self._address} refuses our requests: {problem_detail(response)}")

    async def _send(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        """Return the last response. Raises ServiceError or RefusedError where there was none."""
        retrying = AsyncRetrying(
            retry=self._is_temporary,
            wait=_pause_seconds,
            stop=_gives_up,
            retry_error_callback=_response_of,
            sleep=sleep,
        )
        headers = None if body is None else _OCTETS
        try:
            return await retrying(self._client.request, method, path, content=body, headers=headers)
        except httpx.RequestError as error:
            raise self._connection_error(error) from error

    def _is_temporary(self, attempt: RetryCallState) -> bool:
        assert attempt.outcome is not None
        error = attempt.outcome.exception()
        if error is None:
            return _response_of(attempt).status_code in _TEMPORARY_STATUSES
        return isinstance(error, httpx.RequestError) and self._version is not None

    def _connection_error(self, error: httpx.RequestError) -> Exception:
        reason = str(error) or type(error).__name__
        if self._version is None:
            return ServiceError(f"{self._address} does not answer ({reason}).")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return ServiceError(f"{self._address} does not answer any more ({reason}).")
        return RefusedError(f"The connection broke {MAX_ATTEMPTS} times while this picture was sent ({reason}).")


def _pause_seconds(attempt: RetryCallState) -> float:
    """Add the pause that the service asks for to our own, which would otherwise end for all requests at once."""
    assert attempt.outcome is not None
    if attempt.outcome.failed:
        return _BACKOFF(attempt)
    return _BACKOFF(attempt) + retry_after_seconds(_response_of(attempt).headers.get("Retry-After", ""))


def _gives_up(attempt: RetryCallState) -> bool:
    return attempt.attempt_number >= MAX_ATTEMPTS or attempt.upcoming_sleep > MAX_PAUSE_SECONDS


def _response_of(attempt: RetryCallState) -> httpx.Response:
    """Return the response of an attempt, or raise its error."""
    assert attempt.outcome is not None
    response = attempt.outcome.result()
    assert isinstance(response, httpx.Response)
    return response


def retry_after_seconds(header: str) -> float:
    """Read a ``Retry-After`` header, of seconds or an HTTP date, as seconds from now; 0 where it is neither."""
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return 0
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def problem_detail(response: httpx.Response) -> str:
    """Return the ``detail`` of a problem document, or else a sentence with the status."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The service answered {response.status_code} {response.reason_phrase}".rstrip() + "."
