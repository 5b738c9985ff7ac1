"""The protocol of one connection: uvicorn's, but every answer is the application's, and no upgrade is accepted.

uvicorn answers a malformed request in plain text by itself, and its parser loses the body of a request that offers an
upgrade (as each of Java's stock clients does), although RFC 9110, section 7.8, lets a server ignore the offer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.errors import GlassbotError, HeadTooLargeError, MalformedRequestError

MAX_HEAD_BYTES = 65_536
"""Most bytes of a request line and its headers, and of what follows a body; the parser itself knows no limit."""
REFUSAL = "glassbot.refusal"
"""The key of ``scope["extensions"]`` with the error of a request that is none: the middleware answers it."""
BROKEN_OFF = "glassbot.broken-off"
"""The key of ``scope["extensions"]`` with the refusal's status, of a request that broke off and of the refusal."""
_LINGER_SECONDS = 2.0
"""For how long a refused client may go on sending: closed with unread bytes, a connection loses the answer."""


class Protocol(HttpToolsProtocol):
    """One connection. Each request on it is answered by the application, malformed ones included."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment]  # uvicorn's own None is not declared
    _running: RequestResponseCycle | None = None
    """The request that is being answered, or was last; ``cycle`` is the one that was read last, which may wait."""
    _head_bytes: int | None = None
    """Bytes so far of the head, or of the trailers, that are being read; None while it is a body, or nothing."""
    _refused = False
    """Whether a malformed request has arrived; what comes after it on this connection is dropped."""

    def data_received(self, data: bytes) -> None:
        """Feed the parser; where it stops at an offer to upgrade, go on with the same request without the offer."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as stop:
                data = self._without_offer(data[stop.args[0] :])
            except httptools.HttpParserError as error:
                self._refuse(_fault(error))
                return
        if self._head_bytes is not None and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(_head_too_large())

    def eof_received(self) -> bool | None:  # type: ignore[override]  # the protocol of asyncio knows both
        """Answer a request that stops before its end, if its sender still listens."""
        body_is_missing = self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete
        if self._refused:  # what waits, and the refusal itself, are still to be sent
            return self.cycle is not None and not self.cycle.response_complete and not self.transport.is_closing()
        if self._head_bytes is None and not body_is_missing:
            return None
        self._refuse(MalformedRequestError("The request stops before its end."))
        return not self.transport.is_closing()

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        super().on_message_begin()
        self._head_bytes = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request that is being answered, too, where another waits behind it."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser for each header, and for each trailer, which is dropped: the answer may have begun."""
        if self.cycle is None or self.cycle.scope is not self.scope:
            super().on_header(name, value)

    def on_chunk_header(self) -> None:
        """Called by the parser before each chunk; behind the last one come trailers, until the message is complete."""
        self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Called by the parser for each part of a body."""
        self._head_bytes = None
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Called by the parser at the end of the headers; the body of an offer is read by the next parser."""
        self._head_bytes = None
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD_BYTES:
            raise _head_too_large()
        if self.parser.should_upgrade():
            return
        if self.url.lower().startswith((b"http://", b"https://")) and httptools.parse_url(self.url).path is None:
            self.url += b"/"  # RFC 9112, section 3.2.2
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Called by the parser at the end of the body."""
        self._head_bytes = None
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _without_offer(self, rest: bytes) -> bytes:
        """The request that offers an upgrade without its Upgrade header, for a new parser, and ``rest`` behind it."""
        method = self.parser.get_method()
        if method == b"CONNECT":  # to the parser an upgrade, too, and one that cannot be passed over
            self._refuse(MalformedRequestError("This is no proxy: CONNECT is not answered here."))
            return b""
        version = self.parser.get_http_version().encode()
        kept = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's first parser
        return b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, b"".join(kept)) + rest

    def _refuse(self, error: GlassbotError) -> None:
        """Let the application answer a malformed request, after those before it; then the connection is closed."""
        self._refused = True
        self._head_bytes = None
        cycle = self.cycle
        begun = cycle is not None and cycle.scope is self.scope
        waits = bool(self.pipeline)
        if cycle is not None and begun and cycle.more_body:
            if cycle.response_started:  # nothing more can be said on this connection
                self.transport.close()
                return
            if waits:
                self.pipeline.popleft()
            else:
                cycle.scope.setdefault("extensions", {})[BROKEN_OFF] = {"status": error.status}
            cycle.disconnected = True  # its answer is dropped
            cycle.message_event.set()
        else:
            waits = waits or (cycle is not None and not cycle.response_complete)
            if begun or self.scope is None:
                self.on_message_begin()
        self.flow.resume_reading()
        self.cycle = self._refusal(error)
        if waits:
            self.pipeline.appendleft((self.cycle, self.app))
        else:
            self._start_asgi_task(self.cycle, self.app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _refusal(self, error: GlassbotError) -> RequestResponseCycle:
        """A request for the application that carries the error as an extension (see app.http.middleware)."""
        method = self.parser.get_method().decode("ascii") if self.url else "GET"
        unread = {"path": "/", "raw_path": b"/", "query_string": b""}
        extensions = {**self.scope.get("extensions", {}), REFUSAL: error}
        return RequestResponseCycle(
            scope={**unread, **self.scope, "method": method, "extensions": extensions},  # type: ignore[typeddict-item]
            transport=_Lingering(self.transport, self.loop),  # type: ignore[arg-type]
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=lambda: None,
        )


def repeats(scope: Mapping[str, Any]) -> bool:
    """Return whether this is the refusal of a request that the application has begun to answer, and counts already."""
    extensions = scope.get("extensions", {})
    return REFUSAL in extensions and BROKEN_OFF in extensions


class _Lingering:
    """A transport that is closed for writing at once, and for reading when the client has had time to read."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self.write = transport.write
        self.is_closing = transport.is_closing

    def close(self) -> None:
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._loop.call_later(_LINGER_SECONDS, self._transport.close)


def _fault(error: httptools.HttpParserError) -> GlassbotError:
    """Our error for the parser's; one that a callback of ours has raised is that error itself."""
    cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
    if isinstance(cause, GlassbotError):
        return cause
    reason = "its address cannot be read" if cause is not None else str(error)
    return MalformedRequestError(f"This is not a request in HTTP/1.1: {reason}.")


def _head_too_large() -> HeadTooLargeError:
    return HeadTooLargeError(f"The address and the headers of a request take at most {MAX_HEAD_BYTES:,} bytes.")
