"""The Open Inference Protocol, asked byte for byte as its public clients ask; tests/clients runs those themselves."""

from __future__ import annotations

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest

from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint
from tests.app.conftest import FakeEngine, serving, until
from tests.app.http.test_api import JPEG, post
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio

HEADER = "Inference-Header-Content-Length"
INFER = "/v2/models/tiny/infer"
Message = dict[str, Any]


def image(*pictures: bytes, **parameters: int) -> Message:
    data = {"parameters": parameters} if parameters else {"data": [b64encode(one).decode() for one in pictures]}
    return {"name": "image", "shape": [len(pictures)], "datatype": "BYTES", **data}


def binary(*pictures: bytes, **message: Any) -> tuple[bytes, dict[str, str]]:
    """Body and headers as tritonclient sends them; it names no content type."""
    behind = b"".join(len(one).to_bytes(4, "little") + one for one in pictures)
    head = json.dumps({"inputs": [image(*pictures, binary_data_size=len(behind))], **message}).encode()
    return head + behind, {HEADER: str(len(head))}


async def infer(client: httpx.AsyncClient, *pictures: bytes, **message: Any) -> httpx.Response:
    """In JSON, as both clients can."""
    return await client.post(INFER, json={"inputs": [image(*pictures)], **message})


def outputs(answer: httpx.Response) -> dict[str, Any]:
    """Output -> its data, out of the JSON or from behind it; each of them has the shape that it tells."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(HEADER, len(answer.content)))
    head, behind = json.loads(answer.content[:length]), answer.content[length:]
    found: dict[str, Any] = {}
    for tensor in head["outputs"]:
        if "parameters" in tensor:
            size = tensor["parameters"]["binary_data_size"]
            found[tensor["name"]] = decoded(behind[:size], tensor["datatype"])
            behind = behind[size:]
        else:
            found[tensor["name"]] = tensor["data"]
        assert np.prod(tensor["shape"]) == len(found[tensor["name"]])
    assert behind == b""
    return found


def decoded(data: bytes, datatype: str) -> list[Any]:
    if datatype == "FP64":
        return list(np.frombuffer(data, "<f8"))
    texts = []
    while data:
        end = 4 + int.from_bytes(data[:4], "little")
        texts.append(data[4:end].decode())
        data = data[end:]
    return texts


def is_error(answer: httpx.Response, status: int, part: str) -> bool:
    assert answer.headers["content-type"] == "application/json"  # exactly: kserve's client reads no other
    (name,) = answer.json()
    sentence = answer.json()[name]
    assert sentence.endswith(".")
    assert part in sentence, sentence
    return (name, answer.status_code) == ("error", status)


def said(prediction: Message) -> Message:
    """What does not change from one request to the next."""
    return {name: value for name, value in prediction.items() if name not in ("request_id", "timing_ms")}


async def test_its_answer_is_that_of_predict(client: httpx.AsyncClient) -> None:
    predicted = (await post(client)).json()
    content, headers = binary(JPEG, parameters={"binary_data_output": True})
    for answer in (await infer(client, JPEG), await client.post(INFER, content=content, headers=headers)):
        found = outputs(answer)
        assert found["sentence"] == [predicted["caption"]["text"]]
        assert found["labels"] == [label["label"] for label in predicted["labels"]]
        assert found["scores"] == [label["score"] for label in predicted["labels"]]
        assert said(json.loads(found["answer"][0])) == said(predicted)


async def test_many_pictures_are_answered_in_their_order(client: httpx.AsyncClient) -> None:
    pictures = [corpus.jpeg(60 + n, 50) for n in range(5)]
    content, headers = binary(*pictures)
    found = outputs(await client.post(INFER, content=content, headers=headers))
    widths = [json.loads(answer)["image"]["width"] for answer in found["answer"]]
    assert widths == [60, 61, 62, 63, 64]
    assert len(found["labels"]) == len(found["scores"]) == 25


async def test_only_what_is_wanted_is_sent_and_each_as_it_is_wanted(client: httpx.AsyncClient) -> None:
    wanted = [{"name": "scores", "parameters": {"binary_data": True}}, {"name": "sentence"}]
    answer = await infer(client, JPEG, id="7", outputs=wanted)
    assert list(outputs(answer)) == ["scores", "sentence"]
    head = json.loads(answer.content[: int(answer.headers[HEADER])])
    assert head["id"] == "7"
    assert (head["model_name"], [list(tensor) for tensor in head["outputs"]]) == (
        "tiny",
        [["name", "datatype", "shape", "parameters"], ["name", "datatype", "shape", "data"]],
    )
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_bodies_may_be_compressed_both_ways(client: httpx.AsyncClient) -> None:
    content, headers = binary(JPEG, parameters={"binary_data_output": True})
    coding = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    answer = await client.post(INFER, content=gzip.compress(content), headers=headers | coding)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(outputs(answer)["labels"]) == 5


async def test_the_network_and_the_service_say_what_they_are(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2/health/live")).json() == {"live": True}
    assert (await client.get("/v2/health/ready")).json() == {"ready": True}
    assert (await client.get("/v2")).json()["extensions"] == ["binary_tensor_data"]
    described = (await client.get("/v2/models/tiny")).json()
    assert described["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    assert {tensor["name"]: tensor["datatype"] for tensor in described["outputs"]} == {
        "sentence": "BYTES",
        "labels": "BYTES",
        "scores": "FP64",
        "answer": "BYTES",
    }
    assert (await client.get("/v2/models/tiny/ready")).json() == {"name": "tiny", "ready": True}


async def test_the_version_may_be_named(network: Checkpoint, engine: FakeEngine) -> None:
    app = create_app(Settings(), replace(network, version="3b1f6c2a9d04"), create_engine=engine.create)
    async with serving(app) as client:
        described = (await client.get("/v2/models/tiny")).json()
        named = "/v2/models/tiny/versions/3b1f6c2a9d04"
        assert described["versions"] == ["3b1f6c2a9d04"]
        assert (await client.get(named)).json() == described
        assert (await client.get(f"{named}/ready")).json() == {"name": "tiny", "ready": True}
        answer = await client.post(f"{named}/infer", json={"inputs": [image(JPEG)]})
        assert answer.json()["model_version"] == "3b1f6c2a9d04"


async def test_another_network_or_version_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/v2/models/resnet", "/v2/models/resnet/ready", "/v2/models/tiny/versions/1/ready"):
        assert is_error(await client.get(path), 404, "is served")
    for path in ("/v2/models/resnet/infer", "/v2/models/tiny/versions/1/infer"):
        assert is_error(await client.post(path, json={"inputs": [image(JPEG)]}), 404, "is served")
    assert is_error(await client.get("/v2/nothing"), 404, "no route")
    assert is_error(await client.get(INFER), 405, "another method")
    assert (await client.get("/v2nothing")).headers["content-type"] == "application/problem+json"


WRONG: list[tuple[Message, str]] = [
    ({}, "inputs"),
    ({"inputs": []}, "inputs"),
    ({"inputs": [image(JPEG), image(JPEG)]}, "inputs"),
    ({"inputs": [image(JPEG) | {"name": "picture"}]}, "inputs.0.name"),
    ({"inputs": [image(JPEG) | {"datatype": "UINT8"}]}, "inputs.0.datatype"),
    ({"inputs": [image(JPEG) | {"shape": [2]}]}, "The shape of image is [2], but it holds 1"),
    ({"inputs": [image(JPEG) | {"shape": [1, 1]}]}, "inputs.0.shape"),
    ({"inputs": [image(JPEG) | {"shape": ["1"]}]}, "inputs.0.shape.0"),
    ({"inputs": [image()]}, "holds 0"),
    ({"inputs": [image(JPEG) | {"data": ["\u00e9"]}]}, "base64"),
    ({"inputs": [image(JPEG, binary_data_size=9)]}, "binary_data_size"),
    ({"inputs": [image(JPEG, shared_memory_byte_size=9)]}, "data"),
    ({"inputs": [image(JPEG)], "outputs": [{"name": "logits"}]}, "outputs.0.name"),
    ({"inputs": [image(*[b"x"] * 65)]}, "at most 64"),
    ({"inputs": [image(b"none")]}, "We cannot open this file"),
    ({"inputs": [image(b"")]}, "holds no bytes"),
    ({"inputs": [image(JPEG, JPEG[:200], b"none")]}, "Picture 2 of 3: "),
]


@pytest.mark.parametrize(("message", "part"), WRONG)
async def test_what_is_wrong_with_a_request_is_one_sentence(
    client: httpx.AsyncClient, message: Message, part: str
) -> None:
    assert is_error(await client.post(INFER, json=message), 400, part)


async def test_what_is_wrong_with_its_bytes_is_one_sentence(client: httpx.AsyncClient) -> None:
    content, headers = binary(JPEG)
    for length in ("", "-1", "1.5", "x", str(len(content) + 1), "9" * 5000):
        assert is_error(await client.post(INFER, content=content, headers={HEADER: length}), 400, HEADER)
    assert is_error(await client.post(INFER, content=content, headers={HEADER: "5"}), 400, "JSON")
    assert is_error(await client.post(INFER, content=content[:-1], headers=headers), 400, "binary_data_size")
    assert is_error(await client.post(INFER, content=content), 400, "JSON")
    assert is_error(await client.post(INFER, files={"file": JPEG}), 400, "JSON")
    behind = JPEG[:3] + (1 << 31).to_bytes(4, "little")
    head = json.dumps({"inputs": [image(JPEG, binary_data_size=len(behind))]}).encode()
    answer = await client.post(INFER, content=head + behind, headers={HEADER: str(len(head))})
    assert is_error(answer, 400, "stop before the end")


@pytest.fixture
async def narrow(network: Checkpoint, engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A service with a key, that holds one request at a time, of pictures up to 100 kB."""
    settings = Settings.model_validate(
        {"api_keys": "key", "max_in_flight": 1, "max_body_mb": 0.1, "max_batch_body_mb": 1}
    )
    async with serving(create_app(settings, network, create_engine=engine.create)) as client:
        client.headers["X-API-Key"] = "key"
        yield client


