"""A running service as the network of ``glassbot caption``: ``POST /predict`` over a few connections that stay open.

What may pass by itself is asked again: 429, 503, 504 and a broken connection, ``TRIES`` times in all, after pauses that
double, with some chance in them, and never sooner than ``Retry-After`` says. Whoever waits keeps his turn, so that a
service that is too busy is asked by fewer at once.
"""

from __future__ import annotations

from asyncio import Semaphore, sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import uniform

import httpx
from pydantic import ValidationError

from app.captioning import files
from app.captioning.files import Answer, Network
from app.errors import GlassbotError
from app.http.schemas import PredictResponse
from app.settings import SettingsError
from app.startup import StartError

TRIES = 8
PATIENCE = 60.0
"""Seconds; a service that wants to be left alone for longer is not waited for."""

_LATER = (429, 503, 504)
_SHUT = (401, 403)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_TIMEOUT = httpx.Timeout(60, connect=10)
_BYTES = {"Content-Type": "application/octet-stream"}


class ServiceError(StartError):
    """The service cannot be used, for any picture; the message is one sentence."""


class RefusedError(GlassbotError):
    """What the service says of one picture, in its words."""


def address(text: str) -> httpx.URL:
    """What ``--server`` names. Raises SettingsError."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(f"--server takes an address such as http://127.0.0.1:8000, not {text[:80]!r}.")
    return url


@asynccontextmanager
async def network(
    url: httpx.URL, *, key: str | None, concurrency: int, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Network]:
    """The service at ``url``, asked at most ``concurrency`` things at once. Raises ServiceError."""
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    headers = {"X-API-Key": key} if key else {}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=_TIMEOUT, transport=transport
    ) as client:
        service = Service(client, concurrency)
        version = await service.meet()
        yield Network(version, service.ask, 4 * concurrency)


class Service:
    """Asks, and asks again."""

    def __init__(self, client: httpx.AsyncClient, concurrency: int) -> None:
        self._client = client
        self._turns = Semaphore(concurrency)
        self._where = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"  # without a password
        self._version: str | None = None

    async def meet(self) -> str:
        """The version of its network. Raises ServiceError, at once where nobody is there."""
        response = await self._send("GET", "model")
        self._refuse_closed(response)
        try:
            self._version = str(response.raise_for_status().json()["version"])
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError) as error:
            what = f"GET /model answers {response.status_code} and names no network"
            raise ServiceError(f"{self._where} is no Glassbot service: {what}.") from error
        return self._version

    async def ask(self, body: bytes) -> Answer:
        """What it says of one picture. Raises RefusedError, or ServiceError where asking for others is in vain."""
        async with self._turns:
            response = await self._send("POST", "predict", body)
        self._refuse_closed(response)
        if response.status_code != 200:
            raise RefusedError(detail(response))
        try:
            answer = PredictResponse.model_validate_json(response.content)
        except ValidationError as error:
            raise ServiceError(f"{self._where} does not answer as this version of Glassbot does.") from error
        if answer.model.version != self._version:
            raise ServiceError(f"{self._where} has changed its network from {self._version} to {answer.model.version}.")
        return files.lasting(answer)

    def _refuse_closed(self, response: httpx.Response) -> None:
        """What holds for every picture. That it is too busy does so only if it was for the first."""
        if response.status_code in _SHUT or (self._version is None and response.status_code in _LATER):
            raise ServiceError(f"{self._where} does not let us in: {detail(response)}")

    async def _send(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        tried = 0
        while True:
            tried += 1
            wait = pause(tried)
            try:
                response = await self._client.request(
                    method, path, content=body, headers=None if body is None else _BYTES
                )
            except httpx.RequestError as error:
                if tried == TRIES or self._version is None:
                    raise self._lost(error) from error
            else:
                wait += retry_after(response.headers.get("Retry-After", ""))
                if response.status_code not in _LATER or tried == TRIES or wait > PATIENCE:
                    return response
            await sleep(wait)

    def _lost(self, error: httpx.RequestError) -> Exception:
        why = str(error) or type(error).__name__
        if self._version is None:
            return ServiceError(f"Nobody answers at {self._where} ({why}).")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return ServiceError(f"Nobody answers at {self._where} any more ({why}).")
        return RefusedError(f"The connection broke {TRIES} times while it was asked about ({why}).")


def pause(tried: int) -> float:
    """Seconds after so many tries: between half and all of a span that doubles, so that not all come back at once."""
    return uniform(0.5, 1) * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (tried - 1))


def retry_after(value: str) -> float:
    """Seconds, from seconds or an HTTP date; 0 where it is neither."""
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return 0
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def detail(response: httpx.Response) -> str:
    """What a problem says for people, or else its status."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The service answered {response.status_code} {response.reason_phrase}".rstrip() + "."
