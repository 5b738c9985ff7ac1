"""Answers one request about one picture: bytes → decode → queue → engine → description, class map or activations.

The predictor adds the order of these steps, the deadline of a request, and caches keyed by the SHA-256 of the picture.
A picture that is still in them can be named by it, and is then neither sent nor decoded again.

A new photo changes threads few times, because each change waits for the interpreter: a decoder's hashes and decodes it,
the engine's runs the network, another makes the sentences of the whole batch, and the event loop sends the answers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app import errors
from app.inference.caches import Cache
from app.inference.class_maps import answered, map_of_claim, map_of_label
from app.inference.decoders import Decoders
from app.inference.engine_host import EngineHost
from app.inference.images import DecodedImage, ImageName, Picture
from app.inference.occlusion import logits_when_covered
from app.inference.results import Connected, Described, Embedded, Explained, ForwardResult, Occluded, Timing, Traced
from app.inference.steps import Watch, unwatched
from app.inference.teaching import FC7, Taught, Teacher
from app.metrics import Metrics
from app.settings import Settings
from model import explain as explaining
from model.architecture import Layer
from model.backward import Maps
from model.cells import trace
from model.compare import Comparison, compare
from model.contributions import connect
from model.describe import Description, describe, probabilities
from model.engines import Output
from model.explain import Method
from model.teaching.attach import taught_logits
from model.weights import Floats

T = TypeVar("T")


class Predictor:
    """Answers requests with the engine of ``host``. Use it from one event loop, within :meth:`running`.

    ``watch`` is told of each step of every answer.
    """

    def __init__(self, settings: Settings, host: EngineHost, metrics: Metrics, watch: Watch = unwatched) -> None:
        self.host = host
        self.checkpoint = host.checkpoint
        self._metrics = metrics
        self._watch = watch
        self._explained_layers = explaining.needed_activations(host.checkpoint.architecture)
        self._deadline_s = settings.deadline_seconds
        self._decoders = Decoders.of(settings)
        host.gather_while(self._decoders.all_busy)
        self._answer_threads = ThreadPoolExecutor(2, thread_name_prefix="answer")
        self._images: Cache[DecodedImage] = Cache(settings.cache_pictures)
        self._outputs: Cache[Output] = Cache(settings.cache_outputs)
        self._keeps_outputs = settings.cache_outputs > 0
        self.teacher = Teacher(host)

    def taught_by(self, name: str) -> Predictor:
        """This predictor, for the network that was taught by the examples of that name. Raises NoSuchTaughtError."""
        taught = copy(self)
        taught.checkpoint = self.teacher.network(name)
        return taught

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the engine host, too; when the block ends, what was begun is finished and all threads end."""
        try:
            async with self.host.running():
                yield
        finally:
            self._decoders.shutdown(cancel_futures=True)
            self._answer_threads.shutdown()
            self.teacher.close()

    async def decode(self, picture: Picture) -> DecodedImage:
        """Decode and prepare one picture, without running the network.

        Raises the tree in ``app.errors``: NoSuchImageError, as all of these do, for a name that is not known any more.
        """
        async with self._within_deadline():
            return await self._decoded(picture)

    async def describe(self, picture: Picture, *, top_k: int = 5, vocabulary: str | None = None) -> Described:
        """Describe one picture by labels, words and a sentence. Raises the tree in ``app.errors``.

        ``vocabulary`` keeps the labels of one softmax vocabulary only.
        """
        self._check_vocabulary(vocabulary)

        def sentence(image: DecodedImage, output: Output) -> tuple[Description, float, float]:
            began, pixels, logits = perf_counter(), image.pixels, output.logits[0]
            said = describe(logits, self.checkpoint, top_k=top_k, vocabulary=vocabulary, pixels=pixels, output=output)
            return said, began, perf_counter()

        async with self._within_deadline():
            result, (description, began, ended) = await self._forward_then(picture, self._explained_layers, sentence)
        self._watch("sentence", began, ended)
        self._metrics.sentences.labels(description.caption.tier).inc()
        return Described(result.image, description, result.timing)

    async def explain(self, picture: Picture, *, label: str, vocabulary: str | None, method: Method) -> Explained:
        """Compute the class map of one label, looked up in ``vocabulary`` or in all. Raises ``app.errors``."""
        row = self._row_of(label, vocabulary)
        async with self._within_deadline():
            result = await self._forward(picture, self._explained_layers)
            return await self.offload(partial(map_of_label, result, self.checkpoint, row, method))

    async def explain_claim(self, picture: Picture, *, claim: int, method: Method) -> Explained:
        """Compute the class map of one claim of the sentence: those of its labels, each by its share of the claim.

        Raises ``app.errors``.
        """
        async with self._within_deadline():
            result = await self._forward(picture, self._explained_layers)
            return await self.offload(partial(map_of_claim, result, self.checkpoint, claim, method))

    async def compare(self, picture: Picture, *, label: str, vocabulary: str | None) -> Comparison:
        """Compare one label with the likeliest other one of its vocabulary. Raises ``app.errors``."""
        row = self._row_of(label, vocabulary)
        async with self._within_deadline():
            result = await self._forward(picture, self._explained_layers)
            return await self.offload(lambda: compare(result.output, self.checkpoint, row))

    async def activations(self, picture: Picture, layers: tuple[str, ...]) -> ForwardResult:
        """Run the network on one picture, and keep the activations of ``layers``. Raises ``app.errors``."""
        async with self._within_deadline():
            return await self._forward(picture, layers)

    async def embed(self, picture: Picture) -> Embedded:
        """Embed one picture. Raises ``app.errors``."""
        async with self._within_deadline():
            result = await self._forward(picture, (FC7,))
            embedding = await self.offload(lambda: self.teacher.embedding)
        return Embedded(result.image, embedding.network, embedding.of(result.output.maps[FC7])[0].astype(np.float16))

    async def learn(self, file: bytes) -> Taught:
        """Learn names from a file of examples. Raises ``app.errors``."""
        async with self._within_deadline():
            return await self.teacher.learn(file)

    async def connections(self, picture: Picture, *, label: str, vocabulary: str | None, per_layer: int) -> Connected:
        """Find what fed the answer for one label, by ``per_layer`` channels of each layer. Raises ``app.errors``."""
        row = self._row_of(label, vocabulary)
        async with self._within_deadline():
            result = await self._forward(picture, self.checkpoint.architecture.activation_names)
            maps, logits = _of_the_picture(result.output)
            work = partial(connect, maps, logits, self.checkpoint.folded(), row, per_layer=per_layer)
            return Connected(result.image, answered(self.checkpoint, row, logits), await self.offload(work))

    async def cell(self, picture: Picture, *, layer: Layer, place: tuple[int, int, int]) -> Traced:
        """Tell how the number at (channel, row, column) of a layer with weights came about. Raises ``app.errors``.

        Raises IndexError for a place outside the layer.
        """
        async with self._within_deadline():
            result = await self._forward(picture, self.checkpoint.architecture.activation_names)
            maps, logits = _of_the_picture(result.output)
            pixels, checkpoint = result.image.pixels, self.checkpoint.folded()
            cell = await self.offload(partial(trace, maps, logits, pixels, checkpoint, layer, place))
        return Traced(result.image, cell, answered(self.checkpoint, place[0], logits) if layer.name == "fc8" else None)

    async def occlusion(self, picture: Picture, *, label: str, vocabulary: str | None, cells: int) -> Occluded:
        """Run the network once for each of cells × cells patches, with that one covered. Raises ``app.errors``."""
        row = self._row_of(label, vocabulary)
        async with self._within_deadline():
            result = await self._forward(picture, self._explained_layers)
            without = await logits_when_covered(result.image.pixels, cells, self.host, self._logits)
        answer = answered(self.checkpoint, row, result.output.logits[0])
        mine = without[:, self.checkpoint.slices()[answer.vocabulary.name]]
        probability = answer.probability - probabilities(mine, answer.vocabulary)[:, answer.index]
        logit = np.float32(answer.logit) - mine[:, answer.index]
        return Occluded(result.image, answer, probability.reshape(cells, cells), logit.reshape(cells, cells))

    async def offload(self, work: Callable[[], T]) -> T:
        """Do a short piece of arithmetic on a thread, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._answer_threads, work)

    def _row_of(self, label: str, vocabulary: str | None) -> int:
        """The row of fc8 of a label, looked up in one vocabulary or in all. Raises NoSuchLabelError."""
        try:
            return explaining.find_row(self.checkpoint, label, vocabulary)
        except explaining.UnknownLabelError as error:
            raise errors.NoSuchLabelError(str(error)) from error

    def _check_vocabulary(self, name: str | None) -> None:
        names = [v.name for v in self.checkpoint.vocabularies if v.activation == "softmax"]
        if name is not None and name not in names:
            raise errors.NoSuchVocabularyError(f"vocabulary is one of {', '.join(names)}, not {name[:80]!r}.")

    @asynccontextmanager
    async def _within_deadline(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline_s):
                yield
        except TimeoutError as error:
            detail = f"No answer within {self._deadline_s:g} seconds: ask again later."
            raise errors.DeadlineExceededError(detail) from error

    async def _forward(self, picture: Picture, layers: tuple[str, ...]) -> ForwardResult:
        """Decode and run the network, or take from the caches what is there."""
        result, _ = await self._forward_then(picture, layers, lambda *_: None)
        return result

    async def _forward_then(
        self, picture: Picture, layers: tuple[str, ...], then: Callable[[DecodedImage, Output], T]
    ) -> tuple[ForwardResult, T]:
        """The same, and what the short ``then`` makes of it on the thread for answers."""
        if self._is_taught and FC7 not in layers:
            layers = (*layers, FC7)
        began = perf_counter()
        image = await self._decoded(picture)
        decode_s = perf_counter() - began
        queue_s = model_s = 0.0

        def work(output: Output) -> tuple[Output, T]:
            answer = self._with_taught(output)
            return answer, then(image, answer)

        output = self._outputs.get(image.sha256)
        if output is None or not set(layers) <= set(output.maps):
            done = await self.host.run(image.pixels, layers, lambda fresh: work(self._kept(image.sha256, fresh)))
            queue_s, model_s = done.queued_s, done.ran_s
            self._watch("queue", done.began - queue_s, done.began)
            self._watch("engine", done.began, done.began + model_s, batch_size=done.batch_size)
            answer, result = done.result
        else:
            answer, result = await self.offload(partial(work, output))
        total_s = perf_counter() - began
        timing = Timing(decode_s=decode_s, queue_s=queue_s, model_s=model_s, total_s=total_s)
        return ForwardResult(image, answer, timing), result

    @property
    def _is_taught(self) -> bool:
        return self.checkpoint is not self.host.checkpoint

    def _with_taught(self, output: Output) -> Output:
        """What the engine's network answers, and what the further rows of fc8 that it was taught do."""
        if not self._is_taught:
            return output
        return Output(taught_logits(output.logits, output.maps[FC7], self.checkpoint), output.maps)

    async def _logits(self, pixels: NDArray[np.uint8]) -> Floats:
        """The (K,) logits of one prepared picture."""
        layers = (FC7,) if self._is_taught else ()
        done = await self.host.run(pixels, layers, lambda output: self._with_taught(output).logits[0])
        logits: Floats = done.result
        return logits

    def _kept(self, sha256: str, output: Output) -> Output:
        """An output, kept for later requests unless the one that is kept has more layers: then as a copy of its own."""
        kept = self._outputs.get(sha256)
        if self._keeps_outputs and (kept is None or set(kept.maps) <= set(output.maps)):
            maps = {name: values.copy() for name, values in output.maps.items()}
            output = replace(output, logits=output.logits.copy(), maps=maps)
            self._outputs.put(sha256, output)
        return output

    async def _decoded(self, picture: Picture) -> DecodedImage:
        if isinstance(picture, ImageName):
            image = self._images.get(picture.sha256)
            if image is None:
                raise errors.NoSuchImageError("This photo is no longer in memory: send it again.")
            return image
        began = perf_counter()
        work = partial(self._decode, picture, began)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._decoders, work)
        finally:
            self._watch("decode", began, perf_counter())

    def _decode(self, body: bytes, began: float) -> DecodedImage:
        """On a decoder's thread: hash a picture, and decode it unless that was done before."""
        sha256 = hashlib.sha256(body).hexdigest()
        image = self._images.get(sha256)
        if image is None:
            image = self._decoders.decode(body, self.checkpoint.architecture, sha256)
            self._metrics.decode.observe(perf_counter() - began)
            self._images.put(sha256, image)
        return image


def _of_the_picture(output: Output) -> tuple[Maps, Floats]:
    """The activations by layer, and the (K,) logits, of the one picture of an output."""
    return {name: activations[0] for name, activations in output.maps.items()}, output.logits[0]
