"""Reads request bodies into picture bytes: raw, multipart or base64, in capped memory and never on disk.

Starlette's own multipart parser keeps large files on disk and has no limit on a whole body, hence one of our own around
the streaming parser of python-multipart (see docs/decisions).
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.errors import InvalidRequestError, SlowUploadError, TooLargeError, UnsupportedBodyError

_MAX_PARTS = 2000
"""Most fields of a multipart body; a client that sends more is refused."""
_WAYS_TO_SEND = "a multipart field named file, a raw image/* or application/octet-stream body, or application/json"


class JsonPicture(BaseModel):
    """A JSON body that carries one picture."""

    image: str
    """The bytes of the file, in base64."""


@dataclass(frozen=True)
class Upload:
    """One file of a multipart body."""

    name: str
    """The name that its sender gave it; never used as a path."""
    content: bytes
    """The bytes of the file."""


async def picture(request: Request, *, max_bytes: int, seconds: float) -> bytes:
    """The one picture of a request, of any documented content type, as the bytes of its file.

    Raises TooLargeError over ``max_bytes``, SlowUploadError after ``seconds``, UnsupportedBodyError or
    InvalidRequestError.
    """
    content_type, _ = parse_options_header(request.headers.get("content-type"))
    if content_type == b"multipart/form-data":
        files = await uploads(request, max_bytes=max_bytes, seconds=seconds, max_files=1)
        return files[0].content
    if content_type == b"application/json":
        body = await _read(request, max_bytes, seconds)
        return await asyncio.to_thread(_from_json, body)
    if content_type and not content_type.startswith(b"image/") and content_type != b"application/octet-stream":
        name = content_type.decode("latin-1")[:80]
        raise UnsupportedBodyError(f"A body of type {name!r} is not read here: send {_WAYS_TO_SEND}.")
    return await _read(request, max_bytes, seconds)


async def uploads(request: Request, *, max_bytes: int, seconds: float, max_files: int) -> list[Upload]:
    """The multipart fields named ``file``, at least one and at most ``max_files``. Raises as :func:`picture`."""
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type != b"multipart/form-data":
        raise UnsupportedBodyError("Send multipart/form-data with the pictures in fields named file.")
    parts = _Parts(max_files)
    try:
        parser = MultipartParser(options.get(b"boundary", b""), parts.callbacks())  # type: ignore[arg-type]
        async for chunk in _chunks(request, max_bytes, seconds):
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise InvalidRequestError("The multipart body is damaged, or names no boundary.") from error
    if not parts.ended:
        raise InvalidRequestError("The multipart body stops before its closing boundary.")
    if not parts.files:
        raise InvalidRequestError("The form holds no picture: send it in a field named file.")
    return parts.files


async def _read(request: Request, max_bytes: int, seconds: float) -> bytes:
    body = bytearray()
    async for chunk in _chunks(request, max_bytes, seconds):
        body += chunk
    return bytes(body)


async def _chunks(request: Request, max_bytes: int, seconds: float) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises TooLargeError or SlowUploadError at the limit; the rest is not read."""
    declared_length = request.headers.get("content-length", "")
    if declared_length.isdigit() and int(declared_length) > max_bytes:
        raise too_large(max_bytes)
    size = 0
    stream = request.stream()
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise SlowUploadError(f"The body did not arrive within {seconds:g} seconds.") from error
        if chunk is None:
            return
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
        yield chunk


@dataclass
class _Parts:
    """Collects the files that the streaming parser finds; other fields are passed over."""

    max_files: int
    files: list[Upload] = field(default_factory=list)
    ended: bool = False
    """Whether the closing boundary has arrived."""
    _count: int = 0
    """Parts so far, files or not."""
    _header_name: bytearray = field(default_factory=bytearray)
    _header_value: bytearray = field(default_factory=bytearray)
    _disposition: dict[bytes, bytes] = field(default_factory=dict)
    """Options of the Content-Disposition header of the part that is being read."""
    _content: bytearray | None = None
    """The file that is being read; None in any other part."""

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._closed,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > _MAX_PARTS:
            raise InvalidRequestError(f"A form of more than {_MAX_PARTS} fields is not read here.")
        self._disposition = {}
        self._content = None

    def _header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, self._disposition = parse_options_header(bytes(self._header_value))
        self._header_name = bytearray()
        self._header_value = bytearray()

    def _headers_finished(self) -> None:
        if self._disposition.get(b"name") == b"file":
            if len(self.files) == self.max_files:
                hint = "; /predict/batch takes more" if self.max_files == 1 else ""
                raise InvalidRequestError(f"At most {self.max_files} picture(s) in one request here{hint}.")
            self._content = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._content is not None:
            self._content += memoryview(data)[start:end]

    def _end(self) -> None:
        if self._content is not None:
            name = self._disposition.get(b"filename", b"").decode("utf-8", "replace")
            self.files.append(Upload(name, bytes(self._content)))
            self._content = None

    def _closed(self) -> None:
        self.ended = True


def _from_json(body: bytes) -> bytes:
    try:
        text = JsonPicture.model_validate_json(body).image
        return b64decode(text, validate=True)
    except (ValidationError, Base64Error, ValueError) as error:
        raise InvalidRequestError(
            'A JSON body is {"image": "<base64 of the picture>"}, in one line and without "data:…,"; this is not.'
        ) from error


def too_large(max_bytes: int) -> TooLargeError:
    """The error for a body, or a file in it, of more than ``max_bytes``."""
    return TooLargeError(f"At most {max_bytes / 1e6:g} MB are taken in one request: send a smaller picture.")
