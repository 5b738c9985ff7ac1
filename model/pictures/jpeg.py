"""JPEG whose end is missing, and kinds of JPEG that libjpeg does not decode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from model.pictures.errors import UnreadKindError

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess

_END = b"\xff\xd9"
_SCAN = b"\xff\xda"
_SCANS = re.compile(_SCAN)  # finds them in less than half the time that bytes.count takes
_START_OF_SCAN = 0xDA
_FILLINGS = (b"\x00", b"\x24", b"\x93", b"\xfe")
"""What is decoded in the place of what is missing. Pixels that need it differ; all others do not."""
_UNREAD_FRAMES = {
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "hierarchical",
    0xCB: "lossless",
    0xCD: "hierarchical",
    0xCE: "hierarchical",
    0xCF: "hierarchical",
    0xF7: "JPEG-LS",
}
_MAX_SCANS = 64  # encoders write about ten, and each is a pass over all of the picture
_FRAMES = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7))


_LEAST = {0xE0: (b"JFIF", 14), 0xEE: (b"Adobe", 12)}
"""How many bytes a segment that begins so has at least; libjpeg passes over a shorter one, and Pillow refuses it."""
_PADDING = b"\0" * 16
"""Zeros that no decoder needs: what a download that was broken off leaves of a file whose place was reserved."""


def open_jpeg(body: bytes) -> Image.Image:
    """Open a JPEG, also one without its end marker. Raises UnreadKindError or what Pillow raises for a bad header."""
    body = _without_stumps(body)
    may_be_many = len(_SCANS.findall(body)) > _MAX_SCANS
    if may_be_many and sum(marker == _START_OF_SCAN for marker, _ in _segments(body)) > _MAX_SCANS:
        raise UnreadKindError(f"JPEG of more than {_MAX_SCANS} scans")
    return Image.open(BytesIO(body), formats=("JPEG",)) if _ends(body) else EndlessJpeg(body)


def _without_stumps(body: bytes) -> bytes:
    """The JPEG without segments before its pixels that are too short for what they claim to be."""
    stumps = []
    for marker, content in _segments(body):
        if marker == _START_OF_SCAN:
            break
        name, least = _LEAST.get(marker, (b"", 0))
        if content.stop - content.start < least and body.startswith(name, content.start):
            stumps.append(content)
    for content in reversed(stumps):
        body = body[: content.start - 4] + body[content.stop :]
    return body


def _ends(body: bytes) -> bool:
    """Whether an end marker follows the last scan; what is embedded before that may have one, too."""
    at = body.rfind(_END)
    return at >= 0 and body.find(_SCAN, at) < 0


class EndlessJpeg(JpegImageFile):
    """A JPEG without its end marker, which is read if no pixel is missing. ``load`` raises OSError if one is."""

    def __init__(self, body: bytes) -> None:
        body = body.rstrip(b"\0") + b"\0" if body.endswith(_PADDING) else body  # the first zero may be a pixel's
        self._body = body.rstrip(b"\xff")  # half of the end marker
        self._drafted: tuple[int, int] | None = None
        self._checked = False
        super().__init__(BytesIO(self._body + _END))

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> tuple[str, tuple[int, int, float, float]] | None:
        """Pillow's draft, which is remembered."""
        self._drafted = size
        return super().draft(mode, size)

    def load(self) -> PixelAccess | None:
        """Decode again and again, with other bytes in the place of what is missing, and compare."""
        access = super().load()
        if not self._checked:
            self._checked = True
            if not _has_every_scan(self._body) or any(map(self._differs, _FILLINGS)):
                raise OSError("image file is truncated")
        return access

    def _differs(self, filling: bytes) -> bool:
        with JpegImageFile(BytesIO(self._body + _filled(self._body, filling) + _END)) as other:
            if self._drafted:
                other.draft(None, self._drafted)
            other.load()
            return other.tobytes() != Image.Image.tobytes(self)


def unread_kind(body: bytes) -> str | None:
    """What kind of JPEG it is, where its frame header names one that is not decoded."""
    for marker, content in _segments(body):
        if marker in _FRAMES:
            bits = body[content.start]
            kind = _UNREAD_FRAMES.get(marker)
            if kind or bits != 8:
                return " ".join(filter(None, (kind, "JPEG" if kind != "JPEG-LS" else "", f"of {bits} bits")))
            return None
    return None


def _filled(body: bytes, filling: bytes) -> bytes:
    """Bytes to decode behind the body: the rest of its restart interval, and the next one with its marker."""
    last = max(range(8), key=lambda number: body.rfind(bytes((0xFF, 0xD0 + number))))
    number = (last + 1) % 8 if bytes((0xFF, 0xD0 + last)) in body else 0
    return 64 * filling + bytes((0xFF, 0xD0 + number)) + 64 * filling


def _has_every_scan(body: bytes) -> bool:
    """Whether the scans bring each coefficient of each component to its last bit (ITU T.81, annex G)."""
    components: set[int] = set()
    lowest: dict[tuple[int, int], int] = {}
    for marker, content in _segments(body):
        part = body[content]
        if marker in _FRAMES:
            components = set(part[6::3])
        elif marker == _START_OF_SCAN and part and len(part) >= 4 + 2 * part[0]:
            start, end, approximation = part[1 + 2 * part[0] :][:3]
            for component in part[1 : 1 + 2 * part[0] : 2]:
                lowest |= {(component, k): approximation & 15 for k in range(start, min(end, 63) + 1)}
    every = {(component, k) for component in components for k in range(64)}
    return bool(every) and every <= lowest.keys() and not any(lowest[key] for key in every)


def _segments(body: bytes) -> Iterator[tuple[int, slice]]:
    """Markers with a length, and where their contents lie, up to the end marker; coded data are passed over."""
    at = 2
    while (at := body.find(b"\xff", at)) >= 0 and at + 4 <= len(body):
        marker = body[at + 1]
        if marker == _END[1]:
            return
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(body[at + 2 : at + 4], "big")
        yield marker, slice(at + 4, at + 2 + length)
        at += 2 + max(2, length)
