"""The OpenAPI contract of one running service: FastAPI's document, completed by what depends on its network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from app import errors
from app.http import examples, teaching_answers, working_examples
from app.http.open_inference.failures import PREFIX
from app.http.routes import contract
from model.checkpoint import Checkpoint

DESCRIPTION = """A CaptionBot you can see through: labels, one honest sentence, and what every layer saw.

Every error is a problem (RFC 9457) of a stable `type`. Beside what each operation lists, any other address answers 404
`not-found`, and any other method 405 `method-not-allowed`, whose `Allow` header names those there are; `HEAD` works
wherever `GET` does. Where other origins may call, the preflight of one that may not is a 403 `cross-origin`. Bytes that
are not an HTTP/1.1 request are a 400 `malformed-request`, headers that are too large a 431 `head-too-large`; both end
the connection. A range that a file does not have is a 416 `unsatisfiable-range`. Offers to upgrade are ignored.

Beneath `/v2` is the Open Inference Protocol: an error is `{"error": …}` there, and 415 and 422 are 400."""
_ANYWHERE = (
    errors.NotFoundError,
    errors.MethodNotAllowedError,
    errors.CrossOriginError,
    errors.MalformedRequestError,
    errors.HeadTooLargeError,
    errors.UnsatisfiableRangeError,
)
_OF_ANY_LABEL = ("/explain", "/compare", "/connections", "/occlusion")
"""Operations whose label may be of any vocabulary."""
_WITH_NULLS = {
    ("/predict/batch", "post"): examples.BATCH,
    ("/cell", "post"): working_examples.CELL,
    ("/embed/batch", "post"): teaching_answers.EMBED_BATCH,
    ("/units/{layer}/{channel}", "get"): examples.UNIT,
}


class Service(FastAPI):
    """A FastAPI application whose ``state`` holds ``host`` and ``settings``, and whose contract is complete."""

    def openapi(self) -> dict[str, Any]:
        """The document behind ``/openapi.json``; it is built once."""
        if not self.openapi_schema:
            keys_required = bool(self.state.settings.api_keys)
            self.openapi_schema = _complete(super().openapi(), self.state.host.checkpoint, keys_required)
        return self.openapi_schema


def _complete(document: dict[str, Any], checkpoint: Checkpoint, keys_required: bool) -> dict[str, Any]:
    document["servers"] = [{"url": "./"}]  # beside this document, whatever the prefix that a gateway strips
    components = document["components"]
    components["examples"] = {error.slug: _example(error) for error in errors.raised()}
    components["responses"] = {error.__name__.removesuffix("Error"): contract.problem(error) for error in _ANYWHERE}
    for path, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            _name_choices(path, parameter, checkpoint)
        if keys_required and "security" in operation:
            operation["security"].remove({})
    for (path, method), example in _WITH_NULLS.items():
        answer = document["paths"][path][method]["responses"]["200"]
        answer["content"]["application/json"]["example"] = example  # FastAPI leaves out what is null
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _example(error: type[errors.GlassbotError]) -> dict[str, Any]:
    value = examples.problem(error).model_dump(mode="json", exclude_defaults=True)
    return {"summary": error.title, "value": value}


def _name_choices(path: str, parameter: dict[str, Any], checkpoint: Checkpoint) -> None:
    """Say which values a parameter takes where the network decides: vocabularies, labels and layers."""
    vocabularies = [v for v in checkpoint.vocabularies if path in _OF_ANY_LABEL or v.activation == "softmax"]
    if parameter["name"] in ("vocabulary", "kind"):
        parameter["schema"] = {"type": "string", "enum": [v.name for v in vocabularies]}
    if parameter["name"] == "layer":
        rows = [row for row in checkpoint.architecture.layers if row.weight_shape]
        named = [row.name for row in rows if path == "/cell" or row.operation == "conv" or row.name == "fc8"]
        parameter["schema"] = {"type": "string", "enum": named}
    if parameter["name"] == "label":
        parameter["example"] = vocabularies[0].labels[0].name
    if path.startswith(PREFIX) and parameter["in"] == "path":
        served = {"model": checkpoint.name, "version": checkpoint.version}
        parameter["schema"] = {"type": "string", "enum": [served[parameter["name"]]]}
    if parameter["name"] == "channel":
        parameter["example"] = 0
    if parameter["name"] == "layers":
        name = "|".join(checkpoint.architecture.activation_names)
        parameter["schema"]["pattern"] = f"^(all|({name})(,({name}))*)$"
