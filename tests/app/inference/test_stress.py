from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.http.site_files import web_root
from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint
from tests.app.conftest import STARTS_WITHIN_S, FakeEngine, serving, until
from tests.app.http.test_api import is_problem, post
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio


def service(network: Checkpoint, engine: FakeEngine, **chosen: float) -> FastAPI:
    settings = Settings.model_validate({"cache_outputs": 0, **chosen})
    return create_app(settings, network, create_engine=engine.create)


async def test_a_flood_is_answered_503_and_then_all_is_well_again(network: Checkpoint, engine: FakeEngine) -> None:
    async with serving(service(network, engine, max_in_flight=4)) as client:
        engine.gate.clear()
        flood = [asyncio.create_task(post(client, corpus.jpeg(32, 32, seed=i))) for i in range(20)]
        await until(lambda: sum(task.done() for task in flood) == 16)
        engine.gate.set()
        answers = await asyncio.gather(*flood)
        codes = [answer.status_code for answer in answers]
        assert codes.count(200) == 4
        assert codes.count(503) == 16
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert is_problem(refused, 503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await post(client)).status_code == 200


async def test_an_answer_that_takes_too_long_is_504(network: Checkpoint, engine: FakeEngine) -> None:
    app = service(network, engine, deadline_seconds=2)
    async with serving(app) as client:
        engine.gate.clear()
        assert is_problem(await post(client), 504, "deadline-exceeded")
        engine.gate.set()
        app.state.predictor._deadline_s = STARTS_WITHIN_S  # as long as a busy machine may take
        assert (await post(client)).status_code == 200


async def test_an_engine_that_fails_once_is_not_noticed(network: Checkpoint, engine: FakeEngine) -> None:
    async with serving(service(network, engine)) as client:
        engine.faults = [RuntimeError("hiccup")]
        assert (await post(client)).status_code == 200


async def test_an_engine_that_keeps_failing_is_a_500_that_tells_no_secrets(
    network: Checkpoint, engine: FakeEngine
) -> None:
    async with serving(service(network, engine)) as client:
        engine.faults = [RuntimeError("secret"), RuntimeError("secret")]
        answer = await post(client)
        assert is_problem(answer, 500, "internal-error")
        assert "secret" not in answer.text
        assert "content-security-policy" in answer.headers
        assert (await post(client)).status_code == 200


async def test_a_slow_upload_is_408(network: Checkpoint, engine: FakeEngine) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"\xff\xd8"
        await asyncio.sleep(60)

    async with serving(service(network, engine, upload_seconds=0.1)) as client:
        answer = await client.post("/predict", content=slow(), headers={"Content-Type": "image/jpeg"})
        assert is_problem(answer, 408, "slow-upload")


async def test_nothing_is_ready_before_a_forward_pass_and_while_draining(
    network: Checkpoint, engine: FakeEngine
) -> None:
    engine.gate.clear()
    app = service(network, engine)
    async with serving(app, wait=False) as client:
        assert (await client.get("/livez")).status_code == 200
        assert is_problem(await client.get("/readyz"), 503, "not-ready")
        early = await post(client)
        assert is_problem(early, 503, "not-ready")
        assert "retry-after" in early.headers
        page = await client.get("/")  # comes without its worked answer
        assert page.status_code == 200
        assert 'class="worked"' not in page.text
        engine.gate.set()
        await until(lambda: app.state.host.ready)
        assert 'class="worked"' in (await client.get("/")).text
        assert engine.batches
        assert (await client.get("/readyz")).status_code == 200
        app.state.host.drain()
        assert is_problem(await client.get("/readyz"), 503, "not-ready")
        last = await post(client)
        assert last.status_code == 200
        assert last.headers["connection"] == "close"


async def test_a_client_that_leaves_is_dropped_before_it_costs_a_forward_pass(
    network: Checkpoint, engine: FakeEngine
) -> None:
    app = service(network, engine, max_batch=1)
    async with serving(app) as client:
        warm = len(engine.batches)
        engine.gate.clear()
        first = asyncio.create_task(post(client, corpus.jpeg(32, 32, seed=1)))
        await until(lambda: len(engine.batches) > warm)
        stays = asyncio.create_task(post(client, corpus.jpeg(32, 32, seed=3)))
        assert await leave(app, corpus.jpeg(32, 32, seed=2), after=0.1) == []
        engine.gate.set()
        assert (await first).status_code == 200
        assert (await stays).status_code == 200
        assert len(engine.batches) == warm + 2
        assert app.state.host.admission.in_memory == 0


async def leave(app: FastAPI, body: bytes, *, after: float) -> list[object]:
    """Speak ASGI to the application as a client that sends all and then hangs up; what was sent to it."""
    sent: list[object] = []
    arrived = False

    async def receive() -> dict[str, object]:
        nonlocal arrived
        if not arrived:
            arrived = True
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.sleep(after)
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", b"image/jpeg")],
        "client": None,
        "server": None,
    }
    await app(scope, receive, send)
    return sent


async def test_an_engine_that_does_not_start_is_told(network: Checkpoint, engine: FakeEngine) -> None:
    engine.faults = [RuntimeError("no such chip")]
    app = service(network, engine)
    async with serving(app, wait=False) as client:
        await until(lambda: app.state.host.failure is not None)
        assert (await client.get("/readyz")).status_code == 503


async def test_pages_work_below_a_prefix(network: Checkpoint, engine: FakeEngine) -> None:
    app = service(network, engine)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, root_path="/glass")
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            assert (await client.get("/glass/livez")).status_code == 200
            some = next((web_root() / "static").rglob("*.css")).relative_to(web_root() / "static")
            assert (await client.get(f"/glass/static/{some}")).status_code == 200
