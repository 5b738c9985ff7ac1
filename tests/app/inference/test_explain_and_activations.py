from __future__ import annotations

import gzip
import json
import struct
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image

from app.inference.images import Limits, PixelBudget, decode_image
from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.engines import create_engine
from tests.app.http.test_api import JPEG, RAW, post

pytestmark = pytest.mark.anyio


async def test_an_explanation_is_a_map_of_shares(client: httpx.AsyncClient) -> None:
    for method in ("gradcam", "hirescam", "layercam"):
        answer = (await post(client, path=f"/explain?label=dog&vocabulary=word&method={method}")).json()
        assert len(answer["relevance"]) == 256
        cells = np.array(answer["map"])
        assert cells.shape == (13, 13)
        assert cells.min() >= 0
        assert cells.max() == (1 if answer["maximum"] > 0 else 0)
        assert (answer["label"], answer["vocabulary"], answer["layer"]) == ("dog", "word", "conv5")
        assert answer["image"] == {"width": 320, "height": 240}


async def test_an_explanation_can_be_a_picture(client: httpx.AsyncClient) -> None:
    answer = await post(client, path="/explain?label=dog", headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(answer.content)).size == (227, 227)


@pytest.mark.parametrize("squeezed", [True, False])
async def test_activations_can_be_read_back(client: httpx.AsyncClient, network: Checkpoint, squeezed: bool) -> None:
    answer = await post(client, path="/activations", headers={"Accept-Encoding": "gzip" if squeezed else "identity"})
    assert answer.headers.get("content-encoding") == ("gzip" if squeezed else None)
    body = answer.content
    assert body[:4] == b"GBA1"
    length = struct.unpack_from("<I", body, 4)[0]
    assert length % 4 == 0
    header = json.loads(body[8 : 8 + length])
    names = network.architecture.activation_names
    assert [layer["name"] for layer in header["layers"]] == list(names)
    image = decode_image(JPEG, Architecture(), limits=Limits(), budget=PixelBudget(10**9))
    maps = create_engine(network, precision="f32").run(image.pixels[None], maps=names).maps
    at = 8 + length
    for layer in header["layers"]:
        channels, height, width = layer["shape"]
        assert layer["offset"] == at
        maxima = np.frombuffer(body, "<f4", channels, at)
        cells = np.frombuffer(body, np.uint8, channels * height * width, at + 4 * channels).reshape(layer["shape"])
        true = maps[layer["name"]][0].reshape(layer["shape"])
        assert np.abs(cells * (maxima[:, None, None] / 255) - true).max() <= maxima.max() / 255
        at += 4 * channels + cells.size + -cells.size % 4
    assert at == len(body)


async def test_only_the_layers_asked_for_come(client: httpx.AsyncClient) -> None:
    body = (await post(client, path="/activations?layers=conv5,conv1")).content
    header = json.loads(body[8 : 8 + struct.unpack_from("<I", body, 4)[0]])
    assert [layer["name"] for layer in header["layers"]] == ["conv5", "conv1"]


async def test_gzip_is_sent_only_where_it_is_wanted(client: httpx.AsyncClient) -> None:
    async with client.stream("POST", "/activations", content=JPEG, headers=RAW | {"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert gzip.decompress(raw).startswith(b"GBA1")
    refused = await post(client, path="/activations", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
