"""What the contract cannot say to Schemathesis, which loads this in its own process: how to make a picture."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core import NotSet
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import UnsupportedMethodResponse

from app.http.open_inference.tensors import HEADER
from tests.app.inference import corpus
from tests.model.teaching.drawn import cloud, examples
from tests.tiny import OBJECTS, WORDS

NAMED = ("/predict", "/explain", "/compare", "/activations", "/square", "/connections", "/cell", "/occlusion", "/embed")
"""The operations that take a picture or its name."""
PICTURES = [picture for name, picture in corpus.good_pictures().items() if "20000" not in name]
LABELS = [*({"label": label} for label in OBJECTS), *({"label": word, "vocabulary": "word"} for word in WORDS)]
BATCHES = ("/predict/batch", "/embed/batch")
EXAMPLES = examples(my_mug=cloud(1, 4)).to_bytes()
"""Sound examples, of another network: 409."""
LABELLED = ("/explain", "/compare", "/connections", "/occlusion")
CELLS: list[dict[str, Any]] = [
    {"layer": "conv1", "channel": 95, "row": 54, "column": 0},
    {"layer": "conv5", "channel": 0, "row": 0, "column": 12},
    *({"layer": layer, "channel": 17, "row": 0, "column": 0} for layer in ("fc6", "fc7", "fc8")),
]

pictures = st.sampled_from(PICTURES)
for media in ("image/*", "application/octet-stream"):
    schemathesis.openapi.media_type(media, pictures)
schemathesis.openapi.format("binary", pictures)


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:  # noqa: ARG001 Schemathesis' signature
    """Where a case is meant to be right: base64 of a picture, and a label that the network knows."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    if case.path.endswith("/infer"):
        return inference(case)
    if case.media_type == "application/json" and isinstance(case.body, dict):
        case.body["image"] = b64encode(chosen(PICTURES, case.body.get("image", ""))).decode()
    if case.path in NAMED:  # a picture is sent or named, which the contract cannot say
        # What was taught has another name in each process; tests/app/http/test_teach.py teaches and asks.
        others = {name: value for name, value in (case.query or {}).items() if name not in ("image", "taught")}
        case.query = {**others, "image": "0" * 64} if isinstance(case.body, NotSet) else others
    if case.path == "/teach":
        case.body = EXAMPLES
    if case.query or case.path in LABELLED:
        case.query = known_to_the_network(case.path, case.query or {})
    if case.path == "/explain":
        case.headers["Accept"] = chosen(["application/json", "image/png"], case.query)
    return case


def inference(case: Any) -> Any:
    """A message with one picture: in JSON as the case has it, else in binary."""
    picture = chosen(PICTURES, case.body)
    case.headers = {name: value for name, value in case.headers.items() if name.lower() != HEADER.lower()}
    if case.media_type == "application/json":
        image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [b64encode(picture).decode()]}
        case.body = {**case.body, "inputs": [image]}
        return case
    parameters = {"binary_data_size": len(picture) + 4}
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": parameters}
    head = json.dumps({"inputs": [tensor]}).encode()
    case.body = head + len(picture).to_bytes(4, "little") + picture
    case.headers[HEADER] = str(len(head))
    return case


def known_to_the_network(path: str, query: dict[str, Any]) -> dict[str, Any]:
    """The query of a case that is meant to be right, with a label or a cell that the network has."""
    if "vocabulary" in query:  # the two must not differ, which the contract cannot say
        query = {name: value for name, value in query.items() if name != "kind"}
    if path == "/cell":
        return {**query, **chosen(CELLS, query)}
    if path in LABELLED:
        others = {name: value for name, value in query.items() if name not in ("vocabulary", "kind", "label", "claim")}
        query = others | ({"claim": 0} if "claim" in query else chosen(LABELS, query.get("label", "")))
    return query | {"cells": 2} if path == "/occlusion" else query  # each cell is a run of the network


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:  # noqa: ARG001 as above
    """Keep all but two kinds, of which the checks are mistaken.

    ``GET /teach`` is a page, which is no part of the contract. And a field of a form is bytes, whatever it was made
    from: an object sent as ``{}`` is a file of two bytes, of which the item of the batch says that they are no picture.
    The check calls that wrong data accepted.
    """
    if isinstance(failure, UnsupportedMethodResponse) and case.path == "/teach" and response.request.method == "GET":
        return False
    wrong_body = case.meta is not None and case.meta.is_negative_at(ParameterLocation.BODY)
    is_bytes = b'name="file"' in (response.request.body or b"")
    return not (isinstance(failure, AcceptedNegativeData) and case.path in BATCHES and wrong_body and is_bytes)


def chosen(options: list[Any], by: object) -> Any:
    """One of them, always the same for the same value that was made up."""
    return options[sum(str(by).encode()) % len(options)]
