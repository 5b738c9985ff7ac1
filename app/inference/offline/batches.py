"""Many files through the network, a batch at a time.

One thread reads and decodes a whole batch, one runs it, and one finishes it. Handed from thread to thread one by
one, pictures would cost some 40 % more of the processor's time (docs/experiments.md, 23).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from app.errors import GlassbotError
from app.inference.decoders import Decoders
from app.inference.engine_host import EngineHost
from app.inference.images import DecodedImage
from app.inference.offline.in_order import in_order
from app.inference.offline.network import failure_of, pending_batches
from app.settings import Settings
from model.engines import Output

In = TypeVar("In")
Out = TypeVar("Out")

Failure = OSError | GlassbotError
"""Why a file was not read, decoded or run."""


@dataclass(frozen=True)
class Work(Generic[In, Out]):
    """What is done with each file."""

    read: Callable[[In], bytes]
    """Returns its bytes. Raises OSError."""
    layers: tuple[str, ...]
    """Names of the layers whose activations are wanted."""
    finish: Callable[[In, DecodedImage, Output], Out]
    """Makes its result of the picture and of what the network gave for it, on the thread that answers a batch."""
    fail: Callable[[In, Failure], Out]
    """Makes its result where it failed, which harms no other file."""


class Batches:
    """Runs the network of ``host`` on files. Use it from one event loop, and close it."""

    def __init__(self, settings: Settings, host: EngineHost) -> None:
        self._host = host
        self._size = settings.max_batch
        self._pending = pending_batches(settings)
        self._decoders = Decoders.of(settings)

    def close(self) -> None:
        """End the threads, which finish the batches that they have begun."""
        self._decoders.shutdown(cancel_futures=True)

    async def results(self, files: Iterable[In], work: Work[In, Out]) -> AsyncGenerator[Out]:
        """Yield the result of each file, in their order."""
        batches = in_order(_batched(files, self._size), partial(self._batch, work), self._pending)
        async with aclosing(batches) as done:
            async for results in done:
                for result in results:
                    yield result

    async def _batch(self, work: Work[In, Out], files: Sequence[In]) -> list[Out]:
        decode = partial(asyncio.get_running_loop().run_in_executor, self._decoders)
        images = await decode(lambda: [self._decode(work, file) for file in files])
        return await asyncio.gather(*(self._result(work, *pair) for pair in zip(files, images, strict=True)))

    def _decode(self, work: Work[In, Out], file: In) -> DecodedImage | Failure:
        takes = self._host.checkpoint.architecture
        try:
            return self._decoders.decode(work.read(file), takes)
        except (OSError, GlassbotError) as error:
            return error

    async def _result(self, work: Work[In, Out], file: In, image: DecodedImage | Failure) -> Out:
        if not isinstance(image, DecodedImage):
            return work.fail(file, image)
        try:
            return (await self._host.run(image.pixels, work.layers, partial(work.finish, file, image))).result
        except Exception as error:
            return work.fail(file, failure_of(error))


def _batched(files: Iterable[In], size: int) -> Iterator[tuple[In, ...]]:
    rest = iter(files)
    while batch := tuple(islice(rest, size)):
        yield batch
