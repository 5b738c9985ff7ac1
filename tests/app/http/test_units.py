"""The cards of units over REST: a listing, sheets that are kept by version, a card; and a network without any."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app.main import create_app
from app.settings import Settings
from model import checkpoint, unit_cards
from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.unit_cards import LayerCards
from tests.app.conftest import FakeEngine, serving
from tests.tiny import tiny_network

pytestmark = pytest.mark.anyio


def webp(units: int, side: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (16 * side, -(-units // 16) * side), (9, 99, 199)).save(file, "WEBP")
    return file.getvalue()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network's file with cards beside it."""
    path = tmp_path_factory.mktemp("units") / "small.safetensors"
    channels = (8, 8, 8, 8, 8)
    checkpoint.save(
        path, tiny_network(architecture=Architecture(outputs=18, input_size=67, channels=channels, lrn=None))
    )
    name = {
        "id": "n02099601", "vocabulary": "object", "kind": False, "precision": 0.6, "low": 0.5, "high": 0.7, "base": 0.1
    }  # fmt: skip
    effects = {"for": [[2, 0.8]], "against": [[12, -0.3]], "fed_by": [[5, 1.5]]}
    plain = {"synthetic": 3.0, "real": 2.0, "active": 0.5, "dead": False, "name": None, **effects}
    tuning = {"colour": "grey", "colour_share": 0.1, "period": 8, "angle": 45, "selectivity": 0.7}
    conv2 = [{**plain, "tuning": tuning}] * 7 + [{**plain, "name": name, "tuning": None}]
    labels = [{"synthetic": 9.0, "real": 4.0, "fed_by": [[1, 0.2]]}] * 18
    unit_cards.write(
        unit_cards.path_beside(path),
        weights=checkpoint.weights_digest(path),
        layers=[
            (LayerCards(name="conv2", units=8, side=48, seen=51), conv2, webp(8, 48)),
            (LayerCards(name="fc8", units=18, side=64, seen=67), labels, webp(18, 64)),
        ],
        figures={"conv2": {"units": 8, "dead": 0}},
        made={},
    )
    return path


async def service(weights: Path, network: Checkpoint | None = None) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(checkpoint=weights)
    fake = FakeEngine(network or checkpoint.load(weights))
    async with serving(create_app(settings, network, create_engine=fake.create)) as client:
        yield client


@pytest.fixture(scope="module")
async def cards(weights: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for client in service(weights):
        yield client


async def test_what_there_is(cards: httpx.AsyncClient, weights: Path) -> None:
    listing = (await cards.get("/units")).json()
    assert listing["version"] == checkpoint.load(weights).version
    assert [(layer["name"], layer["units"], layer["side"], layer["across"]) for layer in listing["layers"]] == [
        ("conv2", 8, 48, 16),
        ("fc8", 18, 64, 16),
    ]


async def test_a_sheet_is_kept_for_good_where_it_is_asked_for_by_version(cards: httpx.AsyncClient) -> None:
    version = (await cards.get("/units")).json()["version"]
    answer = await cards.get("/units/conv2.webp", params={"v": version})
    assert Image.open(BytesIO(answer.content)).size == (768, 48)
    assert "immutable" in answer.headers["cache-control"]
    other = await cards.get("/units/conv2.webp", params={"v": "older"})
    assert other.headers["cache-control"] == "no-cache"
    again = await cards.get("/units/conv2.webp", headers={"If-None-Match": other.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_card_says_what_the_unit_is_and_does(cards: httpx.AsyncClient) -> None:
    card = (await cards.get("/units/conv2/7")).json()
    assert card["name"]["name"] == "golden retriever"
    assert card["excitation"] == {"synthetic": 3.0, "real": 2.0}
    assert [(one["label"], one["vocabulary"], one["effect"]) for one in card["argues_for"]] == [
        ("espresso", "object", 0.8)
    ]
    assert [(one["id"], one["row"], one["effect"]) for one in card["argues_against"]] == [("dog", 12, -0.3)]
    assert card["fed_by"] == [{"layer": "conv1", "channel": 5, "share": 1.5}]
    assert (await cards.get("/units/conv2/0")).json()["tuning"]["period"] == 8
    label = (await cards.get("/units/fc8/12")).json()
    assert (label["label"], label["vocabulary"], label["name"], label["active"]) == ("dog", "word", None, None)
    assert label["fed_by"][0]["layer"] == "conv5"


@pytest.mark.parametrize("path", ["/units/conv9.webp", "/units/conv9/0", "/units/conv2/8", "/units/fc8/18"])
async def test_what_has_no_card_is_a_problem_of_its_own(cards: httpx.AsyncClient, path: str) -> None:
    answer = await cards.get(path)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:glassbot:problem:unknown-unit"


async def test_a_network_without_cards_says_so_and_serves(client: httpx.AsyncClient) -> None:
    assert (await client.get("/units")).json()["layers"] == []
    assert (await client.get("/units/conv1/0")).status_code == 404


async def test_the_cards_of_another_network_are_passed_over_with_a_line_in_the_log(
    weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "small.safetensors"
    network = checkpoint.load(weights)
    bias = network.weights["conv1.bias"] + 1
    checkpoint.save(other, Checkpoint(**{**vars(network), "weights": {**network.weights, "conv1.bias": bias}}))
    unit_cards.path_beside(other).write_bytes(unit_cards.path_beside(weights).read_bytes())
    with caplog.at_level(logging.WARNING, "glassbot"):
        async for client in service(other):
            assert (await client.get("/units")).json()["layers"] == []
    (line,) = [record for record in caplog.records if record.getMessage() == "no unit cards"]
    assert "belongs to another network" in line.__dict__["facts"]["why"]
