"""Reads request bodies into picture bytes: raw, multipart or base64, in capped memory and never on disk.

Starlette's own multipart parser keeps large files on disk and has no limit on a whole body, hence one of our own around
the streaming parser of python-multipart (see docs/decisions).
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from quopri import decodestring
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.errors import InvalidRequestError, SlowUploadError, TooLargeError, UnsupportedBodyError
from app.http.content_coding import Decoder

_MAX_PARTS = 2000
"""Most fields of a multipart body; a client that sends more is refused."""
_FIELDS = frozenset(
    name + plural + array for name in (b"file", b"image") for plural in (b"", b"s") for array in (b"", b"[]")
)
"""The names of multipart fields that hold pictures."""
_WAYS_TO_SEND = "a multipart field named file, a raw image/* or application/octet-stream body, or application/json"
_NOT_RAW = (b"text/", b"multipart/", b"application/x-www-form-urlencoded", b"application/xml")
"""Content types that promise something other than the bytes of one file."""
_DATA_URL = re.compile(r"\s*data:[^,]{0,200},", re.IGNORECASE)


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
    if content_type == b"application/json" or content_type.endswith(b"+json"):
        body = await whole(request, max_bytes=max_bytes, seconds=seconds)
        return await asyncio.to_thread(_from_json, body)
    if content_type.startswith(_NOT_RAW) or (content_type and b"/" not in content_type):
        name = content_type.decode("latin-1")[:80]
        raise UnsupportedBodyError(f"A body of type {name!r} cannot be read: send {_WAYS_TO_SEND}.")
    return await whole(request, max_bytes=max_bytes, seconds=seconds)


async def raw(request: Request, *, max_bytes: int, seconds: float) -> bytes:
    """The one file that is the body of a request. Raises as :func:`picture`."""
    content_type, _ = parse_options_header(request.headers.get("content-type"))
    if content_type not in (b"", b"application/octet-stream"):
        name = content_type.decode("latin-1")[:80]
        raise UnsupportedBodyError(f"A body of type {name!r} cannot be read: send application/octet-stream.")
    return await whole(request, max_bytes=max_bytes, seconds=seconds)


async def nothing(request: Request, *, max_bytes: int, seconds: float) -> None:
    """Read the empty body of a request that names its picture. Raises InvalidRequestError where it is not empty.

    Also raises as :func:`picture`.
    """
    async for chunk in _chunks(request, max_bytes, seconds):
        if chunk:
            raise InvalidRequestError("Name a photo by image, or send one as the body, but not both.")


async def uploads(request: Request, *, max_bytes: int, seconds: float, max_files: int) -> list[Upload]:
    """The files in fields named ``file`` or ``image``, at least one and at most ``max_files``.

    Raises as :func:`picture`.
    """
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


async def whole(request: Request, *, max_bytes: int, seconds: float) -> bytes:
    """The body of a request as it is, whatever its content type. Raises as :func:`picture`."""
    body = bytearray()
    async for chunk in _chunks(request, max_bytes, seconds):
        body += chunk
    return bytes(body)


async def _chunks(request: Request, max_bytes: int, seconds: float) -> AsyncIterator[bytes]:
    """The body as it arrives, decompressed. Raises TooLargeError or SlowUploadError at the limit and reads no further.

    Raises UnsupportedCodingError or InvalidRequestError where it cannot be decompressed.
    """
    decoder = Decoder(request.headers.get("content-encoding", ""))
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
            decoder.finish()
            return
        chunk = await decoder.decode(chunk, max_bytes - size)
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
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    """The headers of the part that is being read, by their names in lower case."""
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
            raise InvalidRequestError(f"A form of more than {_MAX_PARTS} fields cannot be read: send fewer.")
        self._headers = {}
        self._content = None

    def _header_end(self) -> None:
        self._headers[bytes(self._header_name.lower())] = bytes(self._header_value)
        self._header_name = bytearray()
        self._header_value = bytearray()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if options.get(b"name") in _FIELDS:
            if len(self.files) == self.max_files:
                if self.max_files == 1:
                    raise InvalidRequestError("One request here takes one picture: send more to /predict/batch.")
                raise InvalidRequestError(f"One request here takes {self.max_files} pictures: send more requests.")
            self._content = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._content is not None:
            self._content += memoryview(data)[start:end]

    def _end(self) -> None:
        if self._content is not None:
            encoding = self._headers.get(b"content-transfer-encoding", b"")
            name = file_name(self._headers[b"content-disposition"])
            self.files.append(Upload(name, _transferred(bytes(self._content), encoding)))
            self._content = None

    def _closed(self) -> None:
        self.ended = True


def _transferred(content: bytes, encoding: bytes) -> bytes:
    """The content of a part without its Content-Transfer-Encoding, which older clients use. Raises ValueError."""
    match encoding.strip().lower():
        case b"base64":
            return b64decode(content)
        case b"quoted-printable":
            return decodestring(content)
    return content


def file_name(disposition: bytes) -> str:
    """The name of the file in a Content-Disposition header, in any form that clients send; empty where there is none.

    That is UTF-8, ``filename*=`` of RFC 5987, which wins, or encoded words of RFC 2047.
    """
    try:
        name = _extended_name(disposition) or _plain_name(disposition)
    except (ValueError, LookupError):  # broken, or of an unknown character set
        name = ""
    return name.encode("utf-8", "replace").decode()  # some character sets can spell half a character


def _extended_name(disposition: bytes) -> str:
    if b"*" not in disposition:
        return ""
    message = Message()
    message["Content-Disposition"] = disposition.decode("latin-1")
    options: list[tuple[str, Any]] = message.get_params([], "content-disposition")
    names = [value for option, value in options if option == "filename" and isinstance(value, tuple)]
    return collapse_rfc2231_value(names[0]) if names else ""


def _plain_name(disposition: bytes) -> str:
    _, options = parse_options_header(disposition)
    name = options.get(b"filename", b"").decode("utf-8", "replace")
    if "=?" not in name:
        return name
    with suppress(ValueError, LookupError):  # no encoded word after all, or one of an unknown character set
        return str(make_header(decode_header(name)))
    return name


def _from_json(body: bytes) -> bytes:
    try:
        return from_base64(JsonPicture.model_validate_json(body.removeprefix(BOM_UTF8)).image)
    except (ValidationError, ValueError) as error:
        raise InvalidRequestError('A JSON body is {"image": "<base64 of the picture>"}; this is not.') from error


def from_base64(text: str) -> bytes:
    """The bytes of a text in base64, of either alphabet, with or without line breaks, padding and ``data:…,``.

    Raises ValueError.
    """
    url = _DATA_URL.match(text)
    if url:
        text = unquote(text[url.end() :])
    letters = "".join(text.split()).rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    return b64decode(letters + "=" * (-len(letters) % 4), validate=True)


def too_large(max_bytes: int) -> TooLargeError:
    """The error for a body, or a file in it, of more than ``max_bytes``."""
    return TooLargeError(f"At most {max_bytes / 1e6:g} MB are taken in one request: send a smaller picture.")
