"""One service in this process, on a seeded random network, for all tests that only ask it questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray

from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.engines import Output
from tests.app.server import Running, served
from tests.tiny import tiny_checkpoint, tiny_network


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def network() -> Checkpoint:
    return tiny_network()


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors")


@pytest.fixture(scope="session")
def running_server(checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """``glassbot serve`` in a process of its own, as it comes, on :func:`checkpoint_file`."""
    with served(checkpoint_file, tmp_path_factory.mktemp("server") / "log") as running:
        yield running


@asynccontextmanager
async def serving(app: FastAPI, *, wait: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application within its lifespan, once it is ready."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://glassbot") as client:
            async with asyncio.timeout(60):
                while wait and (await client.get("/readyz")).status_code != 200:
                    assert app.state.predictor.failure is None
                    await asyncio.sleep(0.02)
            yield client


@pytest.fixture(scope="session")
async def client(network: Checkpoint, anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    assert anyio_backend == "asyncio"
    async with serving(create_app(Settings(precision="f32", max_wait_ms=60_000), network)) as client:
        yield client


class FakeEngine:
    """Answers at once, slowly, or not at all, as its attributes say."""

    name = "fake"

    def __init__(self, network: Checkpoint) -> None:
        self.architecture = network.architecture
        self.seconds = 0.0
        self.faults: list[Exception] = []
        self.batches: list[int] = []

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        sleep(self.seconds)
        self.batches.append(len(pictures))
        if self.faults:
            raise self.faults.pop()
        number = len(pictures)
        logits = np.tile(np.arange(self.architecture.outputs, dtype=np.float32), (number, 1))
        return Output(
            logits, {name: np.zeros((number, *self.architecture.layer(name).shape), np.float32) for name in maps}
        )


@pytest.fixture
def engine(network: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Services made in this test run on it."""
    fake = FakeEngine(network)

    def create(*_: Any, **__: Any) -> FakeEngine:
        return fake

    monkeypatch.setattr("app.inference.predictor.create_engine", create)
    return fake
