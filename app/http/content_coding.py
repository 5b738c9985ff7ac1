"""Decodes request bodies that their sender has compressed: the header ``Content-Encoding`` (RFC 9110, section 8.4)."""

from __future__ import annotations

import asyncio
import zlib

from app.errors import InvalidRequestError, UnsupportedCodingError

_DEFLATED = frozenset(("gzip", "x-gzip", "deflate"))
_UNREAD = frozenset(("br", "zstd", "compress", "x-compress", "aes128gcm", "exi", "pack200-gzip", "dcb", "dcz"))
"""The other codings that there are; any other word, such as utf-8 or binary, was meant for another header."""
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Decoder:
    """Undoes the coding of one body, chunk by chunk, and never makes more bytes of it than it is asked for."""

    def __init__(self, header: str) -> None:
        """``header`` is the value of Content-Encoding, or empty. Raises UnsupportedCodingError."""
        codings = [coding for part in header.lower().split(",") if (coding := part.strip()) in _DEFLATED | _UNREAD]
        if len(codings) > 1 or not _DEFLATED.issuperset(codings):
            named = ", ".join(codings)[:80]
            raise UnsupportedCodingError(f"A body in the coding {named} cannot be read: send it in gzip, or as it is.")
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB) if codings else None

    async def decode(self, chunk: bytes, most: int) -> bytes:
        """The bytes that a chunk stands for; where they are more than ``most``, the first ``most`` + 1 of them.

        Raises InvalidRequestError.
        """
        if self._inflater is None:
            return chunk
        try:
            decoded = await asyncio.to_thread(self._inflater.decompress, chunk, most + 1)
        except zlib.error as error:
            raise _damaged() from error
        if self._inflater.unused_data:
            raise _damaged()
        return decoded

    def finish(self) -> None:
        """Raise InvalidRequestError where the end is missing."""
        if self._inflater is not None and not self._inflater.eof:
            raise _damaged()


def _damaged() -> InvalidRequestError:
    return InvalidRequestError("The body is not in the coding that its header Content-Encoding names, or is cut off.")
