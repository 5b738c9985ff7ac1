"""Many requests, one after another and together: nothing is lost and memory stays as it was."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import httpx
import pytest

from model.checkpoint import PRETRAINED
from tests.app.inference import corpus
from tests.app.server import resident, served
from tests.tiny import tiny_checkpoint

pytestmark = pytest.mark.slow

REQUESTS = int(os.environ.get("GLASSBOT_REQUESTS", "2000"))
FILES = int(os.environ.get("GLASSBOT_FILES", "400"))
GROWTH = 30_000_000  # bytes that allocators and caches may still settle by
MOST = 600_000_000


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that costs little: most of 100,000 requests would be spent in the engine, which keeps nothing."""
    return tiny_checkpoint(tmp_path_factory.mktemp("net") / "quick.safetensors", input_size=67)


@pytest.mark.anyio
async def test_memory_is_flat_over_many_requests(quick: Path, tmp_path: Path) -> None:
    before, after = await held(quick, tmp_path / "log", REQUESTS)
    print(f"{REQUESTS} requests: {before / 1e6:.0f} MB after a quarter, {after / 1e6:.0f} MB at the end")
    assert after - before < GROWTH


@pytest.mark.soak
@pytest.mark.anyio
async def test_the_shipped_network_takes_little_memory_and_no_more_with_time(tmp_path: Path) -> None:
    before, after = await held(PRETRAINED, tmp_path / "log", min(REQUESTS, 4000))
    assert after - before < GROWTH
    assert after < MOST


async def held(network: Path, log: Path, requests: int) -> tuple[int, int]:
    """Bytes that the service holds after a quarter of the requests, and after all; each is answered 200."""
    pictures = [corpus.jpeg(320 + 8 * n, 240, seed=n) for n in range(64)]
    numbers = count()
    with served(network, log) as running:

        async def ask(until: int, http: httpx.AsyncClient) -> None:
            while (number := next(numbers)) < until:
                # The last bytes of a JPEG are not looked at, but no two bodies are the same to a cache.
                body = pictures[number % len(pictures)] + number.to_bytes(4, "big")
                answer = await http.post("/predict", content=body)
                assert answer.status_code == 200, answer.text

        async def ask_all(until: int) -> None:
            async with httpx.AsyncClient(base_url=running.address, timeout=60) as http:
                await asyncio.gather(*(ask(until, http) for _ in range(8)))

        await ask_all(requests // 4)
        before = running.resident()
        await ask_all(requests)
        return before, running.resident()


def test_memory_is_flat_over_many_files(quick: Path, tmp_path: Path) -> None:
    pictures, out = [corpus.jpeg(320 + 8 * n, 240, seed=n) for n in range(64)], tmp_path / "captions.jsonl"
    (tmp_path / "photos").mkdir()
    for number in range(FILES):
        body = pictures[number % len(pictures)] + number.to_bytes(4, "big")
        (tmp_path / "photos" / f"{number:05}.jpg").write_bytes(body)
    command = [
        sys.executable,
        "-m",
        "app",
        "caption",
        str(tmp_path / "photos"),
        "--checkpoint",
        str(quick),
        "--out",
        str(out),
        "--quiet",
    ]
    held: list[tuple[int, int]] = []  # lines written, bytes of memory
    with subprocess.Popen(command) as process:
        ends = time.monotonic() + 600
        while process.poll() is None:
            if time.monotonic() > ends:
                process.kill()
            held.append((out.read_bytes().count(b"\n") if out.exists() else 0, resident(process.pid)))
            time.sleep(0.05)  # a quick machine is through with all of them in a second
    assert process.returncode == 0
    assert out.read_bytes().count(b"\n") == FILES
    quarter = next(place for place, (lines, _) in enumerate(held) if lines >= FILES // 4)
    early = max(memory for _, memory in held[: quarter + 1])
    late = max(memory for _, memory in held)
    print(f"{FILES} files: at most {early / 1e6:.0f} MB in the first quarter, {late / 1e6:.0f} MB in all")
    assert late - early < GROWTH
