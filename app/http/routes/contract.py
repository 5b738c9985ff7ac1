"""What FastAPI cannot read off the routes: their bodies, which are parsed by hand, and every answer they can give."""

from __future__ import annotations

from typing import Any

from app.errors import (
    BrokenImageError,
    DeadlineExceededError,
    EmptyBodyError,
    GlassbotError,
    InvalidRequestError,
    NoSuchImageError,
    NoSuchTaughtError,
    NotAnImageError,
    NotReadyError,
    OverloadedError,
    SlowUploadError,
    TooLargeError,
    TooManyPixelsError,
    UnauthorizedError,
    UnreadKindError,
    UnsupportedBodyError,
)
from model.pictures.errors import FORMATS

Responses = dict[int | str, dict[str, Any]]

PROBLEM = "application/problem+json"
_BYTES: dict[str, Any] = {"type": "string", "format": "binary"}
BINARY: dict[str, Any] = {**_BYTES, "minLength": 1}
_TEXT: dict[str, Any] = {"type": "string"}
EVERY = {"X-Request-ID": {"required": True, "schema": _TEXT, "description": "Yours, where you sent one; in the logs."}}
# 2 x 2 pixels, red and blue: small enough to read, and a picture all the same.
GIF = "R0lGODlhAgACAIAAAP8AAAAA/yH5BAAAAAAALAAAAAACAAIAAAIDRAIFADs="

RECEIVING = (
    UnauthorizedError,
    SlowUploadError,
    TooLargeError,
    UnsupportedBodyError,
    InvalidRequestError,
    NotReadyError,
    OverloadedError,
)
"""Problems that can occur until the body has arrived."""
DECODING = (
    NoSuchImageError,
    NoSuchTaughtError,
    TooManyPixelsError,
    NotAnImageError,
    UnreadKindError,
    EmptyBodyError,
    BrokenImageError,
    DeadlineExceededError,
)
"""Problems that can occur with the picture itself."""


def _form(file: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": {"file": file}, "required": ["file"]}}


_BASE64 = {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]+={0,2}$", "minLength": 4}
ONE_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": False,
        "description": f"One picture: {FORMATS}, by content; of several in one file the first. "
        "None where image names one.",
        "content": {
            "multipart/form-data": _form(BINARY),
            "image/*": {"schema": BINARY},
            "application/octet-stream": {"schema": BINARY},
            "application/json": {
                "schema": {"type": "object", "properties": {"image": _BASE64}, "required": ["image"]},
                "examples": {"four pixels": {"value": {"image": GIF}}},
            },
        },
    },
    "security": [{}],  # with the scheme that FastAPI adds: a key, or none
}
MANY_PICTURES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Pictures in fields named file. One that is none, or empty, is a problem of its own item only.",
        "content": {"multipart/form-data": _form({"type": "array", "items": _BYTES, "minItems": 1})},
    },
    "security": [{}],
}


EXAMPLES_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A file of examples, as the page saves it: docs/teach.md says what it holds.",
        "content": {"application/octet-stream": {"schema": BINARY}},
    },
    "security": [{}],
}


def answers(example: Any, *failures: type[GlassbotError], media: str = "application/json", **more: Any) -> Responses:
    """Status -> answer of an operation: 200 as in ``example``, each of its ``failures``, and 500.

    ``more`` completes the 200: its ``description``, ``headers``, and ``content`` of further media types.
    """
    every: tuple[type[GlassbotError], ...] = (*failures, GlassbotError)
    by_status: dict[int, list[type[GlassbotError]]] = {}
    for failure in every:
        by_status.setdefault(failure.status, []).append(failure)
    content: dict[str, Any] = {media: {"example": example}}
    if media != "application/json":
        content[media]["schema"] = _TEXT if media.startswith("text/") else BINARY
    good = {"description": "As asked.", **more, "content": content | more.get("content", {})}
    good["headers"] = EVERY | more.get("headers", {})
    return {200: good, **{status: problem(*by_status[status]) for status in sorted(by_status)}}


def problem(*errors: type[GlassbotError]) -> dict[str, Any]:
    """The answer for problems that share one status, each with its example in the components."""
    headers = {name for error in errors for name in error("").headers}
    return {
        "description": " ".join((error.__doc__ or "").splitlines()[0] for error in errors),
        "headers": EVERY | {name: {"required": True, "schema": _TEXT} for name in sorted(headers)},
        "content": {
            PROBLEM: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {error.slug: {"$ref": f"#/components/examples/{error.slug}"} for error in errors},
            }
        },
    }
