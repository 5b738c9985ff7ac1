"""Everything that can go wrong for a caller, as one tree of exceptions.

Each class carries its HTTP status, its slug (the end of the problem's URI, which never changes) and its title.

GlassbotError                   500 internal-error
├── MalformedRequestError       400 malformed-request
├── UnauthorizedError           401 unauthorized
├── CrossOriginError            403 cross-origin
├── NotFoundError               404 not-found
│   ├── NoSuchImageError        404 unknown-image
│   ├── NoSuchTaughtError       404 unknown-taught
│   └── NoSuchUnitError         404 unknown-unit
├── MethodNotAllowedError       405 method-not-allowed
├── SlowUploadError             408 slow-upload
├── OtherNetworkError           409 other-network
├── TooLargeError               413 body-too-large
├── TooManyPixelsError          413 too-many-pixels
├── NotAnImageError             415 not-an-image
│   └── UnreadKindError         415 unread-kind
├── UnsupportedBodyError        415 unsupported-body
│   └── UnsupportedCodingError  415 unsupported-body
├── UnsatisfiableRangeError     416 unsatisfiable-range
├── InvalidRequestError         422 invalid-request
│   ├── EmptyBodyError          422 empty-body
│   ├── BrokenImageError        422 broken-image
│   ├── UnreadableExamplesError 422 unreadable-examples
│   ├── NoSuchVocabularyError   422 unknown-vocabulary
│   ├── NoSuchLabelError        422 unknown-label
│   ├── NoSuchLayerError        422 unknown-layer
│   └── NoSuchCellError         422 unknown-cell
├── HeadTooLargeError           431 head-too-large
├── UnavailableError            503, never raised itself
│   ├── NotReadyError           503 not-ready
│   └── OverloadedError         503 overloaded
└── DeadlineExceededError       504 deadline-exceeded
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from model.pictures.errors import FORMATS

TYPE_PREFIX = "urn:glassbot:problem:"


class GlassbotError(Exception):
    """An unforeseen failure of the service; also the root of all errors."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something broke here"
    example: ClassVar[str] = "This is our fault; it has been logged."  # a detail for the documentation

    def __init__(self, detail: str, *, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail  # one sentence for the person who sent the request
        self.errors = tuple(errors)
        """Where several things are wrong, ``{"where": …, "what": …}`` for each of them."""

    @property
    def type(self) -> str:
        """The URI of this type of problem (RFC 9457); it changes only with a release that says so."""
        return TYPE_PREFIX + self.slug

    @property
    def headers(self) -> dict[str, str]:
        """Headers that the answer must carry beside its body."""
        return {}


class MalformedRequestError(GlassbotError):
    """The bytes on the connection are no request in HTTP/1.1; the connection is closed."""

    status, slug, title = 400, "malformed-request", "This is not a request in HTTP"
    example = "This is not a request in HTTP/1.1: Invalid character in Content-Length."


class UnauthorizedError(GlassbotError):
    """The request carries no API key, or one that the operator did not set."""

    status, slug, title = 401, "unauthorized", "An API key is needed"
    example = "The API key in the header X-API-Key is missing."

    @property
    def headers(self) -> dict[str, str]:
        """``WWW-Authenticate``, with a scheme of our own, so that no browser opens a dialogue of its own."""
        return {"WWW-Authenticate": 'ApiKey realm="glassbot"'}


class CrossOriginError(GlassbotError):
    """A browser asks whether a page of another origin may call this service, and it may not."""

    status, slug, title = 403, "cross-origin", "Pages of this origin may not call"
    example = "Pages of this origin, or with this method or header, may not call: Disallowed CORS origin."


class NotFoundError(GlassbotError):
    """No page and no route has this address."""

    status, slug, title = 404, "not-found", "There is nothing here"
    example = "No page and no route has this address; GET / is the page."


class NoSuchImageError(NotFoundError):
    """No photo of that SHA-256 is in memory, or none any more."""

    slug, title = "unknown-image", "This photo is not in memory"
    example = "This photo is no longer in memory: send it again."


class NoSuchUnitError(NotFoundError):
    """There is no card of such a unit, or of any unit of this network."""

    slug, title = "unknown-unit", "There is no card of this unit"
    example = "There is no card of conv9/12: GET /units lists the layers that have some."


class MethodNotAllowedError(GlassbotError):
    """The address exists, but does not answer this method."""

    status, slug, title = 405, "method-not-allowed", "This method is not allowed here"
    example = "This address answers another method; the Allow header names it."


class NoSuchTaughtError(NotFoundError):
    """The names that the request wants to be answered with are not in memory, or no longer."""

    slug, title = "unknown-taught", "These taught names are gone"
    example = "These taught names are no longer in memory: send them to POST /teach again."


class OtherNetworkError(GlassbotError):
    """The examples were embedded by another network than this one."""

    status, slug, title = 409, "other-network", "These examples are of another network"
    example = "These examples are of the network 06ea0a6c9d8b, and this one is 3b1f6c2a9d04: give the photos again."


class SlowUploadError(GlassbotError):
    """The body did not arrive within the time it may take."""

    status, slug, title = 408, "slow-upload", "The upload took too long"
    example = "The body did not arrive within 30 seconds."


class TooLargeError(GlassbotError):
    """The body is over the limit, and was not read to its end."""

    status, slug, title = 413, "body-too-large", "The upload is too large"
    example = "At most 20 MB are taken in one request: send a smaller picture."


class TooManyPixelsError(GlassbotError):
    """The header of the picture declares more pixels than are ever decoded."""

    status, slug, title = 413, "too-many-pixels", "The picture has too many pixels"
    example = "This PNG picture declares 50000 × 50000 pixels; at most 50 million are decoded: send it smaller."


class NotAnImageError(GlassbotError):
    """The bytes are not a picture in any of the supported formats."""

    status, slug, title = 415, "not-an-image", "This is not a picture"
    example = f"We cannot open this file as a picture: send {FORMATS}."


class UnreadKindError(NotAnImageError):
    """The bytes may well be sound, but are of a kind of file or picture that is not read here."""

    slug, title = "unread-kind", "We cannot open this kind of picture"
    example = f"This is a camera's raw file, which we cannot open: send {FORMATS}."


class UnsupportedBodyError(GlassbotError):
    """The content type of the request is none of the documented ones."""

    status, slug, title = 415, "unsupported-body", "This type of body is not supported"
    example = "Send multipart/form-data with the pictures in fields named file."


class UnsupportedCodingError(UnsupportedBodyError):
    """The body is compressed in a way that is not read here; the header of the answer says which are."""

    @property
    def headers(self) -> dict[str, str]:
        """``Accept-Encoding``, as RFC 9110, section 15.5.16, asks for."""
        return {"Accept-Encoding": "gzip, deflate"}


class UnsatisfiableRangeError(GlassbotError):
    """The Range header asks for bytes that the file does not have."""

    status, slug, title = 416, "unsatisfiable-range", "The file has no such bytes"
    example = "The Range header asks for bytes that this file does not have."


class InvalidRequestError(GlassbotError):
    """A parameter, or the form of the body, is wrong."""

    status, slug, title = 422, "invalid-request", "The request is not valid"
    example = "top_k: Input should be greater than or equal to 1."


class EmptyBodyError(InvalidRequestError):
    """The body, or a file in it, holds no bytes."""

    slug, title = "empty-body", "The upload is empty"
    example = "The upload holds no bytes: send a picture."


class BrokenImageError(InvalidRequestError):
    """The bytes begin like a picture, but cannot be decoded to their end."""

    slug, title = "broken-image", "The picture is damaged"
    example = "This JPEG picture is damaged or cut off, and cannot be decoded to its end."


class UnreadableExamplesError(InvalidRequestError):
    """The body is no file of examples, or they cannot be taught."""

    slug, title = "unreadable-examples", "These examples cannot be used"
    example = "'my mug' and 'my cup' share a photo: leave it in one of the two."


class NoSuchVocabularyError(InvalidRequestError):
    """The network has no vocabulary of that name whose labels exclude each other."""

    slug, title = "unknown-vocabulary", "There is no such vocabulary"
    example = "vocabulary is one of object, scene, not 'flavour'."


class NoSuchLabelError(InvalidRequestError):
    """The network knows no such label."""

    slug, title = "unknown-label", "The network knows no such label"
    example = "This network does not know 'unicorn': ask for one of the labels that GET /model lists."


class NoSuchLayerError(InvalidRequestError):
    """The network has no such layer whose activations can be shown."""

    slug, title = "unknown-layer", "The network has no such layer"
    example = "layers is all, or some of conv1, pool1, … fc7; 'conv9' is none of them."


class NoSuchCellError(InvalidRequestError):
    """The layer has no such channel, or no cell in that row and column."""

    slug, title = "unknown-cell", "The layer has no such cell"
    example = "conv3 has channels 0 to 383 with rows and columns 0 to 12: 400, 4, 5 lies outside."


class HeadTooLargeError(GlassbotError):
    """The request line and the headers are over their limit; the connection is closed."""

    status, slug, title = 431, "head-too-large", "The headers are too large"
    example = "The address and the headers of a request take at most 65,536 bytes."


class UnavailableError(GlassbotError):
    """The service cannot answer now; the header says when to ask again."""

    status = 503
    retry_after: ClassVar[int] = 1  # seconds

    @property
    def headers(self) -> dict[str, str]:
        """``Retry-After``: the seconds after which a client should ask again."""
        return {"Retry-After": str(self.retry_after)}


class NotReadyError(UnavailableError):
    """The network is still being loaded, or this replica is shutting down."""

    slug, title = "not-ready", "Not ready"
    example = "The network is still being loaded: ask again in a moment."


class OverloadedError(UnavailableError):
    """More requests have arrived than can be answered in time."""

    slug, title = "overloaded", "Too busy"
    example = "Too many pictures are waiting: ask again soon."


class DeadlineExceededError(GlassbotError):
    """The answer was not ready within the time that a request may take."""

    status, slug, title = 504, "deadline-exceeded", "The answer took too long"
    example = "No answer within 10 seconds: ask again later."


def raised() -> list[type[GlassbotError]]:
    """Every class with a slug of its own: one for each type of problem."""
    queue: list[type[GlassbotError]] = [GlassbotError]
    for error in queue:
        queue += error.__subclasses__()
    return [error for error in queue if "slug" in vars(error)]
