"""What fed an answer, and how one number came about, as the service tells it."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import httpx
import numpy as np
import pytest

from app.inference.images import Limits, PixelBudget, decode_image
from app.main import create_app
from app.settings import Settings
from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.contributions import connect
from model.engines import Output, create_engine
from tests.app.conftest import FakeEngine, serving
from tests.app.http.test_api import JPEG, is_problem, post

pytestmark = pytest.mark.anyio

NAME = hashlib.sha256(JPEG).hexdigest()
PIXELS = decode_image(JPEG, Architecture(), limits=Limits(), budget=PixelBudget(10**9)).pixels


@pytest.fixture(scope="module")
def seen(network: Checkpoint) -> Output:
    engine = create_engine(network, engine="openvino", precision="f32")
    return engine.run(PIXELS[None], maps=network.architecture.activation_names)


async def cell(client: httpx.AsyncClient, **query: object) -> dict[str, Any]:
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await post(client, path=f"/cell?{parameters}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_connections_are_those_of_the_network(
    client: httpx.AsyncClient, network: Checkpoint, seen: Output
) -> None:
    answer = (await post(client, path="/connections?label=n02123045&vocabulary=object&per_layer=4")).json()
    assert answer["image"] == {"sha256": NAME, "width": 320, "height": 240}
    assert (answer["label"]["id"], answer["label"]["vocabulary"]) == ("n02123045", "object")
    logits = seen.logits[0]
    assert answer["logit"] == pytest.approx(logits[1], abs=1e-4)
    exp = np.exp(logits[:6])
    assert answer["probability"] == pytest.approx(exp[1] / exp.sum(), abs=1e-4)
    names = [layer["name"] for layer in answer["layers"]]
    assert names == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
    assert [layer["shape"] for layer in answer["layers"]][::7] == [[96, 55, 55], [18]]
    expected = connect({name: maps[0] for name, maps in seen.maps.items()}, logits, network, 1, per_layer=4)
    for layer, column in zip(answer["layers"], expected.columns, strict=True):
        assert [c["channel"] for c in layer["channels"]] == [channel.number for channel in column.channels]
        values = [(channel.relevance, channel.maximum) for channel in column.channels]
        told = [(channel["relevance"], channel["maximum"]) for channel in layer["channels"]]
        np.testing.assert_allclose(told, values, atol=1e-4)
        assert layer["shown_share"] == pytest.approx(column.share, abs=1e-4)
    edges = {(*edge["from"], *edge["to"]): edge["weight"] for edge in answer["edges"]}
    assert edges == pytest.approx({(*e.source, *e.target): e.weight for e in expected.edges}, abs=1e-4)
    assert answer["layers"][-1]["channels"][0]["channel"] == 1


async def test_connections_are_of_one_label(client: httpx.AsyncClient) -> None:
    word = (await post(client, path="/connections?label=dog&vocabulary=word")).json()
    assert word["label"] == {"id": "dog", "label": "dog", "vocabulary": "word"}
    assert word["probability"] == pytest.approx(1 / (1 + math.exp(-word["logit"])), abs=1e-4)
    assert all(len(layer["channels"]) == 10 for layer in word["layers"][:-1])
    assert is_problem(await post(client, path="/connections?label=unicorn"), 422, "unknown-label")
    assert is_problem(await post(client, path="/connections?label=dog&vocabulary=scene"), 422, "unknown-label")
    for wrong in ("", "?label=dog&per_layer=0", "?label=dog&per_layer=33"):
        assert is_problem(await post(client, path=f"/connections{wrong}"), 422, "invalid-request")


async def test_a_cell_of_a_convolution_is_spelled_out(client: httpx.AsyncClient, seen: Output) -> None:
    answer = await cell(client, layer="conv3", channel=7, row=0, column=12)
    assert (answer["layer"], answer["channel"], answer["row"], answer["column"]) == ("conv3", 7, 0, 12)
    assert (answer["operation"], answer["activation"], answer["after"]) == ("convolution", "relu", [])
    assert answer["input"] == {"layer": "pool2", "shape": [256, 13, 13]}
    assert answer["window"] == {"top": -1, "left": 11, "height": 3, "width": 3}
    assert answer["patch"] == {"x": 160, "y": -32, "size": 99}
    assert len(answer["terms"]) == 12
    pool2 = np.pad(seen.maps["pool2"][0], ((0, 0), (1, 1), (1, 1)))
    for term in answer["terms"]:
        np.testing.assert_allclose(term["inputs"], pool2[term["channel"], :3, 12:15], atol=1e-4)
        assert term["sum"] == pytest.approx((np.array(term["inputs"]) * term["weights"]).sum(), abs=1e-4)
    total = sum(term["sum"] for term in answer["terms"]) + answer["others"]["sum"] + answer["bias"]
    assert answer["others"]["count"] == 244
    assert answer["sum"] == pytest.approx(total, abs=1e-4)
    assert answer["value"] == max(answer["sum"], 0)
    assert answer["value"] == pytest.approx(seen.maps["conv3"][0, 7, 0, 12], abs=1e-4)
    assert answer["kept"] == pytest.approx(seen.maps["conv3"][0, 7, 0, 12], abs=1e-4)
    assert answer["softmax"] is answer["sigmoid"] is None


async def test_a_cell_of_conv1_reads_the_photo_and_goes_on_to_pooling(
    client: httpx.AsyncClient, seen: Output, network: Checkpoint
) -> None:
    answer = await cell(client, layer="conv1", channel=5, row=20, column=30)
    assert answer["input"] == {"layer": "photo", "shape": [3, 227, 227]}
    assert answer["window"] == {"top": 80, "left": 120, "height": 11, "width": 11}
    assert answer["patch"] == {"x": 120, "y": 80, "size": 11}
    assert {term["channel"] for term in answer["terms"]} == {0, 1, 2}
    red = next(term for term in answer["terms"] if term["channel"] == 0)
    preprocessing = network.preprocessing
    expected = (PIXELS[80:91, 120:131, 0].astype(float) - preprocessing.mean[0]) * preprocessing.scale
    np.testing.assert_allclose(red["inputs"], expected, atol=1e-4)
    assert answer["others"] == {"count": 0, "sum": 0}
    (pool,) = answer["after"]
    assert pool["step"] == "pool"
    assert pool["value"] == pytest.approx(seen.maps["pool1"][0, 5, pool["row"], pool["column"]], abs=1e-4)
    assert np.max(pool["window"]) == pool["value"]


async def test_a_unit_reads_cells_or_units(client: httpx.AsyncClient, seen: Output) -> None:
    answer = await cell(client, layer="fc6", channel=4095)
    assert answer["window"] is None
    assert answer["patch"] == {"x": 0, "y": 0, "size": 227}
    for term in answer["terms"]:
        place = term["cell"]
        pool5 = seen.maps["pool5"][0, place["channel"], place["row"], place["column"]]
        assert term["input"] == pytest.approx(pool5, abs=1e-4)
        assert term["product"] == pytest.approx(term["input"] * term["weight"], rel=1e-3)
        assert term["unit"] is None
    assert answer["value"] == pytest.approx(seen.maps["fc6"][0, 4095], abs=1e-4)
    answer = await cell(client, layer="fc7", channel=1, row=0, column=0)
    for term in answer["terms"]:
        assert term["input"] == pytest.approx(seen.maps["fc6"][0, term["unit"]], abs=1e-4)
        assert term["cell"] is None


async def test_a_row_of_fc8_becomes_a_probability(client: httpx.AsyncClient, seen: Output) -> None:
    logits = seen.logits[0]
    answer = await cell(client, layer="fc8", channel=7)
    assert (answer["activation"], answer["sigmoid"]) == (None, None)
    softmax = answer["softmax"]
    assert (softmax["vocabulary"], softmax["temperature"], softmax["bias"]) == ("scene", 1, 0)
    assert softmax["logit"] == pytest.approx(logits[7], abs=1e-4)
    assert softmax["exp"] == pytest.approx(math.exp(softmax["scaled"] - softmax["largest"]), rel=1e-4)
    assert softmax["probability"] == pytest.approx(softmax["exp"] / softmax["total"], rel=1e-4)
    assert [rival["logit"] for rival in softmax["top"]] == pytest.approx(sorted(logits[6:11])[::-1], abs=1e-4)
    answer = await cell(client, layer="fc8", channel=12)
    assert answer["softmax"] is None
    sigmoid = answer["sigmoid"]
    assert sigmoid["exp"] == pytest.approx(math.exp(-logits[12]), rel=1e-3)
    assert sigmoid["probability"] == pytest.approx(1 / sigmoid["total"], rel=1e-4)


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("", "invalid-request"),
        ("layer=conv3", "invalid-request"),
        ("layer=conv3&channel=7", "invalid-request"),
        ("layer=conv3&channel=7&row=4", "invalid-request"),
        ("layer=conv3&channel=-1&row=4&column=5", "invalid-request"),
        ("layer=conv3&channel=7&row=4&column=four", "invalid-request"),
        ("layer=pool1&channel=0&row=0&column=0", "unknown-layer"),
        ("layer=conv9&channel=0&row=0&column=0", "unknown-layer"),
        ("layer=conv3&channel=384&row=0&column=0", "unknown-cell"),
        ("layer=conv3&channel=0&row=13&column=0", "unknown-cell"),
        ("layer=conv3&channel=0&row=0&column=99999999999999999999999", "unknown-cell"),
        ("layer=fc7&channel=4096", "unknown-cell"),
        ("layer=fc7&channel=0&row=1&column=0", "unknown-cell"),
        ("layer=fc8&channel=18", "unknown-cell"),
    ],
)
async def test_a_cell_that_is_not_there_is_a_problem(client: httpx.AsyncClient, query: str, slug: str) -> None:
    assert is_problem(await post(client, path=f"/cell?{query}"), 422, slug)


@pytest.mark.parametrize(
    ("path", "lacks"), [("/connections", "label"), ("/occlusion", "label"), ("/compare", "label"), ("/cell", "layer")]
)
async def test_what_is_missing_is_named_with_where_it_belongs(client: httpx.AsyncClient, path: str, lacks: str) -> None:
    answer = await post(client, path=path)
    assert is_problem(answer, 422, "invalid-request")
    assert answer.json()["detail"] == f"{lacks} is missing: add ?{lacks}=… to the address."


async def test_all_of_it_takes_one_forward_pass(network: Checkpoint, engine: FakeEngine) -> None:
    async with serving(create_app(Settings(), network, create_engine=engine.create)) as client:
        await post(client, path="/activations")
        ran = len(engine.batches)
        for path in (
            "/connections?label=dog",
            "/cell?layer=conv1&channel=0&row=0&column=0",
            "/cell?layer=fc8&channel=0",
        ):
            assert (await client.post(f"{path}&image={NAME}")).status_code == 200
        assert len(engine.batches) == ran
