"""Faults that the service survives, on a real process with real sockets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.app.inference import corpus
from tests.app.server import Running, served

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BARE = {"GLASSBOT_CACHE_OUTPUTS": "0", "GLASSBOT_CACHE_PICTURES": "0"}


def client(running: Running) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=running.address, limits=limits, timeout=60)


async def metric(http: httpx.AsyncClient, name: str) -> float:
    text = (await http.get("/metrics")).text
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


async def until_quiet(http: httpx.AsyncClient) -> None:
    """Until nobody is inside; fails after a minute."""
    async with asyncio.timeout(60):
        while await metric(http, "glassbot_in_flight"):
            await asyncio.sleep(0.05)


async def all_is_well(http: httpx.AsyncClient) -> None:
    for number in range(5):
        assert (await http.post("/predict", content=corpus.jpeg(64, 64, seed=900 + number))).status_code == 200


async def test_a_flood_of_five_times_what_has_room_is_shed_and_forgotten(checkpoint_file: Path, tmp_path: Path) -> None:
    with served(checkpoint_file, tmp_path / "log", **BARE) as running:
        async with client(running) as http:
            flood = 5 * int(await metric(http, "glassbot_capacity"))
            bodies = [corpus.jpeg(640, 480, seed=number) for number in range(flood)]
            answers = await asyncio.gather(*(http.post("/predict", content=body) for body in bodies))
            codes = Counter(answer.status_code for answer in answers)
            assert set(codes) == {200, 503}
            assert all(int(a.headers["retry-after"]) >= 1 for a in answers if a.status_code == 503)
            await all_is_well(http)
            assert await metric(http, "glassbot_in_flight") == 0


async def test_clients_that_leave_in_the_middle_harm_nobody(checkpoint_file: Path, tmp_path: Path) -> None:
    host, port = "127.0.0.1", 0

    async def leave(body: bytes, after: float) -> None:
        _, writer = await asyncio.open_connection(host, port)
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        await asyncio.sleep(after)
        writer.transport.abort()

    with served(checkpoint_file, tmp_path / "log", GLASSBOT_MAX_WAIT_MS="60000", **BARE) as running:
        port = int(running.address.rsplit(":", 1)[1])
        async with client(running) as http:
            leaving = [leave(corpus.jpeg(640, 480, seed=n), 0.01 * n) for n in range(16)]
            staying = [http.post("/predict", content=corpus.jpeg(640, 480, seed=100 + n)) for n in range(16)]
            answers = await asyncio.gather(*staying, *leaving)
            assert [answer.status_code for answer in answers[:16] if answer is not None] == [200] * 16
            await until_quiet(http)
            await all_is_well(http)


async def test_slow_uploads_are_told_so_and_keep_nobody_out(checkpoint_file: Path, tmp_path: Path) -> None:
    body = corpus.jpeg(640, 480)

    async def trickle() -> AsyncIterator[bytes]:
        for byte in body[:600]:
            yield bytes([byte])
            await asyncio.sleep(0.1)

    with served(checkpoint_file, tmp_path / "log", GLASSBOT_UPLOAD_SECONDS="40", **BARE) as running:
        async with client(running) as http:
            capacity = int(await metric(http, "glassbot_capacity"))
            slow = [asyncio.create_task(http.post("/predict", content=trickle())) for _ in range(capacity)]
            async with asyncio.timeout(25):
                while await metric(http, "glassbot_in_flight") < capacity:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1)  # several times as long as a slow upload keeps its slot
            await all_is_well(http)
            assert await metric(http, "glassbot_in_flight") == capacity
            codes = Counter(answer.status_code for answer in await asyncio.gather(*slow))
            assert codes == {408: capacity}


async def test_an_engine_that_fails_once_is_not_noticed(checkpoint_file: Path, tmp_path: Path) -> None:
    with served(checkpoint_file, tmp_path / "log", program=("tests.app.inference.faulty", "once"), **BARE) as running:
        async with client(running) as http:
            for number in range(6):
                assert (await http.post("/predict", content=corpus.jpeg(64, 64, seed=number))).status_code == 200


async def test_a_picture_that_breaks_its_batch_breaks_nothing_else(checkpoint_file: Path, tmp_path: Path) -> None:
    white = corpus.encode(Image.fromarray(np.full((64, 64, 3), 255, np.uint8)), "PNG")
    bodies = [white if number % 4 == 0 else corpus.jpeg(64, 64, seed=number) for number in range(16)]
    fault = ("tests.app.inference.faulty", "white")
    with served(checkpoint_file, tmp_path / "log", program=fault, GLASSBOT_MAX_WAIT_MS="60000", **BARE) as running:
        async with client(running) as http:
            answers = await asyncio.gather(*(http.post("/predict", content=body) for body in bodies))
            assert [answer.status_code for answer in answers] == [500, 200, 200, 200] * 4
            assert "on purpose" not in answers[0].text
            assert answers[0].json()["type"].endswith("internal-error")
            await all_is_well(http)
