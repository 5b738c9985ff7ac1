"""The service answers for every network that ``ablate`` trains, not only for the one that is shipped."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.main import create_app
from app.settings import Settings
from model import checkpoint
from model.architecture import Architecture
from model.checkpoint import Checkpoint
from tests.app.conftest import serving
from tests.app.http.test_api import JPEG
from tests.tiny import tiny_network

pytestmark = pytest.mark.anyio

JPEG_HEADERS = {"Content-Type": "image/jpeg"}


def reread(folder: Path, **choices: object) -> Checkpoint:
    """A small network that differs from the usual one in some choices, as it comes back from its file."""
    usual = Architecture(outputs=tiny_network(67).architecture.outputs, input_size=99, lrn=None)
    path = folder / "other.safetensors"
    checkpoint.save(path, tiny_network(architecture=replace(usual, **choices)))  # type: ignore[arg-type]
    return checkpoint.load(path)


@pytest.mark.parametrize(
    ("choices", "explained"),
    [
        ({"without": "conv3"}, "conv5"),
        ({"without": "conv4"}, "conv5"),
        ({"without": "conv5"}, "conv4"),
        ({"activation": "tanh"}, "conv5"),
        ({"activation": "sigmoid"}, "conv5"),
    ],
)
async def test_other_networks_answer_everything(choices: dict[str, object], explained: str, tmp_path: Path) -> None:
    network = reread(tmp_path, **choices)
    names = list(network.architecture.activation_names)
    async with serving(create_app(Settings(precision="f32", max_wait_ms=60_000), network)) as client:
        layers = (await client.get("/model")).json()["layers"]
        predicted = await client.post("/predict", content=JPEG, headers=JPEG_HEADERS)
        activations = await client.post("/activations?layers=all", content=JPEG, headers=JPEG_HEADERS)
        explanation = await client.post("/explain?label=kitchen", content=JPEG, headers=JPEG_HEADERS)
        overlay = await client.post("/explain?label=dog", content=JPEG, headers=JPEG_HEADERS | {"Accept": "image/png"})
        absent = await client.post("/activations?layers=conv9", content=JPEG, headers=JPEG_HEADERS)
        page = await client.get("/")
        lessons = await client.get("/learn")
    assert [layer["name"] for layer in layers] == [row.name for row in network.architecture.layers]
    assert predicted.status_code == 200
    assert predicted.json()["caption"]["text"]
    body = activations.content
    header = json.loads(body[8 : 8 + struct.unpack_from("<I", body, 4)[0]])
    assert [layer["name"] for layer in header["layers"]] == names
    row = network.architecture.layer(explained)
    answer = explanation.json()
    assert (explanation.status_code, answer["layer"], len(answer["relevance"])) == (200, explained, row.shape[0])
    assert np.shape(answer["map"]) == row.shape[1:]
    assert Image.open(BytesIO(overlay.content)).size == (99, 99)
    assert absent.json()["detail"].startswith(f"layers is all, or some of {', '.join(names)};")
    assert (page.status_code, lessons.status_code) == (200, 200)


async def test_a_layer_that_was_left_out_is_no_layer(tmp_path: Path) -> None:
    network = reread(tmp_path, without="conv4")
    async with serving(create_app(Settings(precision="f32", max_wait_ms=60_000), network)) as client:
        answer = await client.post("/activations?layers=conv4", content=JPEG, headers=JPEG_HEADERS)
    assert answer.status_code == 422
    assert "'conv4' is none of them" in answer.json()["detail"]
