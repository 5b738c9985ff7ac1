"""Request bodies to picture bytes: raw, multipart or base64, in capped memory, never on disk."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from app.errors import InvalidRequestError, SlowUploadError, TooLargeError, UnsupportedBodyError

T = TypeVar("T")

_MOST_PARTS = 2000
_USE = "a multipart field named file, a raw image/* or application/octet-stream body, or application/json"


class JsonPicture(BaseModel):
    """A picture inside JSON."""

    image: str


@dataclass(frozen=True)
class Upload:
    """One file of a multipart body."""

    name: str
    """The name that its sender gave it; never used as a path."""
    content: bytes


async def picture(request: Request, *, cap: int, seconds: float) -> bytes:
    """The one picture of a request, of any documented content type.

    Raises TooLargeError, SlowUploadError, UnsupportedBodyError or InvalidRequestError.
    """
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        found = await uploads(request, cap=cap, seconds=seconds, most=1)
        return found[0].content
    if kind == b"application/json":
        body = await _read(request, cap, seconds)
        return await asyncio.to_thread(_from_json, body)
    if kind and not kind.startswith(b"image/") and kind != b"application/octet-stream":
        raise UnsupportedBodyError(f"A body of type {kind.decode('latin-1')[:80]!r} is not read here: send {_USE}.")
    return await _read(request, cap, seconds)


async def uploads(request: Request, *, cap: int, seconds: float, most: int) -> list[Upload]:
    """The multipart fields named ``file``, at least one and at most ``most``. Raises as :func:`picture`."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise UnsupportedBodyError("Send multipart/form-data with the pictures in fields named file.")
    parts = _Parts(most)
    try:
        parser = MultipartParser(options.get(b"boundary", b""), parts.callbacks())  # type: ignore[arg-type]
        async for chunk in _chunks(request, cap, seconds):
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise InvalidRequestError("The multipart body is damaged, or names no boundary.") from error
    if not parts.ended:
        raise InvalidRequestError("The multipart body stops before its closing boundary.")
    if not parts.found:
        raise InvalidRequestError("The form holds no picture: send it in a field named file.")
    return parts.found


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is cancelled once the client has left. Only after the body was read.

    Raises ClientDisconnect then.
    """
    task = asyncio.create_task(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return await task
        raise ClientDisconnect
    finally:
        task.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _read(request: Request, cap: int, seconds: float) -> bytes:
    body = bytearray()
    async for chunk in _chunks(request, cap, seconds):
        body += chunk
    return bytes(body)


async def _chunks(request: Request, cap: int, seconds: float) -> AsyncIterator[bytes]:
    """The body as it comes, until ``cap`` bytes or ``seconds`` are over; the rest is not read."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > cap:
        raise too_large(cap)
    size, stream = 0, request.stream()
    ends = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(ends):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise SlowUploadError(f"The body did not arrive within {seconds:g} seconds.") from error
        if chunk is None:
            return
        size += len(chunk)
        if size > cap:
            raise too_large(cap)
        yield chunk


@dataclass
class _Parts:
    """Collects the files that the streaming parser finds; other fields are passed over."""

    most: int
    found: list[Upload] = field(default_factory=list)
    ended: bool = False
    _seen: int = 0
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _options: dict[bytes, bytes] = field(default_factory=dict)
    _content: bytearray | None = None

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        self._seen += 1
        if self._seen > _MOST_PARTS:
            raise InvalidRequestError(f"A form of more than {_MOST_PARTS} fields is not read here.")
        self._options, self._content = {}, None

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, self._options = parse_options_header(bytes(self._value))
        self._header, self._value = bytearray(), bytearray()

    def _headers_finished(self) -> None:
        if self._options.get(b"name") == b"file":
            if len(self.found) == self.most:
                hint = "; /predict/batch takes more" if self.most == 1 else ""
                raise InvalidRequestError(f"At most {self.most} picture(s) in one request here{hint}.")
            self._content = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._content is not None:
            self._content += memoryview(data)[start:end]

    def _end(self) -> None:
        if self._content is not None:
            name = self._options.get(b"filename", b"").decode("utf-8", "replace")
            self.found.append(Upload(name, bytes(self._content)))
            self._content = None

    def _all(self) -> None:
        self.ended = True


def _from_json(body: bytes) -> bytes:
    try:
        text = JsonPicture.model_validate_json(body).image
        return b64decode(text, validate=True)
    except (ValidationError, Base64Error, ValueError) as error:
        raise InvalidRequestError(
            'A JSON body is {"image": "<base64 of the picture>"}, in one line and without "data:…,"; this is not.'
        ) from error


def too_large(cap: int) -> TooLargeError:
    """The refusal of more than ``cap`` bytes."""
    return TooLargeError(f"At most {cap / 1e6:g} MB are taken in one request: send a smaller picture.")
