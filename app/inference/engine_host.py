"""The engine of this process over its lifetime: started, warmed up, fed with batches, drained, closed.

Requests reach it through :class:`app.inference.predictor.Predictor`, which knows pictures and answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.errors import NotReadyError, OverloadedError
from app.inference.admission import Admission, FullError, Slot
from app.inference.batcher import Batcher, ClosedError, Done, QueueFullError
from app.inference.warm_up import warm_up
from app.metrics import Metrics
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.describe import Believed
from model.engines import Engine, EngineName, Output, Precision

T = TypeVar("T")

log = logging.getLogger("glassbot")

_LEAST_CAPACITY = 8
"""Requests that are admitted at once even by a very slow engine, unless its largest batch is smaller."""


class CreateEngine(Protocol):
    """Builds the engine for a checkpoint: :func:`model.engines.create_engine`, or a stand-in for it in a test."""

    def __call__(self, checkpoint: Checkpoint, /, *, engine: EngineName, precision: Precision, threads: int) -> Engine:
        """The engine, ready to be warmed up. Raises whatever keeps it from running on this machine."""
        ...


@dataclass(frozen=True)
class _Job:
    """One prepared picture that waits for the engine."""

    pixels: NDArray[np.uint8]
    """(S, S, 3) RGB, as the network sees it."""
    layers: tuple[str, ...]
    """Names of the layers whose activations are wanted."""


class EngineHost:
    """Starts, warms up and drains the one engine of this process, and runs batches on it. Use it from one event loop.

    ``create_engine`` builds the engine, off the event loop; whatever it raises becomes :attr:`failure`.
    """

    def __init__(
        self, settings: Settings, checkpoint: Checkpoint, metrics: Metrics, create_engine: CreateEngine
    ) -> None:
        self.checkpoint = checkpoint
        self.ready = False
        """Whether the engine has started and has run once."""
        self.draining = False
        """Whether this process is about to end, and new requests should go to another replica."""
        self.failure: Exception | None = None
        """Why the engine did not start; None while it starts and once it runs."""
        self.admission = Admission(settings.max_in_flight)
        self._settings = settings
        self._metrics = metrics
        self._create_engine = create_engine
        self._engine: Engine | None = None
        self._starting: asyncio.Task[None] | None = None
        self._batcher = Batcher(self._forward, max_batch=settings.max_batch, max_waiting=settings.max_in_flight)
        self._export_metrics()

    def _export_metrics(self) -> None:
        watch = self._metrics.watch
        watch("ready", "1 while the service is ready, else 0.", lambda: self.ready and not self.draining, "livemax")
        watch("queue_depth", "Pictures that wait for the network.", lambda: len(self._batcher))
        watch("in_flight", "Requests in memory.", lambda: self.admission.in_memory)
        watch("capacity", "Most requests that are answered at the same time.", self._capacity)
        watch("room", "Old name of glassbot_capacity, until 0.2.0.", self._capacity)
        self._metrics.name_network(self.checkpoint.name, self.checkpoint.version)

    def _capacity(self) -> int:
        """Most requests that are answered at the same time: none before the engine runs, and its rate is known."""
        return self.admission.capacity if self.ready else 0

    def gather_while(self, more_to_come: Callable[[], bool]) -> None:
        """Let pictures wait a moment for others while ``more_to_come`` says that those are being decoded."""
        self._batcher.more_to_come = more_to_come

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the engine in the background; when the block ends, finish what waits and take nothing more."""
        await self._batcher.start()
        self._starting = asyncio.create_task(self._start())
        try:
            yield
        finally:
            await self._starting
            await self._batcher.close()

    async def started(self) -> None:
        """Wait until the engine runs, or :attr:`failure` says why it cannot. Only within :meth:`running`."""
        assert self._starting is not None
        await asyncio.shield(self._starting)  # a caller that gives up does not end the start

    async def _start(self) -> None:
        try:
            self._engine = await asyncio.to_thread(self._create_and_warm_up)
        except Exception as error:  # reported by the program that started us, which then ends
            log.debug("the engine did not start", exc_info=True)
            self.failure = error
            return
        self.ready = True
        log.info("ready", extra={"facts": {"engine": self._engine.name, "version": self.checkpoint.version}})

    def _create_and_warm_up(self) -> Engine:
        settings = self._settings
        engine = self._create_engine(
            self.checkpoint, engine=settings.engine, precision=settings.precision, threads=settings.threads
        )
        seconds_per_answer = warm_up(
            engine, self.checkpoint, max_batch=settings.max_batch, decode_threads=settings.decode_threads
        )
        least = min(_LEAST_CAPACITY, settings.max_batch)
        self.admission.settle(1 / seconds_per_answer, settings.max_wait_ms / 1000, least=least)
        return engine

    def drain(self) -> None:
        """Announce on ``/readyz`` that this process will end; requests are answered as before.

        Signal handlers call it, so it takes no lock.
        """
        self.draining = True

    @contextmanager
    def admit(self) -> Iterator[Slot]:
        """Admit one request while the block runs, before its body is read. Raises NotReadyError or OverloadedError."""
        self._check_ready()
        try:
            with self.admission.enter() as slot:
                yield slot
        except FullError as error:
            raise OverloadedError("Too many pictures are waiting: ask again soon.") from error

    async def run(self, pixels: NDArray[np.uint8], layers: tuple[str, ...], then: Callable[[Output], T]) -> Done[T]:
        """Queue one (S, S, 3) picture for the engine; what ``then`` makes of its logits and activations of ``layers``.

        ``then`` is short and runs on the one thread for answers, while the engine goes on. What it gets are parts of a
        whole batch: it copies what it keeps.

        Raises OverloadedError where the queue is full, NotReadyError before the engine runs and once the process is
        ending, or what the engine or ``then`` raised for this picture.
        """
        self._check_ready()
        try:
            done = await self._batcher.submit(_Job(pixels, layers), then)
        except QueueFullError as error:
            raise OverloadedError("The queue is full: ask again in a moment.") from error
        except ClosedError as error:
            raise NotReadyError("This replica is shutting down: ask again.") from error
        self._metrics.queue.observe(done.queued_s)
        return done

    def _check_ready(self) -> None:
        if not self.ready:
            raise NotReadyError("The network is still being loaded: ask again in a moment.")

    def _forward(self, jobs: Sequence[_Job]) -> list[Believed]:
        """On the batcher's thread: one run for all jobs, with every layer that any of them wants."""
        assert self._engine is not None
        names = self.checkpoint.architecture.activation_names
        layers = tuple(name for name in names if any(name in job.layers for job in jobs))
        with self._metrics.model.time():
            output = self._engine.run(np.stack([job.pixels for job in jobs]), maps=layers)
        self._metrics.batch.observe(len(jobs))
        believed = Believed.of(output, self.checkpoint.vocabularies)
        return [believed.one(number, job.layers) for number, job in enumerate(jobs)]
