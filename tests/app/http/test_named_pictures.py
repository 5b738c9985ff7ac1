"""A photo is sent once, and named by its SHA-256 from then on."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint
from tests.app.conftest import FakeEngine, serving
from tests.app.http.test_api import JPEG, is_problem, post
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio

NAME = hashlib.sha256(JPEG).hexdigest()
UNKNOWN = "0" * 64
ROUTES = (
    "/predict",
    "/explain?label=dog",
    "/compare?label=dog",
    "/activations",
    "/square",
    "/connections?label=dog",
    "/cell?layer=fc8&channel=3",
    "/occlusion?label=dog&cells=2",
)


def naming(path: str, name: str = NAME) -> str:
    return f"{path}{'&' if '?' in path else '?'}image={name}"


@pytest.mark.parametrize("path", ROUTES)
async def test_a_photo_that_was_sent_can_be_named(client: httpx.AsyncClient, path: str) -> None:
    sent = await post(client, path=path)
    for name in (NAME, NAME.upper()):
        named = await client.post(naming(path, name))
        assert named.status_code == 200
        if sent.headers["content-type"] != "application/json":
            assert named.content == sent.content
            continue
        volatile = {"request_id", "timing_ms"}
        parts = ({k: v for k, v in answer.json().items() if k not in volatile} for answer in (sent, named))
        assert next(parts) == next(parts)


@pytest.mark.parametrize("path", ROUTES)
async def test_a_photo_that_is_not_known_has_to_be_sent(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(naming(path, UNKNOWN))
    assert is_problem(answer, 404, "unknown-image")
    assert answer.json()["detail"] == "This photo is no longer in memory: send it again."


@pytest.mark.parametrize("name", ["", "abc", "g" * 64, NAME + "0", NAME + "%0A", "x" * 5000])
async def test_what_is_no_hash_is_refused_in_one_sentence(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post(naming("/predict", name))
    assert is_problem(answer, 422, "invalid-request")
    assert answer.json()["detail"].startswith("image is the SHA-256 of a photo: 64 hexadecimal digits")


async def test_a_photo_is_sent_or_named_but_not_both(client: httpx.AsyncClient) -> None:
    answers = [await post(client, path=naming("/predict")), await client.post(naming("/predict"), json={"image": ""})]
    answers.append(await client.post(naming("/predict"), files={"file": JPEG}))
    for answer in answers:
        assert is_problem(answer, 422, "invalid-request")
        assert answer.json()["detail"] == "Name a photo by image, or send one as the body, but not both."


async def test_neither_is_an_empty_upload(client: httpx.AsyncClient) -> None:
    assert is_problem(await client.post("/predict"), 422, "empty-body")


async def test_a_named_photo_is_neither_decoded_nor_run_again(
    network: Checkpoint, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(create_app(Settings(), network, create_engine=engine.create)) as client:
        await post(client, path="/activations")
        ran = len(engine.batches)
        monkeypatch.delattr("app.inference.decoders.decode_image")
        for path in ROUTES:
            if "occlusion" not in path:  # which runs other pictures
                assert (await client.post(naming(path))).status_code == 200
        assert len(engine.batches) == ran
        assert (await client.post(naming("/occlusion?label=dog"))).status_code == 200


async def test_the_photo_in_use_outlives_those_of_passers_by(network: Checkpoint, engine: FakeEngine) -> None:
    settings = Settings(cache_pictures=4, cache_outputs=1)
    async with serving(create_app(settings, network, create_engine=engine.create)) as client:
        await post(client)
        for seed in range(20, 32):
            assert (await client.post(naming("/explain?label=dog"))).status_code == 200
            await post(client, corpus.jpeg(48, 40, seed=seed))
        for seed in range(32, 36):
            await post(client, corpus.jpeg(48, 40, seed=seed))
        assert is_problem(await client.post(naming("/square")), 404, "unknown-image")
        assert (await post(client, path="/square")).status_code == 200
        assert (await client.post(naming("/square"))).status_code == 200


async def test_where_nothing_is_kept_every_photo_is_sent(network: Checkpoint, engine: FakeEngine) -> None:
    settings = Settings(cache_pictures=0, cache_outputs=0)
    async with serving(create_app(settings, network, create_engine=engine.create)) as client:
        assert (await post(client)).status_code == 200
        assert is_problem(await client.post(naming("/predict")), 404, "unknown-image")


async def test_a_name_needs_a_key_and_a_place_as_a_photo_does(network: Checkpoint, engine: FakeEngine) -> None:
    settings = Settings.model_validate({"api_keys": "key"})
    app = create_app(settings, network, create_engine=engine.create)
    async with serving(app) as client:
        await post(client, headers={"X-API-Key": "key"})
        assert is_problem(await client.post(naming("/square")), 401, "unauthorized")
        assert is_problem(await client.post(naming("/square", "abc")), 401, "unauthorized")
        assert (await client.post(naming("/square"), headers={"X-API-Key": "key"})).status_code == 200
        app.state.host.admission.capacity = 0
        assert is_problem(await client.post(naming("/square"), headers={"X-API-Key": "key"}), 503, "overloaded")
        app.state.host.admission.capacity = 1
        missing = await client.post(naming("/square", UNKNOWN), headers={"X-API-Key": "key"})
        assert is_problem(missing, 404, "unknown-image")
        assert 'glassbot_rejected_total{reason="unknown-image"} 1.0' in (await client.get("/metrics")).text


async def test_the_form_of_the_page_takes_no_name(client: httpx.AsyncClient) -> None:
    await post(client)
    answer = await client.post(naming("/"), headers={"Accept": "text/html"})
    assert answer.status_code == 422