async def test_a_full_service_says_when_to_ask_again(narrow: httpx.AsyncClient, engine: FakeEngine) -> None:
    runs = len(engine.batches)
    engine.gate.clear()
    first = asyncio.create_task(infer(narrow, JPEG))
    await until(lambda: len(engine.batches) > runs)
    refused = await infer(narrow, JPEG)
    engine.gate.set()
    assert is_error(refused, 503, "ask again")
    assert refused.headers["retry-after"] == "1"
    assert (await first).status_code == 200


async def test_limits_and_keys_are_those_of_predict(narrow: httpx.AsyncClient) -> None:
    large = b"\xff\xd8" + bytes(110_000)
    content, headers = binary(large)
    assert is_error(await narrow.post(INFER, content=content, headers=headers), 413, "0.1 MB")
    assert is_error(await infer(narrow, large), 413, "JSON")
    content, headers = binary(*[large] * 10)
    assert is_error(await narrow.post(INFER, content=content, headers=headers), 413, "1 MB")
    narrow.headers["X-API-Key"] = "another"
    assert is_error(await infer(narrow, JPEG), 401, "API key")
    assert (await narrow.get("/v2/health/ready")).status_code == 200
    assert (await narrow.get("/v2/models/tiny")).status_code == 200


async def test_a_service_that_starts_is_live_and_not_ready(network: Checkpoint, engine: FakeEngine) -> None:
    engine.gate.clear()
    try:
        app = create_app(Settings(), network, create_engine=engine.create)
        async with serving(app, wait=False) as client:
            assert (await client.get("/v2/health/live")).status_code == 200
            for path in ("/v2/health/ready", "/v2/models/tiny/ready"):
                answer = await client.get(path)
                assert is_error(answer, 503, "being loaded")
                assert answer.headers["retry-after"] == "1"
            assert is_error(await infer(client, JPEG), 503, "being loaded")
            engine.gate.set()
    finally:
        engine.gate.set()


async def test_a_fault_of_ours_is_told_in_the_form_of_the_protocol(network: Checkpoint, engine: FakeEngine) -> None:
    async with serving(create_app(Settings(), network, create_engine=engine.create)) as client:
        engine.faults = [RuntimeError("broken")] * 3
        assert is_error(await infer(client, JPEG), 500, "our fault")
