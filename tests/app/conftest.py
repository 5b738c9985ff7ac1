"""One service in this process, on a seeded random network, for all tests that only ask it questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

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
from tests.tiny import tiny_cards, tiny_checkpoint, tiny_network

STARTS_WITHIN_S = 60
"""Far more seconds than any engine needs to start or to run, even on a busy machine."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def network() -> Checkpoint:
    return tiny_network()


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors")
    tiny_cards(path)
    return path


@pytest.fixture(scope="session")
def running_server(checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """``glassbot serve`` in a process of its own, as it comes, on :func:`checkpoint_file`."""
    with served(checkpoint_file, tmp_path_factory.mktemp("server") / "log") as running:
        yield running


@asynccontextmanager
async def serving(app: FastAPI, *, wait: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application within its lifespan, once it is ready; at once where it shall not ``wait``."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://glassbot") as client:
            if wait:
                await asyncio.wait_for(app.state.host.started(), STARTS_WITHIN_S)
                assert app.state.host.failure is None
                assert (await client.get("/readyz")).status_code == 200
            yield client


async def until(holds: Callable[[], bool]) -> None:
    """Return once it holds. Raises TimeoutError."""
    async with asyncio.timeout(STARTS_WITHIN_S):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.fixture(scope="session")
async def client(network: Checkpoint, anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    assert anyio_backend == "asyncio"
    patient = Settings(precision="f32", max_wait_ms=60_000, deadline_seconds=STARTS_WITHIN_S)
    async with serving(create_app(patient, network)) as client:
        yield client


class FakeEngine:
    """Answers at once, or once its gate is open, or not at all; a service runs on it by ``create``."""

    name = "fake"

    def __init__(self, network: Checkpoint) -> None:
        self.architecture = network.architecture
        self.gate = Event()
        """Runs wait while it is cleared, so that no test depends on how long anything takes."""
        self.gate.set()
        self.faults: list[Exception] = []
        """Raised by the next runs, the last one first."""
        self.batches: list[int] = []
        """The number of pictures of each run so far, those included that wait at the gate."""

    def create(self, checkpoint: Checkpoint, /, *, engine: str, precision: str, threads: int) -> FakeEngine:
        """In the place of :func:`model.engines.create_engine`."""
        assert checkpoint.architecture == self.architecture
        assert (engine, precision, threads) == ("auto", "auto", 0)
        return self

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        self.batches.append(len(pictures))
        assert self.gate.wait(STARTS_WITHIN_S)
        if self.faults:
            raise self.faults.pop()
        number = len(pictures)
        logits = np.tile(np.arange(self.architecture.outputs, dtype=np.float32), (number, 1))
        return Output(
            logits, {name: np.zeros((number, *self.architecture.layer(name).shape), np.float32) for name in maps}
        )


@pytest.fixture
def engine(network: Checkpoint) -> FakeEngine:
    """A new one for each test."""
    return FakeEngine(network)
