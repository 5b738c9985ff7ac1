"""Everything that can go wrong for a caller, as one tree; each class carries its HTTP status and problem type.

GlassbotError                  500 internal-error
├── NotFoundError              404 not-found
├── MethodNotAllowedError      405 method-not-allowed
├── SlowUploadError            408 slow-upload
├── TooLargeError              413 body-too-large
├── TooManyPixelsError         413 too-many-pixels
├── NotAnImageError            415 not-an-image
├── UnsupportedBodyError       415 unsupported-body
├── InvalidRequestError        422 invalid-request
│   ├── EmptyBodyError         422 empty-body
│   ├── BrokenImageError       422 broken-image
│   ├── NoSuchKindError        422 unknown-kind
│   ├── NoSuchLabelError       422 unknown-label
│   └── NoSuchLayerError       422 unknown-layer
├── UnavailableError           503
│   ├── NotReadyError          503 not-ready
│   └── OverloadedError        503 overloaded
└── DeadlineExceededError      504 deadline-exceeded
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

TYPE_PREFIX = "urn:glassbot:problem:"


class GlassbotError(Exception):
    """The root; raised itself only for what nobody foresaw."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something broke here"

    def __init__(self, detail: str, *, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        """One sentence for the person who asked."""
        self.errors = tuple(errors)
        """Where several things are wrong: ``{"where": …, "what": …}`` each."""

    @property
    def type(self) -> str:
        """The stable URI of this problem (RFC 9457)."""
        return TYPE_PREFIX + self.slug

    @property
    def headers(self) -> dict[str, str]:
        """What the answer must say beside its body."""
        return {}


class NotFoundError(GlassbotError):
    """No such page or route."""

    status, slug, title = 404, "not-found", "There is nothing here"


class MethodNotAllowedError(GlassbotError):
    """The route exists, but not for this method."""

    status, slug, title = 405, "method-not-allowed", "This method is not allowed here"


class SlowUploadError(GlassbotError):
    """The body did not arrive in time."""

    status, slug, title = 408, "slow-upload", "The upload took too long"


class TooLargeError(GlassbotError):
    """The body is over the limit; it is not read to its end."""

    status, slug, title = 413, "body-too-large", "The upload is too large"


class TooManyPixelsError(GlassbotError):
    """The header declares more pixels than are ever decoded here."""

    status, slug, title = 413, "too-many-pixels", "The picture has too many pixels"


class NotAnImageError(GlassbotError):
    """The bytes are no picture in a format that is read here."""

    status, slug, title = 415, "not-an-image", "This is not a picture"


class UnsupportedBodyError(GlassbotError):
    """The content type of the request is not one of those documented."""

    status, slug, title = 415, "unsupported-body", "This kind of body is not read here"


class InvalidRequestError(GlassbotError):
    """A parameter or the form of the body is wrong."""

    status, slug, title = 422, "invalid-request", "The request is not valid"


class EmptyBodyError(InvalidRequestError):
    """A body, or a file in it, of no bytes."""

    slug, title = "empty-body", "The upload is empty"


class BrokenImageError(InvalidRequestError):
    """A picture by its first bytes, but it cannot be decoded to its end."""

    slug, title = "broken-image", "The picture is damaged"


class NoSuchKindError(InvalidRequestError):
    """No exclusive vocabulary has that name."""

    slug, title = "unknown-kind", "There is no such kind of label"


class NoSuchLabelError(InvalidRequestError):
    """The network knows no such label."""

    slug, title = "unknown-label", "The network knows no such label"


class NoSuchLayerError(InvalidRequestError):
    """The network has no such layer to show."""

    slug, title = "unknown-layer", "The network has no such layer"


class UnavailableError(GlassbotError):
    """Not now; the answer says when to ask again."""

    status, slug, title = 503, "unavailable", "Not available now"
    retry_after: ClassVar[int] = 1
    """Seconds."""

    @property
    def headers(self) -> dict[str, str]:
        """``Retry-After``."""
        return {"Retry-After": str(self.retry_after)}


class NotReadyError(UnavailableError):
    """The network is still being loaded, or this replica is on its way out."""

    slug, title = "not-ready", "Not ready"


class OverloadedError(UnavailableError):
    """More requests than can be answered in time."""

    slug, title = "overloaded", "Too busy"


class DeadlineExceededError(GlassbotError):
    """No answer within the time a request may take."""

    status, slug, title = 504, "deadline-exceeded", "The answer took too long"
