"""The contract of the Open Inference Protocol here: its message, its failures, and an example of each answer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from app.errors import GlassbotError, NoSuchImageError, NoSuchTaughtError, NotFoundError, UnsupportedBodyError
from app.http import examples
from app.http.open_inference import schemas
from app.http.open_inference.failures import status_of
from app.http.open_inference.tensors import HEADER
from app.http.routes import contract

_NOT_HERE = (UnsupportedBodyError, NoSuchImageError, NoSuchTaughtError)
INFERRING = (
    NotFoundError,
    *(failure for failure in (*contract.RECEIVING, *contract.DECODING) if failure not in _NOT_HERE),
)
"""Everything that can keep a request from being answered; a body has one form here, and names no picture."""


def answers(example: Any, *failures: type[GlassbotError], **more: Any) -> contract.Responses:
    """Status -> answer of an operation: 200 as in ``example``, and its ``failures`` in the protocol's form."""
    by_status: dict[int, list[type[GlassbotError]]] = {}
    for failure in (*failures, GlassbotError):
        by_status.setdefault(status_of(failure), []).append(failure)
    good = contract.answers(example, **more)[200]
    return {200: good, **{status: _failed(*by_status[status]) for status in sorted(by_status)}}


def _failed(*failures: type[GlassbotError]) -> dict[str, Any]:
    described = contract.problem(*failures)
    examples = {failure.slug: {"value": {"error": failure.example}} for failure in failures}
    return {**described, "model": schemas.Failure, "content": {"application/json": {"examples": examples}}}


_TENSOR: dict[str, Any] = {
    "type": "object",
    "required": ["name", "datatype", "shape"],
    "properties": {
        "name": {"const": "image"},
        "datatype": {"const": "BYTES"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 1},
        "data": {"type": "array", "items": {"type": "string", "contentEncoding": "base64"}, "minItems": 1},
        "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer", "minimum": 0}}},
    },
}
_OUTPUT: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"enum": ["sentence", "labels", "scores", "answer"]},
        "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
    },
}
_MESSAGE: dict[str, Any] = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1, "maxItems": 1},
        "outputs": {"type": "array", "items": _OUTPUT},
        "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}},
    },
}
_IMAGE = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [contract.GIF]}
_HEADER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "integer", "minimum": 0},
    "description": "Bytes of the body that are JSON, where pictures follow it in binary.",
}


def _in_path(*names: str) -> dict[str, Any]:
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]}


_TEXT = {"type": "string"}
NAMED = _in_path("model")
VERSIONED = _in_path("model", "version")
"""What is in the path; ``app.http.openapi`` says which network that may be."""


def inference(path: dict[str, Any]) -> dict[str, Any]:
    """The contract of a request for inference at a ``path``: ``NAMED`` or ``VERSIONED``."""
    return {
        "parameters": [*path["parameters"], _HEADER],
        "requestBody": {
            "required": True,
            "description": "The files of N pictures as one BYTES tensor: in base64, or in binary behind the JSON.",
            "content": {
                "application/json": {"schema": _MESSAGE, "examples": {"four pixels": {"value": {"inputs": [_IMAGE]}}}},
                "application/octet-stream": {"schema": contract.BINARY},
            },
        },
        "security": [{}],
    }


IN_BINARY: dict[str, Any] = {
    "description": "JSON, or JSON with outputs behind it where they are wanted in binary.",
    "content": {
        "application/octet-stream": {
            "schema": contract.BINARY,
            "example": '{"model_name":"glassbot", … "parameters":{"binary_data_size":64}}]}\x3c\x00\x00\x00I think …',
        }
    },
    "headers": {HEADER: {"schema": {"type": "integer"}, "description": "Bytes of the body that are JSON, if not all."}},
}


def _json(answer: BaseModel) -> Any:
    return answer.model_dump(mode="json", exclude_none=True)


_NAME, _VERSION = "glassbot", "3b1f6c2a9d04"
LIVE = _json(schemas.Live(live=True))
READY = _json(schemas.Ready(ready=True))
MODEL_READY = _json(schemas.ModelReady(name=_NAME, ready=True))
SERVER = _json(schemas.ServerMetadata(name="glassbot", version="0.1.0", extensions=["binary_tensor_data"]))
MODEL = _json(
    schemas.ModelMetadata(
        name=_NAME,
        versions=[_VERSION],
        platform="glassbot_safetensors",
        inputs=[schemas.TensorMetadata(name="image", datatype="BYTES", shape=[-1])],
        outputs=[schemas.TensorMetadata(name="scores", datatype="FP64", shape=[-1, -1])],
    )
)
ANSWER = _json(
    schemas.InferenceResponse(
        model_name=_NAME,
        model_version=_VERSION,
        outputs=[
            schemas.OutputTensor(
                name="sentence", datatype="BYTES", shape=[1], data=[examples.PREDICT["caption"]["text"]]
            ),
            schemas.OutputTensor(name="scores", datatype="FP64", shape=[1, 2], data=[0.62, 0.21]),
        ],
    )
)
