"""The same work with no HTTP, in a process of its own: the engine alone, and all of ``POST /predict`` but the request.

The process waits between measurements, so that server and process can take turns.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import numpy as np
import uvloop
from numpy.typing import NDArray

from app.errors import UnavailableError
from app.http import answers
from app.inference.engine_host import EngineHost
from app.inference.images import Limits, PixelBudget, decode_image
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.settings import Settings, read_settings
from benchmarks.engine_alone import pictures_a_second
from model import checkpoint as checkpoints
from model.engines import Engine, create_engine


class InProcess:
    """What the other process can be asked for."""

    def __init__(self, end: Connection) -> None:
        self._end = end

    def hold(self, jpegs: Sequence[bytes]) -> None:
        """The photos to work on. Not an argument of the process: one that dies young would never read them."""
        self._ask("hold", list(jpegs))

    def engine_name(self) -> str:
        """Which engine it is, in which precision."""
        return cast(str, self._ask("engine_name"))

    def answers(self, jpegs: Sequence[bytes]) -> list[dict[str, Any]]:
        """What ``POST /predict`` would say to each."""
        return [json.loads(text) for text in self._ask("answers", list(jpegs))]

    def alone(self, batch: int, callers: int, seconds: float) -> float:
        """Pictures a second through the engine, prepared before; so many threads call it."""
        return cast(float, self._ask("alone", batch, callers, seconds))

    def whole(self, concurrency: int, seconds: float) -> float:
        """Answers a second: decode, prepare, engine, describe, JSON; so many are under way at once."""
        return cast(float, self._ask("whole", concurrency, seconds))

    def _ask(self, *question: Any) -> Any:
        try:
            self._end.send(question)
            return self._end.recv()
        except (EOFError, OSError):
            raise RuntimeError("The in-process side ended; what went wrong stands above.") from None


@contextmanager
def in_process(checkpoint: Path, jpegs: Sequence[bytes]) -> Iterator[InProcess]:
    """The other process, until the block ends."""
    spawn = get_context("spawn")
    end, other = spawn.Pipe()
    process = spawn.Process(target=_start, args=(other, checkpoint), daemon=True)
    process.start()
    other.close()
    try:
        inside = InProcess(end)
        inside.hold(jpegs)
        yield inside
    finally:
        end.close()
        process.join(10)
        process.kill()


def _start(end: Connection, checkpoint: Path) -> None:
    uvloop.run(_answer(end, checkpoint))


async def _answer(end: Connection, checkpoint: Path) -> None:
    """Do what is asked for, until the other end is closed."""
    settings = read_settings(checkpoint=checkpoint, cache_pictures=0, cache_outputs=0)
    metrics = Metrics()
    host = EngineHost(settings, checkpoints.load(checkpoint), metrics, create_engine)
    predictor = Predictor(settings, host, metrics)
    async with predictor.running():
        await host.started()
        if host.failure is not None:
            raise host.failure
        side = _Side(settings, predictor)
        try:
            while True:
                name, *arguments = end.recv()
                work: Callable[..., Awaitable[Any]] = getattr(side, name)
                end.send(await work(*arguments))
        except EOFError:
            return


class _Side:
    """In the other process."""

    _jpegs: list[bytes]
    _pixels: NDArray[np.uint8]

    def __init__(self, settings: Settings, predictor: Predictor) -> None:
        self._predictor = predictor
        self._engine: Engine = create_engine(
            predictor.checkpoint, engine=settings.engine, precision=settings.precision, threads=settings.threads
        )

    async def hold(self, jpegs: list[bytes]) -> None:
        limits, budget = Limits(), PixelBudget(Limits().pixels)
        architecture = self._predictor.checkpoint.architecture
        images = [decode_image(jpeg, architecture, limits=limits, budget=budget) for jpeg in jpegs]
        self._jpegs, self._pixels = jpegs, np.stack([image.pixels for image in images])

    async def engine_name(self) -> str:
        return self._engine.name

    async def answers(self, jpegs: list[bytes]) -> list[str]:
        return [await self._one(jpeg) for jpeg in jpegs]

    async def alone(self, batch: int, callers: int, seconds: float) -> float:
        return pictures_a_second(self._engine, self._pixels, batch, callers, seconds)

    async def whole(self, concurrency: int, seconds: float) -> float:
        jpegs, began, done = cycle(self._jpegs), time.perf_counter(), 0

        async def client() -> None:
            nonlocal done
            while time.perf_counter() - began < seconds:
                try:
                    await self._one(next(jpegs))
                    done += 1
                except UnavailableError:  # more at once than the queue takes
                    await asyncio.sleep(0.01)

        await asyncio.gather(*(client() for _ in range(concurrency)))
        return done / (time.perf_counter() - began)

    async def _one(self, jpeg: bytes) -> str:
        described = await self._predictor.describe(jpeg)
        return answers.predict_response(described, self._predictor.checkpoint, uuid4().hex).model_dump_json()
