"""What this process was taught lately, by the SHA-256 of the examples, and what it needs to be taught.

Nothing is kept but in memory: whoever teaches keeps the examples, and sends them again where they are forgotten.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from app.errors import GlassbotError, NoSuchTaughtError, OtherNetworkError, UnreadableExamplesError
from app.inference.engine_host import EngineHost
from model.checkpoint import Checkpoint
from model.teaching import examples
from model.teaching.attach import base_of, teach
from model.teaching.embedding import Embedding, embedding_of
from model.teaching.examples import Examples, ExamplesError
from model.teaching.outside_photos import outside_pictures
from model.weights import Floats

T = TypeVar("T")

FC7 = "fc7"
"""The layer whose activations are embedded, and which taught rows read."""
_AT_ONCE = 8  # a batch costs little more than one picture, and leaves room in the queue for others
_KEPT = 16  # taught networks in memory, of some 2 MB each


@dataclass(frozen=True)
class Taught:
    """A network with the names that it was taught."""

    name: str
    """SHA-256 of the file of examples, by which requests name it."""
    checkpoint: Checkpoint


class Teacher:
    """Teaches the network of ``host`` further names. Use it from one event loop."""

    def __init__(self, host: EngineHost) -> None:
        self._host = host
        self._taught: LRUCache[str, Checkpoint] = LRUCache(_KEPT)
        self._outside: Floats | None = None
        self._once = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="teach")

    @cached_property
    def base(self) -> Checkpoint:
        """The network without any names that its file was taught."""
        return base_of(self._host.checkpoint)

    @cached_property
    def embedding(self) -> Embedding:
        """How it embeds pictures; the first use takes some tenths of a second, on a thread."""
        return embedding_of(self.base)

    async def prepare(self) -> None:
        """Compute what the first lesson would wait for; where the engine does not run yet, that lesson computes it."""
        with suppress(GlassbotError):
            await asyncio.to_thread(lambda: self.embedding)
            await self._outside_embeddings()

    def network(self, name: str) -> Checkpoint:
        """The network that was taught by the examples of that name. Raises NoSuchTaughtError where it is forgotten."""
        checkpoint: Checkpoint | None = self._taught.get(name)
        if checkpoint is None:
            raise NoSuchTaughtError("These taught names are no longer in memory: send them to POST /teach again.")
        return checkpoint

    async def learn(self, file: bytes) -> Taught:
        """Teach the network by a file of examples, besides those that its own file was taught by.

        Raises UnreadableExamplesError or OtherNetworkError.
        """
        try:
            given, name = await self._work(lambda: (examples.read(file), hashlib.sha256(file).hexdigest()))
            checkpoint = await self.taught_by(given)
        except examples.OtherNetworkError as error:
            raise OtherNetworkError(str(error)) from error
        except ExamplesError as error:
            raise UnreadableExamplesError(str(error)) from error
        checkpoint = replace(checkpoint, version=f"{self.base.version}+{name[:12]}")
        self._taught[name] = checkpoint
        return Taught(name, checkpoint)

    async def taught_by(self, given: Examples) -> Checkpoint:
        """The network with the names of ``given``, and of its own file's examples. Raises ExamplesError."""
        own = self._host.checkpoint.examples
        embedding = await asyncio.to_thread(lambda: self.embedding)
        outside = await self._outside_embeddings()

        def work() -> Checkpoint:
            return teach(self.base, embedding, own.with_further(given) if own else given, outside)

        return await self._work(work)

    async def _work(self, work: Callable[[], T]) -> T:
        """Do arithmetic on the one thread for lessons; what its client does not wait for any more is not begun."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Begin no further lesson, and wait for the one that is going on."""
        self._thread.shutdown(cancel_futures=True)

    async def _outside_embeddings(self) -> Floats:
        """The embeddings of the bundled photos of other things, computed once."""
        async with self._once:
            if self._outside is None:
                pictures = await asyncio.to_thread(outside_pictures, self._host.checkpoint.architecture)
                fc7: list[Floats] = []
                for start in range(0, len(pictures), _AT_ONCE):
                    some = pictures[start : start + _AT_ONCE]
                    fc7 += await asyncio.gather(*(self._fc7(pixels) for pixels in some))
                self._outside = self.embedding.of(np.stack(fc7))
            return self._outside

    async def _fc7(self, pixels: NDArray[np.uint8]) -> Floats:
        # Without a slot: it is done once, and nobody is refused for it.
        done = await self._host.run(pixels, (FC7,), lambda output: output.maps[FC7][0])
        activations: Floats = done.result
        return activations
