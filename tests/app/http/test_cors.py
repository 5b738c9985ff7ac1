from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint
from tests.app.conftest import FakeEngine, serving
from tests.app.http.test_api import is_problem, post

pytestmark = pytest.mark.anyio

HERE = "https://friend.example"
ASK = {
    "Origin": HERE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, x-api-key, x-request-id",
}


@pytest.fixture
async def shared(network: Checkpoint, engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    chosen = {"cors_origins": f"{HERE}, https://other.example", "api_keys": "k", "max_body_mb": 0.1}
    async with serving(create_app(Settings.model_validate(chosen), network, create_engine=engine.create)) as client:
        client.headers.update({"X-API-Key": "k", "Origin": HERE})
        yield client


def is_shared(answer: httpx.Response, origin: str = HERE) -> bool:
    exposed = {name.strip() for name in answer.headers.get("access-control-expose-headers", "").split(",")}
    assert {"X-Request-ID", "Retry-After"} <= exposed
    assert "Origin" in answer.headers["vary"]
    return bool(answer.headers.get("access-control-allow-origin") == origin)


async def test_off_nothing_is_said_of_origins(client: httpx.AsyncClient) -> None:
    answer = await client.get("/model", headers={"Origin": HERE})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert is_problem(await client.options("/predict", headers=ASK), 405, "method-not-allowed")


async def test_every_answer_may_be_read_by_the_origins_that_were_named(shared: httpx.AsyncClient) -> None:
    for path in ("/model", "/model/filters.png", "/livez", "/openapi.json", "/static/js/see.js", "/nowhere", "/"):
        assert is_shared(await shared.get(path)), path
    tag = (await shared.get("/model")).headers["etag"]
    unchanged = await shared.get("/model", headers={"If-None-Match": tag})
    assert unchanged.status_code == 304
    assert is_shared(unchanged)
    assert is_shared(await post(shared))


async def test_every_problem_may_be_read_too(shared: httpx.AsyncClient, engine: FakeEngine) -> None:
    for answer, status in (
        (await post(shared, headers={"X-API-Key": "wrong"}), 401),
        (await shared.get("/predict"), 405),
        (await post(shared, bytes(200_000)), 413),
        (await post(shared, b"text"), 415),
        (await post(shared, path="/predict?top_k=0"), 422),
    ):
        assert answer.status_code == status
        assert is_shared(answer), status
    engine.faults = [RuntimeError("broken"), RuntimeError("broken")]
    unforeseen = await post(shared)
    assert is_problem(unforeseen, 500, "internal-error")
    assert is_shared(unforeseen)


async def test_a_page_elsewhere_can_read_when_to_ask_again(network: Checkpoint, engine: FakeEngine) -> None:
    engine.gate.clear()
    settings = Settings.model_validate({"cors_origins": HERE})
    async with serving(create_app(settings, network, create_engine=engine.create), wait=False) as client:
        early = await post(client, headers={"Origin": HERE})
        assert is_problem(early, 503, "not-ready")
        assert is_shared(early)
        assert "retry-after" in early.headers
        engine.gate.set()


async def test_a_preflight_tells_what_may_be_sent(shared: httpx.AsyncClient) -> None:
    answer = await shared.options("/predict", headers=ASK)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == HERE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "X-API-Key" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert len(answer.headers["x-request-id"]) == 32


async def test_a_preflight_lets_traces_and_binary_tensors_through(shared: httpx.AsyncClient) -> None:
    wanted = {"Access-Control-Request-Headers": "inference-header-content-length, traceparent, tracestate"}
    assert (await shared.options("/v2/models/glassbot/infer", headers=ASK | wanted)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"Origin": "https://friend.example.evil"},
        {"Access-Control-Request-Method": "DELETE"},
        {"Access-Control-Request-Headers": "x-secret"},
    ],
)
async def test_a_preflight_that_asks_too_much_is_a_problem(shared: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    answer = await shared.options("/predict", headers=ASK | wrong)
    assert is_problem(answer, 403, "cross-origin")
    assert "Origin" in answer.headers["vary"]


async def test_strangers_get_no_leave_and_a_star_gives_it_to_all(
    network: Checkpoint, engine: FakeEngine, shared: httpx.AsyncClient
) -> None:
    stranger = {"Origin": "https://stranger.example"}
    assert "access-control-allow-origin" not in (await shared.get("/model", headers=stranger)).headers
    settings = Settings.model_validate({"cors_origins": "*"})
    async with serving(create_app(settings, network, create_engine=engine.create)) as client:
        assert is_shared(await client.get("/model", headers=stranger), "*")
