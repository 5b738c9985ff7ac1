"""Asks a service with the public clients of the Open Inference Protocol, and prints what they make of it as JSON.

``python ask.py PORT KEY PICTURE…``, in the environment that ``make clients`` makes for them; test_clients.py reads it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import kserve
import numpy as np
import tritonclient.http as triton
from kserve.protocol.infer_type import RequestedOutput

MODEL = "tiny"
OUTPUTS = ("sentence", "labels", "scores", "answer")


def main() -> None:
    port, key, *files = sys.argv[1:]
    pictures = [Path(file).read_bytes() for file in files]
    print(json.dumps({"triton": Triton(port, key).told(pictures), "kserve": asyncio.run(told(port, key, pictures))}))


class Triton:
    """What ``tritonclient[http]`` says."""

    def __init__(self, port: str, key: str) -> None:
        self.client = triton.InferenceServerClient(f"127.0.0.1:{port}")
        self.headers = {"X-API-Key": key}

    def told(self, pictures: list[bytes]) -> dict[str, Any]:
        client = self.client
        return {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model ready": client.is_model_ready(MODEL),
            "another ready": client.is_model_ready("another"),
            "server": self.or_error(client.get_server_metadata),
            "model": self.or_error(lambda: client.get_model_metadata(MODEL)),
            "binary": self.or_error(lambda: self.infer(pictures)),
            "wanted": self.or_error(lambda: self.infer(pictures, binary=False)),
            "compressed": self.or_error(lambda: self.infer(pictures, coding="gzip")),
            "broken": self.or_error(lambda: self.infer([b"none"])),
            "another": self.or_error(lambda: self.infer(pictures, model="another")),
            "no key": self.or_error(lambda: self.infer(pictures, headers={})),
        }

    def infer(
        self,
        pictures: list[bytes],
        *,
        model: str = MODEL,
        binary: bool = True,
        coding: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        image = triton.InferInput("image", [len(pictures)], "BYTES")
        image.set_data_from_numpy(np.array(pictures, dtype=np.object_))
        wanted = None if binary else [triton.InferRequestedOutput(name, binary_data=False) for name in OUTPUTS]
        result = self.client.infer(
            model,
            [image],
            outputs=wanted,
            headers=dict(self.headers if headers is None else headers),  # the client adds to them
            request_compression_algorithm=coding,
            response_compression_algorithm=coding,
        )
        return {name: texts(result.as_numpy(name)) for name in OUTPUTS}

    @staticmethod
    def or_error(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except triton.InferenceServerException as error:
            return [error.status(), error.message()]


async def told(port: str, key: str, pictures: list[bytes]) -> dict[str, Any]:
    """What kserve's client says."""
    address, headers = f"http://127.0.0.1:{port}", {"X-API-Key": key}
    async with kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2")) as client:

        async def infer(
            pictures: list[bytes], *, model: str = MODEL, binary: bool = True, headers: dict[str, str] = headers
        ) -> Any:
            image = kserve.InferInput("image", [len(pictures)], "BYTES")
            image.set_data_from_numpy(np.array(pictures, dtype=np.object_), binary_data=True)
            outputs = [RequestedOutput(name, {"binary_data": binary}) for name in OUTPUTS]
            request = kserve.InferRequest(model, [image], request_outputs=outputs)
            response = await client.infer(address, request, model_name=model, headers=dict(headers))
            return {output.name: texts(output.as_numpy()) for output in response.outputs}

        return {
            "live": await client.is_server_live(address),
            "ready": await or_error(client.is_server_ready(address)),
            "model ready": await client.is_model_ready(address, MODEL),
            "another ready": await client.is_model_ready(address, "another"),
            "binary": await or_error(infer(pictures)),
            "wanted": await or_error(infer(pictures, binary=False)),
            "broken": await or_error(infer([b"none"])),
            "another": await or_error(infer(pictures, model="another")),
            "no key": await or_error(infer(pictures, headers={})),
        }


async def or_error(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except httpx.HTTPStatusError as error:
        return [str(error.response.status_code), str(error).partition(", '")[0]]


def texts(tensor: Any) -> Any:
    """A tensor as JSON can hold it; bytes as text."""
    if tensor.dtype != np.object_:
        return tensor.tolist()
    flat = [one.decode() if isinstance(one, bytes) else one for one in tensor.ravel().tolist()]
    return np.array(flat, dtype=np.object_).reshape(tensor.shape).tolist()


if __name__ == "__main__":
    main()
