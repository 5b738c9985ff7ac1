"""What OpenAPI cannot read off the routes: their bodies, which are parsed by hand, and their problems."""

from __future__ import annotations

from typing import Any

from app.schemas import Problem

_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}


def _form(file: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": {"file": file}, "required": ["file"]}}


ONE_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One picture: JPEG, PNG, WebP, GIF (first frame), BMP, TIFF, AVIF or HEIC, by content.",
        "content": {
            "multipart/form-data": _form(_BINARY),
            "image/*": {"schema": _BINARY},
            "application/octet-stream": {"schema": _BINARY},
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"image": {"type": "string", "contentEncoding": "base64"}},
                    "required": ["image"],
                }
            },
        },
    }
}
MANY_PICTURES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": _form({"type": "array", "items": _BINARY, "minItems": 1})},
    }
}
_SCHEMA = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description, **_SCHEMA}
    for status, description in (
        (408, "The body did not arrive in time."),
        (413, "More bytes or pixels than are taken."),
        (415, "Not a picture, or a body of another type."),
        (422, "A parameter is wrong, or the picture is empty or damaged."),
        (503, "Loading, leaving or overloaded; Retry-After says when to ask again."),
        (504, "No answer in time."),
    )
}
