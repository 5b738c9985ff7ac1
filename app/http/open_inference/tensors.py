"""Reads and writes inference messages: JSON with tensors in it, or behind it where they are sent in binary.

In binary an element of a BYTES tensor is its length, in four bytes of which the lowest comes first, and its bytes. The
header ``HEADER`` then says how long the JSON is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import ValidationError

from app.errors import InvalidRequestError, TooLargeError
from app.http.bodies import from_base64
from app.http.open_inference.schemas import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    InputTensor,
    OutputName,
    OutputTensor,
)
from app.http.schemas import PredictResponse

HEADER = "Inference-Header-Content-Length"
OUTPUTS: dict[OutputName, tuple[Datatype, int]] = {
    "sentence": ("BYTES", 1),
    "labels": ("BYTES", 2),
    "scores": ("FP64", 2),
    "answer": ("BYTES", 1),
}
"""The datatype and the number of dimensions of each output."""
_LENGTH_BYTES = 4


@dataclass(frozen=True)
class Asked:
    """What one request asks for."""

    id: str | None
    """How the client names it."""
    pictures: tuple[bytes, ...]
    """The files of N pictures."""
    outputs: tuple[tuple[OutputName, bool], ...]
    """What is wanted of them, and whether in binary."""


def read(body: bytes, json_length: str | None, *, most: int, max_json_bytes: int) -> Asked:
    """What a body with at most ``most`` pictures asks for; ``json_length`` is the value of ``HEADER``, if it was sent.

    Raises InvalidRequestError, or TooLargeError for more JSON than is parsed.
    """
    end = len(body) if json_length is None else _length(json_length, len(body))
    if end > max_json_bytes:
        raise TooLargeError(
            f"At most {max_json_bytes / 1e6:g} MB of JSON are taken: send pictures in binary behind it."
        )
    try:
        message = InferenceRequest.model_validate_json(body[:end])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "The JSON"
        raise InvalidRequestError(f"{where}: {first['msg']}.") from error
    (tensor,) = message.inputs
    pictures = _pictures(tensor, body[end:], most)
    if len(pictures) > most:
        raise InvalidRequestError(f"One request here takes pictures, at most {most} of them: send more requests.")
    if tensor.shape != (len(pictures),) or not pictures:
        raise InvalidRequestError(
            f"The shape of image is {list(tensor.shape)}, but it holds {len(pictures)}: send pictures and their number."
        )
    binary = message.parameters.binary_data_output
    wanted = {one.name: one.parameters.binary_data for one in message.outputs} or dict.fromkeys(OUTPUTS)
    outputs = tuple((name, binary if own is None else own) for name, own in wanted.items())
    return Asked(message.id, tuple(pictures), outputs)


def _length(text: str, most: int) -> int:
    if not (re.fullmatch("[0-9]{1,12}", text) and int(text) <= most):
        raise InvalidRequestError(f"{HEADER} is {text[:20]!r}; it is how many bytes of the body are JSON.")
    return int(text)


def _pictures(tensor: InputTensor, behind: bytes, most: int) -> list[bytes]:
    """The elements of the input, all of which are in the JSON or behind it; not many more than ``most``."""
    size = tensor.parameters.binary_data_size
    if size is not None and size == len(behind) and tensor.data is None:
        return _elements(behind, most)
    if size is not None or behind or tensor.data is None:
        raise InvalidRequestError(
            "image has either data, or a binary_data_size that is the number of bytes behind the JSON."
        )
    try:
        return [from_base64(text) for text in tensor.data]
    except ValueError as error:
        raise InvalidRequestError("The data of image are files in base64; these are not.") from error


def _elements(data: bytes, most: int) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at < len(data) and len(found) <= most:
        begins = at + _LENGTH_BYTES
        at = begins + int.from_bytes(data[at:begins], "little")
        if max(at, begins) > len(data):
            raise InvalidRequestError("The binary data of image stop before the end of a picture.")
        found.append(data[begins:at])
    return found


def write(asked: Asked, predictions: Sequence[PredictResponse]) -> tuple[bytes, int | None]:
    """The answer for N predictions, and how many bytes of it are JSON where the rest is binary."""
    outputs, behind = [], b""
    for name, binary in asked.outputs:
        datatype, rank = OUTPUTS[name]
        rows = [_row(name, one) for one in predictions]
        values = [value for row in rows for value in row]
        shape = [len(rows), len(rows[0])][:rank]
        data = _binary(values) if binary else b""
        size: dict[Literal["binary_data_size"], int] = {"binary_data_size": len(data)}
        outputs.append(
            OutputTensor(name=name, datatype=datatype, shape=shape, data=values)
            if not binary
            else OutputTensor(name=name, datatype=datatype, shape=shape, parameters=size)
        )
        behind += data
    model = predictions[0].model
    answer = InferenceResponse(model_name=model.name, model_version=model.version, id=asked.id, outputs=outputs)
    head = answer.model_dump_json(exclude_none=True).encode()
    in_binary = any(binary for _, binary in asked.outputs)
    return head + behind, len(head) if in_binary else None


def _row(name: OutputName, prediction: PredictResponse) -> list[str | float]:
    """What an output holds for one picture: one element, or one for each label."""
    match name:
        case "sentence":
            return [prediction.caption.text]
        case "labels":
            return [label.label for label in prediction.labels]
        case "scores":
            return [label.score for label in prediction.labels]
        case "answer":
            return [prediction.model_dump_json()]


def _binary(values: Sequence[str | float]) -> bytes:
    texts = [value.encode() for value in values if isinstance(value, str)]
    if not texts:
        return np.array(values, "<f8").tobytes()
    return b"".join(len(text).to_bytes(_LENGTH_BYTES, "little") + text for text in texts)
