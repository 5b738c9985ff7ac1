"""``python -m tests.js.contract``: prints the schemas of the REST contract, from which ``rest.d.ts`` is made."""

from __future__ import annotations

import json
from typing import Any

from app.main import create_app
from app.settings import Settings
from tests.tiny import tiny_network

PROSE = frozenset({"description", "examples", "title"})


def schemas() -> dict[str, Any]:
    """The OpenAPI document of the service, reduced to its schemas: those are what the scripts of the page read."""
    document = create_app(Settings(), tiny_network()).openapi()
    return {**document, "paths": {}, "components": {"schemas": bare(document["components"]["schemas"])}}


def bare(schema: Any, prose: frozenset[str] = frozenset()) -> Any:
    """A schema without its texts, so that new words change no type; a property may have the name of such a text."""
    if isinstance(schema, list):
        return [bare(part, PROSE) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in prose}
    return {key: bare(value, frozenset() if key == "properties" else PROSE) for key, value in kept.items()}


if __name__ == "__main__":
    print(json.dumps(schemas()))
