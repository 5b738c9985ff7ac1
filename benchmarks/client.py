"""A small HTTP client that measures each answer from the moment when its request should have been sent."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.photos import Body

_TIMEOUT_SECONDS = 30.0
_KEEP_ALIVE_SECONDS = 3.0
"""Seconds after which an idle connection is not used again: fewer than a server's, which might just be closing it."""
_FAILED = (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError, IndexError)


@dataclass(frozen=True)
class Answer:
    """One answer to a request, or its absence."""

    status: int
    """The HTTP status; 0 where there was no answer."""
    seconds: float
    """Seconds from the moment when the request should have been sent."""
    retry_after: bool = False
    """Whether there was a ``Retry-After`` header."""
    content: bytes = b""
    """The body of the answer."""
    late: float = 0.0
    """The part of ``seconds`` before the request was sent, because this client was too slow."""

    def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(self.content)


@dataclass(frozen=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def idle(self) -> bool:
        """Whether another request can be sent: both ends are open, and the last request was sent completely."""
        return (
            not self.reader.at_eof()
            and not self.writer.is_closing()
            and self.writer.transport.get_write_buffer_size() == 0
        )


class Client:
    """Sends requests to a server of this machine over at most ``max_connections``, which stay open.

    Use it from one event loop.
    """

    def __init__(self, port: int, *, max_connections: int = 500) -> None:
        self._port = port
        self._idle: list[tuple[float, _Connection]] = []
        self._slots = asyncio.Semaphore(max_connections)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _since, connection in self._idle:
            connection.writer.close()

    async def post(self, body: Body, *, since: float | None = None, path: str = "/predict") -> Answer:
        """Send a body once; ``since`` is when it should have been sent, in ``time.perf_counter()``."""
        began = time.perf_counter() if since is None else since
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Type: {body.content_type}\r\nContent-Length: {len(body.content)}\r\n\r\n"
        )
        async with self._slots:
            late = time.perf_counter() - began
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    status, headers, content = await self._send(head.encode("ascii"), body.content)
            except _FAILED:
                return Answer(0, time.perf_counter() - began, late=late)
        return Answer(status, time.perf_counter() - began, "retry-after" in headers, content, late)

    async def _send(self, head: bytes, content: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = await self._connection()
        try:
            connection.writer.write(head)
            connection.writer.write(content)
            status, headers, answer = await _read(connection.reader)
        except BaseException:
            connection.writer.close()
            raise
        if headers.get("connection") == "close" or not connection.idle:
            connection.writer.close()
        else:
            self._idle.append((time.perf_counter(), connection))
        return status, headers, answer

    async def _connection(self) -> _Connection:
        while self._idle:
            since, connection = self._idle.pop()
            if connection.idle and time.perf_counter() - since < _KEEP_ALIVE_SECONDS:
                return connection
            connection.writer.close()
        return _Connection(*await asyncio.open_connection("127.0.0.1", self._port))


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers["content-length"]))
    return int(first.split()[1]), headers, content
