"""Public clients of the Open Inference Protocol against a real service: ``make clients`` installs and runs them."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.inference import corpus
from tests.app.server import ROOT, Running, served
from tests.tiny import tiny_checkpoint

PYTHON = ROOT / "build" / "clients" / "bin" / "python"
KEY = "the-key-of-the-clients"
INFER = "/v2/models/{model}/infer"
CLIENTS = ("triton", "kserve")
WAYS = [
    ("triton", "binary"),
    ("triton", "wanted"),
    ("triton", "compressed"),
    ("kserve", "binary"),
    ("kserve", "wanted"),
]
"""In which form each of them asks for an answer."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="make clients installs tritonclient and kserve, and runs this"),
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"{n}.jpg" for n in range(3)]
    for n, path in enumerate(paths):
        path.write_bytes(corpus.jpeg(200 + n, 150))
    return paths


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that holds as many requests as it comes with, and asks for a key."""
    folder = tmp_path_factory.mktemp("service")
    checkpoint = tiny_checkpoint(folder / "tiny.safetensors")
    with served(checkpoint, folder / "log", GLASSBOT_API_KEYS=KEY, GLASSBOT_PRECISION="f32") as running:
        yield running


@pytest.fixture(scope="module")
def told(service: Running, pictures: list[Path]) -> dict[str, Any]:
    return ask(service.address, pictures)


def ask(address: str, pictures: list[Path]) -> dict[str, Any]:
    """What each client says of a service."""
    port = address.rpartition(":")[2]
    command = [str(PYTHON), str(Path(__file__).with_name("ask.py")), port, KEY, *map(str, pictures)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def predicted(service: Running, pictures: list[Path]) -> list[dict[str, Any]]:
    """What ``POST /predict`` answers to each picture."""
    with httpx.Client(base_url=service.address, headers={"X-API-Key": KEY}, timeout=60) as client:
        return [client.post("/predict", files={"file": path.read_bytes()}).json() for path in pictures]


def said(prediction: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in prediction.items() if name not in ("request_id", "timing_ms")}


@pytest.mark.parametrize(("client", "way"), WAYS)
def test_each_client_gets_what_predict_answers(
    told: dict[str, Any], predicted: list[dict[str, Any]], client: str, way: str
) -> None:
    found = told[client][way]
    assert found["sentence"] == [one["caption"]["text"] for one in predicted]
    assert found["labels"] == [[label["label"] for label in one["labels"]] for one in predicted]
    assert found["scores"] == [[label["score"] for label in one["labels"]] for one in predicted]
    assert [said(json.loads(answer)) for answer in found["answer"]] == [said(one) for one in predicted]


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_finds_the_service_and_its_network_ready(told: dict[str, Any], client: str) -> None:
    asked = told[client]
    assert [asked[what] for what in ("live", "ready", "model ready", "another ready")] == [True, True, True, False]


def test_tritonclient_reads_what_the_service_and_the_network_are(told: dict[str, Any]) -> None:
    assert told["triton"]["server"]["name"] == "glassbot"
    outputs = {one["name"]: one["datatype"] for one in told["triton"]["model"]["outputs"]}
    assert outputs == {"sentence": "BYTES", "labels": "BYTES", "scores": "FP64", "answer": "BYTES"}


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_tells_errors_with_their_status_and_sentence(told: dict[str, Any], client: str) -> None:
    for what, status, part in (
        ("broken", "400", "We cannot open this file as a picture"),
        ("another", "404", "There is no model 'another' here"),
        ("no key", "401", "The API key in the header X-API-Key is missing"),
    ):
        found_status, sentence = told[client][what]
        assert (found_status, part in sentence) == (status, True), sentence


@contextmanager
def full(service: Running) -> Iterator[None]:
    """A service that holds one request holds it: its body does not come."""
    port = int(service.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as held:
        head = (
            "POST /predict HTTP/1.1",
            "Host: x",
            f"X-API-Key: {KEY}",
            "Content-Type: image/jpeg",
            "Content-Length: 9",
        )
        held.sendall("\r\n".join((*head, "", "")).encode())
        asyncio.run(_until_held(service.address))
        yield


async def _until_held(address: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(timeout=60) as client:
        while "glassbot_in_flight 1.0" not in (await client.get(f"{address}/metrics")).text:
            await asyncio.sleep(0.02)


def test_each_client_tells_a_full_service_by_its_status_and_does_not_ask_again(
    tmp_path: Path, pictures: list[Path]
) -> None:
    checkpoint = tiny_checkpoint(tmp_path / "tiny.safetensors")
    # The body that does not come is waited for longer than a busy machine needs to start the clients.
    settings = {"GLASSBOT_MAX_IN_FLIGHT": "1", "GLASSBOT_API_KEYS": KEY, "GLASSBOT_UPLOAD_SECONDS": "600"}
    with served(checkpoint, tmp_path / "log", **settings) as service:
        with full(service):
            told = ask(service.address, pictures)
        metrics = httpx.get(f"{service.address}/metrics", timeout=60).text
    said = ["503", "Too many pictures are waiting: ask again soon."]
    refused = [answer for client in CLIENTS for answer in told[client].values() if answer == said]
    assert len(refused) == len(WAYS) + len(CLIENTS), told  # each way, and a picture that is broken
    assert f'glassbot_requests_total{{method="POST",route="{INFER}",status="503"}} {len(refused)}.0' in metrics
