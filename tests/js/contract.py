"""``python -m tests.js.contract``: prints the schemas of the REST contract, from which ``rest.d.ts`` is made."""

from __future__ import annotations

import json
from typing import Any

from app.main import create_app
from app.settings import Settings
from tests.tiny import tiny_network


def schemas() -> dict[str, Any]:
    """The OpenAPI document of the service without its operations: what the scripts of the page read are the answers."""
    document = create_app(Settings(), tiny_network()).openapi()
    return {**document, "paths": {}, "components": {"schemas": document["components"]["schemas"]}}


if __name__ == "__main__":
    print(json.dumps(schemas()))
