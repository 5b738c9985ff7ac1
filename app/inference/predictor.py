"""Picture bytes -> decode in a bounded pool -> batcher -> describe. Its own: the order, and a small memory."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app import errors
from app.inference.admission import Admission, FullError, Place
from app.inference.batcher import Batcher, ClosedError, Done, QueueFullError
from app.inference.images import Limits, PixelBudget, Sight, decoders, see
from app.inference.lru_cache import Recent
from app.inference.results import Described, Explained, Seen, Timing
from app.inference.warm_up import warm_up
from app.metrics import Metrics
from app.settings import Settings
from model import describe as describing
from model import explain as explaining
from model.checkpoint import Checkpoint
from model.engines import Engine, Output, create_engine
from model.explain import Method
from model.vocabulary import Label

T = TypeVar("T")
Names = tuple[str, ...]

log = logging.getLogger("glassbot")

_HASHED_INLINE = 100_000  # bytes that take less time to hash than to hand to a thread


@dataclass(frozen=True)
class _Job:
    pixels: NDArray[np.uint8]
    maps: Names


class Predictor:
    """The one network of this process and the queue before it. Use it from one event loop."""

    def __init__(self, settings: Settings, checkpoint: Checkpoint, metrics: Metrics) -> None:
        self.checkpoint = checkpoint
        self.ready = self.draining = False
        self.failure: Exception | None = None
        """Why the engine did not start, if it did not."""
        self.admission = Admission(settings.max_in_flight)
        self._settings = settings
        self._metrics = metrics
        self._engine: Engine | None = None
        self._starting: asyncio.Task[None] | None = None
        self._limits = Limits(jpeg_pixels=int(settings.max_jpeg_mpx * 1e6), pixels=int(settings.max_mpx * 1e6))
        self._budget = PixelBudget(self._limits.pixels)
        self._decoders = decoders(settings.decode_threads)
        self._answers = ThreadPoolExecutor(2, thread_name_prefix="answer")
        self._batcher = Batcher(self._forward, max_batch=settings.max_batch, max_waiting=settings.max_in_flight)
        self._sights: Recent[str, Sight] = Recent(settings.cache_pictures)
        self._outputs: Recent[str, Output] = Recent(settings.cache_outputs)
        metrics.watch("queue_depth", "Pictures that wait for the network.", lambda: len(self._batcher))
        metrics.watch("in_flight", "Requests in memory.", lambda: self.admission.present)
        metrics.watch("room", "Requests that are answered at once, at most.", lambda: self.admission.room)
        metrics.info.info({"name": checkpoint.name, "version": checkpoint.version})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load in the background; at the end, finish what was begun."""
        await self._batcher.start()
        self._starting = asyncio.create_task(self._start())
        try:
            yield
        finally:
            await self._starting
            await self._batcher.close()
            self._decoders.shutdown(cancel_futures=True)
            self._answers.shutdown()

    async def started(self) -> None:
        """Wait until the network can run, or ``failure`` tells why it cannot."""
        assert self._starting is not None
        await self._starting

    async def _start(self) -> None:
        try:
            self._engine = await asyncio.to_thread(self._load)
        except Exception as error:  # whoever started us says it and ends
            log.debug("the engine did not start", exc_info=True)
            self.failure = error
            return
        self.ready = True
        self._metrics.ready.set(1)
        log.info("ready", extra={"facts": {"engine": self._engine.name, "version": self.checkpoint.version}})

    def _load(self) -> Engine:
        chosen = self._settings
        engine = create_engine(
            self.checkpoint, engine=chosen.engine, precision=chosen.precision, threads=chosen.threads
        )
        rate = 1 / warm_up(engine, self.checkpoint, chosen.max_batch, chosen.decode_threads)
        self.admission.settle(rate, chosen.max_wait_ms / 1000, least=min(8, chosen.max_batch))
        return engine

    def drain(self) -> None:
        """Say that we are leaving; go on answering."""
        self.draining = True
        self._metrics.ready.set(0)

    @contextmanager
    def admit(self) -> Iterator[Place]:
        """One request in flight, asked before its body is read. Raises NotReadyError or OverloadedError."""
        if not self.ready:
            raise errors.NotReadyError("The network is still being loaded: ask again in a moment.")
        try:
            with self.admission.enter() as place:
                yield place
        except FullError as error:
            raise errors.OverloadedError("More pictures wait than can be looked at in time: ask again soon.") from error

    @property
    def size(self) -> int:
        """Side of the picture that the network sees, in pixels."""
        return self.checkpoint.architecture.input_size

    async def describe(self, body: bytes, *, top_k: int = 5, kind: str | None = None) -> Described:
        """Labels, words and a sentence. Raises the tree in ``app.errors``."""
        self._check_kind(kind)
        async with self._in_time():
            seen = await self._see(body, explaining.needed_activations(self.checkpoint.architecture))
            output, pixels = seen.output, seen.sight.pixels
            work = partial(describing.describe, output.logits[0], self.checkpoint, pixels=pixels, output=output)
            said = await self.offload(partial(work, top_k=top_k, vocabulary=kind))
        return Described(seen.sight, said, seen.timing)

    async def explain(self, body: bytes, *, label: str, kind: str | None, method: Method) -> Explained:
        """The class map of one label. Raises the tree in ``app.errors``."""
        try:
            row = explaining.find_row(self.checkpoint, label, kind)
        except explaining.UnknownLabelError as error:
            raise errors.NoSuchLabelError(str(error)) from error
        async with self._in_time():
            seen = await self._see(body, explaining.needed_activations(self.checkpoint.architecture))
            slope = await self.offload(lambda: explaining.gradient(seen.output, 0, self.checkpoint, row))
        layer = self.checkpoint.architecture.last_convolution
        activations = seen.output.maps[layer][0]
        map_ = explaining.class_map(slope, activations, method)
        maximum = float(map_.max())
        share = map_ / maximum if maximum > 0 else np.zeros_like(map_)
        kind, said = self._label(row)
        return Explained(seen.sight, said, kind, layer, share, maximum, explaining.relevance(slope, activations))

    async def activations(self, body: bytes, names: Names) -> Seen:
        """What the layers in ``names`` saw. Raises the tree in ``app.errors``."""
        async with self._in_time():
            return await self._see(body, names)

    async def offload(self, work: Callable[[], T]) -> T:
        """Do a short piece of arithmetic off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._answers, work)

    def _label(self, row: int) -> tuple[str, Label]:
        for vocabulary in self.checkpoint.vocabularies:
            if row < len(vocabulary):
                return vocabulary.name, vocabulary.labels[row]
            row -= len(vocabulary)
        raise IndexError(row)

    def _check_kind(self, kind: str | None) -> None:
        known = [v.name for v in self.checkpoint.vocabularies if v.activation == "softmax"]
        if kind is not None and kind not in known:
            raise errors.NoSuchKindError(f"kind is one of {', '.join(known)}, not {kind[:80]!r}.")

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        seconds = self._settings.deadline_s
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise errors.DeadlineExceededError(f"No answer within {seconds:g} seconds: ask again later.") from error

    async def _see(self, body: bytes, maps: Names) -> Seen:
        began = perf_counter()
        digest = await self._digest(body)
        sight = self._sights.get(digest) or await self._decode(body, digest)
        decode = perf_counter() - began
        output = self._outputs.get(digest)
        if output is not None and set(maps) <= set(output.maps):
            return Seen(sight, output, Timing(decode, 0, 0, perf_counter() - began))
        done = await self._ask(_Job(sight.pixels, maps))
        self._remember(digest, done.result)
        return Seen(sight, done.result, Timing(decode, done.queued_s, done.ran_s, perf_counter() - began))

    def _remember(self, digest: str, output: Output) -> None:
        """Asked for at the same time, an answer without maps must not push out one with them."""
        known = self._outputs.get(digest)
        if known is None or set(known.maps) <= set(output.maps):
            self._outputs.put(digest, output)

    async def _digest(self, body: bytes) -> str:
        if len(body) <= _HASHED_INLINE:
            return hashlib.sha256(body).hexdigest()
        return await self.offload(lambda: hashlib.sha256(body).hexdigest())

    async def _decode(self, body: bytes, digest: str) -> Sight:
        def work() -> Sight:
            return see(body, size=self.size, limits=self._limits, budget=self._budget, sha256=digest)

        with self._metrics.decode.time():
            sight = await asyncio.get_running_loop().run_in_executor(self._decoders, work)
        self._sights.put(digest, sight)
        return sight

    async def _ask(self, job: _Job) -> Done[Output]:
        try:
            done = await self._batcher.submit(job)
        except QueueFullError as error:
            raise errors.OverloadedError("The queue is full: ask again in a moment.") from error
        except ClosedError as error:
            raise errors.NotReadyError("This replica is on its way out: ask again.") from error
        self._metrics.queue.observe(done.queued_s)
        return done

    def _forward(self, jobs: Sequence[_Job]) -> list[Output]:
        """On the batcher's thread: one run for all, with every map that any of them asked for."""
        assert self._engine is not None
        names = self._engine.architecture.activation_names
        maps = tuple(name for name in names if any(name in job.maps for job in jobs))
        with self._metrics.model.time():
            output = self._engine.run(np.stack([job.pixels for job in jobs]), maps=maps)
        self._metrics.batch.observe(len(jobs))
        return [_one(output, number, job.maps) for number, job in enumerate(jobs)]


def _one(output: Output, number: int, maps: Names) -> Output:
    """One picture's share of a batch; a copy, so that remembering it does not keep the batch."""
    here = slice(number, number + 1)
    return Output(output.logits[here].copy(), {name: output.maps[name][here].copy() for name in maps})
