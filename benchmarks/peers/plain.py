"""``python -m benchmarks.peers.plain``: FastAPI with an eager torch module, as most people write it."""

from __future__ import annotations

from typing import Any

import torch
import uvicorn
from fastapi import FastAPI, UploadFile

from benchmarks.peers.network import Network, arguments


def create_app(network: Network) -> FastAPI:
    """Return an application with the route ``POST /predict``, which FastAPI runs in its thread pool."""
    app = FastAPI()

    @app.post("/predict")
    def predict(file: UploadFile) -> dict[str, Any]:
        inputs = network.inputs(network.pixels(file.file)[None])
        with torch.inference_mode():
            logits = network.module(inputs)
        return network.labels(logits[0])

    return app


if __name__ == "__main__":
    options = arguments(__doc__).parse_args()
    uvicorn.run(create_app(Network(options.checkpoint)), host="127.0.0.1", port=options.port)
