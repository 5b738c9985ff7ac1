"""What is beside the pixels of a PNG, which must never condemn them: text, profiles and times, broken or huge."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_SIGNATURE = 8
_DEEP_RGB = b"\x10\x02"
"""Bit depth and colour type in the header of RGB of 16 bits."""
_TRANSPARENCY = {0: (2,), 2: (6,), 3: range(1, 257)}
"""Lengths that a tRNS chunk may have, by colour type."""
_KEPT = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"iCCP", b"eXIf", b"iTXt"))
_XMP = b"XML:com.adobe.xmp\0\0"
"""How a text begins, uncompressed, that may say how to turn the picture."""
_MIN_PROFILE, _MAX_PROFILE = 128, 1_000_000
"""Fewest and most bytes of a colour profile; Pillow refuses a PNG with a larger one."""


def only_pixels(body: bytes) -> bytes:
    """The PNG without chunks that its pixels do not need, and without broken ones that browsers pass over.

    Where nothing is to be left out, it is the same object.
    """
    chunks = list(_chunks(body))
    kept = [chunk for chunk in chunks if _is_kept(chunk, body)]
    if not kept or (len(kept) == len(chunks) and body[24:26] != _DEEP_RGB):
        return body
    end = chunks[-1].stop  # behind it lies what cannot be read as chunks
    parts = [memoryview(body)[:_SIGNATURE], *(_content(chunk, body) for chunk in kept), memoryview(body)[end:]]
    return b"".join(parts)


def _chunks(body: bytes) -> Iterator[slice]:
    """Where the chunks lie, length and CRC included, up to the first one that is cut off or the end of the picture."""
    at = _SIGNATURE
    while at + 12 <= len(body):
        end = at + 12 + int.from_bytes(body[at : at + 4], "big")
        if end > len(body):
            return
        yield slice(at, end)
        if body[at + 4 : at + 8] == b"IEND":
            return
        at = end


def _is_kept(chunk: slice, body: bytes) -> bool:
    name = body[chunk.start + 4 : chunk.start + 8]
    if not name[0] & 0x20:  # critical: the decoder decides
        return True
    if name == b"iTXt" and not body.startswith(_XMP, chunk.start + 8):
        return False
    if name not in _KEPT or zlib.crc32(memoryview(body)[chunk.start + 4 : chunk.stop - 4]) != _crc(chunk, body):
        return False
    content = body[chunk.start + 8 : chunk.stop - 4]
    if name == b"iTXt":
        return len(content) < _MAX_PROFILE and content.count(b"\0") >= 4
    if name == b"tRNS":
        return len(content) in _TRANSPARENCY.get(body[25], ())
    return name != b"iCCP" or _has_profile(content)


def _crc(chunk: slice, body: bytes) -> int:
    return int.from_bytes(body[chunk.stop - 4 : chunk.stop], "big")


def _has_profile(content: bytes) -> bool:
    """Whether the content of an iCCP chunk unpacks to a profile of a size that is read."""
    _, _, packed = content.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], _MAX_PROFILE + 1)
    except zlib.error:
        return False
    return _MIN_PROFILE <= len(profile) <= _MAX_PROFILE


def _content(chunk: slice, body: bytes) -> bytes | memoryview:
    """The chunk; a transparent colour of 16-bit RGB as its high bytes, since Pillow reads only those of the pixels."""
    if body[chunk.start + 4 : chunk.start + 8] != b"tRNS" or body[24:26] != _DEEP_RGB:
        return memoryview(body)[chunk]
    deep = body[chunk.start + 8 : chunk.stop - 4]
    named = b"tRNS" + bytes((0, deep[0], 0, deep[2], 0, deep[4]))
    return (6).to_bytes(4, "big") + named + zlib.crc32(named).to_bytes(4, "big")
