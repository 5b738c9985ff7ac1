"""A small HTTP client that tells how long each answer took, counted from when it should have been asked for."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.photos import Body

_PATIENCE = 30.0
_KEPT = 3.0
"""Seconds that an unused connection is kept: less than a server does, so that it is never closed in our face."""
_FAILED = (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError, IndexError)


@dataclass(frozen=True)
class Answer:
    """One answer; status 0 where none came."""

    status: int
    seconds: float
    retry_after: bool = False
    content: bytes = b""
    late: float = 0.0
    """Of those seconds: how many went by before the request was written, for want of this client's own time."""

    def json(self) -> Any:
        """What it says."""
        return json.loads(self.content)


@dataclass(frozen=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def idle(self) -> bool:
        """Whether it can be asked again: open at both ends, and all of the last question is sent."""
        return (
            not self.reader.at_eof()
            and not self.writer.is_closing()
            and self.writer.transport.get_write_buffer_size() == 0
        )


class Client:
    """Keeps its connections open and opens as many as it takes, ``most`` at once. For one event loop."""

    def __init__(self, port: int, *, most: int = 500) -> None:
        self._port = port
        self._idle: list[tuple[float, _Connection]] = []
        self._places = asyncio.Semaphore(most)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _since, connection in self._idle:
            connection.writer.close()

    async def post(self, body: Body, *, since: float | None = None, path: str = "/predict") -> Answer:
        """Ask once; ``since`` is when it should have been asked, in ``time.perf_counter()``."""
        began = time.perf_counter() if since is None else since
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Type: {body.content_type}\r\nContent-Length: {len(body.content)}\r\n\r\n"
        )
        async with self._places:
            late = time.perf_counter() - began
            try:
                async with asyncio.timeout(_PATIENCE):
                    status, headers, content = await self._ask(head.encode("ascii"), body.content)
            except _FAILED:
                return Answer(0, time.perf_counter() - began, late=late)
        return Answer(status, time.perf_counter() - began, "retry-after" in headers, content, late)

    async def _ask(self, head: bytes, content: bytes) -> tuple[int, dict[str, str], bytes]:
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
            since, found = self._idle.pop()
            if found.idle and time.perf_counter() - since < _KEPT:
                return found
            found.writer.close()
        return _Connection(*await asyncio.open_connection("127.0.0.1", self._port))


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers["content-length"]))
    return int(first.split()[1]), headers, content
