from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint
from tests.app.conftest import FakeEngine, serving
from tests.app.http.test_api import JPEG, RAW, is_problem, post
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio

KEYS = "first-key, second-key"
PICTURES = (
    "/predict",
    "/explain?label=dog",
    "/activations",
    "/square",
    "/connections?label=dog",
    "/cell?layer=fc7&channel=0",
    "/occlusion?label=dog&cells=2",
)
OPEN = ("/", "/docs", "/openapi.json", "/livez", "/readyz", "/metrics", "/model", "/model/filters.png")


@pytest.fixture
async def locked(network: Checkpoint, engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings.model_validate({"api_keys": KEYS})
    async with serving(create_app(settings, network, create_engine=engine.create)) as client:
        yield client


async def test_pictures_are_answered_only_with_one_of_the_keys(locked: httpx.AsyncClient) -> None:
    for path in (*PICTURES, "/predict/batch"):
        for headers in ({}, *({"X-API-Key": key} for key in ("", "first-ke", "first-key, second-key", "schl\xfcssel"))):
            sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
            answer = await locked.post(path, files={"file": JPEG}, headers=sent)
            assert is_problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == 'ApiKey realm="glassbot"'
        for key in ("first-key", "second-key"):
            answer = await locked.post(path, files={"file": JPEG}, headers={"X-API-Key": key})
            assert answer.status_code == 200


async def test_without_a_key_no_byte_of_the_body_is_read_and_no_parameter_looked_at(locked: httpx.AsyncClient) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        sent += 1
        yield JPEG

    for path in (*PICTURES, "/predict?top_k=0", "/"):
        assert (await locked.post(path, content=body(), headers=RAW)).status_code == 401
    assert sent == 0


async def test_all_else_stays_open(locked: httpx.AsyncClient) -> None:
    assert {path: (await locked.get(path)).status_code for path in OPEN} == dict.fromkeys(OPEN, 200)


async def test_without_keys_every_key_will_do(client: httpx.AsyncClient) -> None:
    assert (await post(client, headers={"X-API-Key": "whatever"})).status_code == 200


async def test_each_key_is_compared_in_constant_time_whichever_fits(
    locked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[Any, Any]] = []

    def watched(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr("app.http.api_keys.compare_digest", watched)
    await post(locked, headers={"X-API-Key": "first-key"})
    assert compared == [(b"first-key", b"first-key"), (b"first-key", b"second-key")]


async def test_no_key_is_logged_or_answered(locked: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = await post(locked, headers={"X-API-Key": "guessed-key"})
    right = await post(locked, headers={"X-API-Key": "first-key"})
    said = caplog.text + wrong.text + right.text + str(wrong.headers) + str(right.headers)
    assert "answered" in caplog.text
    assert not any(key in said for key in ("guessed-key", "first-key", "second-key"))


async def test_the_page_asks_for_the_key_only_where_one_is_needed(
    locked: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    asking, plain = (await locked.get("/")).text, (await client.get("/")).text
    assert 'type="password"' in asking
    assert "without scripts this page cannot send one" in asking
    assert 'id="plain"' not in asking
    assert "API key" not in plain
    assert 'id="plain"' in plain


async def test_the_form_without_scripts_says_that_a_key_is_needed(locked: httpx.AsyncClient) -> None:
    answer = await locked.post("/", files={"file": ("a.jpg", corpus.jpeg())})
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    assert answer.headers["content-type"].startswith("text/html")
    assert "An API key is needed." in answer.text
