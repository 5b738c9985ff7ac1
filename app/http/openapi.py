"""The contract of one running service: FastAPI's, and what only its network and settings know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from app import errors
from app.http import examples
from app.http.routes import contract
from model.checkpoint import Checkpoint

DESCRIPTION = """A CaptionBot you can see through: labels, one honest sentence, and what every layer saw.

Every error is a problem (RFC 9457) of a stable `type`. Beside what each operation lists, any other address answers 404
`not-found`, and any other method 405 `method-not-allowed`, whose `Allow` header names those that there are; `HEAD` is
one wherever `GET` is. Where other origins may call, the preflight of one that may not is a 403 `cross-origin`."""
_ANYWHERE = (errors.NotFoundError, errors.MethodNotAllowedError, errors.CrossOriginError)


class Service(FastAPI):
    """An application whose ``state`` holds ``predictor`` and ``settings``."""

    def openapi(self) -> dict[str, Any]:
        """The document behind ``/openapi.json``; made once."""
        if not self.openapi_schema:
            keys = bool(self.state.settings.api_keys)
            self.openapi_schema = _complete(super().openapi(), self.state.predictor.checkpoint, keys)
        return self.openapi_schema


def _complete(document: dict[str, Any], network: Checkpoint, keys: bool) -> dict[str, Any]:
    document["servers"] = [{"url": "./"}]  # beside this document, whatever the prefix that a gateway strips
    parts = document["components"]
    parts["examples"] = {kind.slug: _example(kind) for kind in errors.raised()}
    parts["responses"] = {kind.__name__.removesuffix("Error"): contract.problem(kind) for kind in _ANYWHERE}
    for path, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            _fit(path, parameter, network)
        if keys and "security" in operation:
            operation["security"].remove({})
    batch = document["paths"]["/predict/batch"]["post"]["responses"]["200"]
    batch["content"]["application/json"]["example"] = examples.BATCH  # FastAPI leaves out what is null
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _example(kind: type[errors.GlassbotError]) -> dict[str, Any]:
    value = examples.problem(kind).model_dump(mode="json", exclude_defaults=True)
    return {"summary": kind.title, "value": value}


def _fit(path: str, parameter: dict[str, Any], network: Checkpoint) -> None:
    """Names of vocabularies and labels are not ours to choose, but the network's."""
    vocabularies = [v for v in network.vocabularies if path == "/explain" or v.activation == "softmax"]
    if parameter["name"] == "kind":
        parameter["schema"] = {"type": "string", "enum": [v.name for v in vocabularies]}
    if parameter["name"] == "label":
        parameter["example"] = vocabularies[0].labels[0].name
