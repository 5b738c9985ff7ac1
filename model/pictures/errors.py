"""Why bytes are no picture that can be seen.

PictureError
├── NotAPictureError    begins like nothing that is known here
├── UnreadKindError     a known kind of file, perhaps sound, which is not read
└── DamagedError        begins like a picture that is read, but is broken
"""

from __future__ import annotations

FORMATS = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC or JPEG 2000"
"""The formats that are read, for people."""
_LACKING = (
    "unsupported",
    "not supported",
    "not support",
    "not implemented",
    "has not been built in",
    "unknown",
    "cannot handle",
)
"""How decoders say that they lack something, which is not the file's fault."""


class PictureError(ValueError):
    """Bytes that cannot be seen as a picture; the message is one sentence for their sender."""

    reason = "damaged or cut off"
    """The same in a few words, for lists of files."""


class NotAPictureError(PictureError):
    """The bytes begin like no kind of file that is known here."""

    reason = "not a picture in a known format"


class UnreadKindError(PictureError):
    """The bytes are of a known kind, and perhaps sound, but that kind is not read here."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"This is {kind}, which we cannot open: send {FORMATS}.")
        self.reason = f"{kind}, which we cannot open"


class DamagedError(PictureError):
    """The bytes begin like a picture of a kind that is read, but are broken or cut off."""


def explained(error: Exception, name: str) -> PictureError:
    """Our error for one of a decoder, about a picture of the format ``name``."""
    if isinstance(error, PictureError):
        return error
    text = " ".join(str(error).split()).rstrip(".")
    if any(word in text.lower() for word in _LACKING):
        return UnreadKindError(f"{name} of a kind that its decoder lacks ({text[:100]})")
    return DamagedError(f"This {name} picture is damaged or cut off, and cannot be decoded to its end.")
