"""Many requests, one after another and together: nothing is lost and memory stays as it was."""

from __future__ import annotations

import asyncio
import os
from itertools import count
from pathlib import Path

import httpx
import pytest

from model.checkpoint import PRETRAINED
from tests.app import corpus
from tests.app.server import served

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

REQUESTS = int(os.environ.get("GLASSBOT_REQUESTS", "2000"))
GROWTH = 30_000_000  # bytes that allocators and caches may still settle by
MOST = 600_000_000


async def test_memory_is_flat_over_many_requests(tmp_path: Path) -> None:
    pictures = [corpus.jpeg(320 + 8 * n, 240, seed=n) for n in range(64)]
    numbers = count()
    with served(PRETRAINED, tmp_path / "log") as running:

        async def ask(until: int, http: httpx.AsyncClient) -> None:
            while (number := next(numbers)) < until:
                # The last bytes of a JPEG are not looked at, but no two bodies are the same to a cache.
                body = pictures[number % len(pictures)] + number.to_bytes(4, "big")
                answer = await http.post("/predict", content=body)
                assert answer.status_code == 200, answer.text

        async def ask_all(until: int) -> None:
            async with httpx.AsyncClient(base_url=running.address, timeout=60) as http:
                await asyncio.gather(*(ask(until, http) for _ in range(8)))

        await ask_all(REQUESTS // 4)
        before = running.resident()
        await ask_all(REQUESTS)
        after = running.resident()
    print(f"{REQUESTS} requests: {before / 1e6:.0f} MB after a quarter, {after / 1e6:.0f} MB at the end")
    assert after - before < GROWTH
    assert after < MOST
