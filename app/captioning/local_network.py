"""The network in this process as the captioner of ``glassbot caption``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path
from typing import TypeVar

from app.captioning.files import CaptionLine, PredictionFields, prediction_fields
from app.http import answers
from app.inference.engine_host import CreateEngine
from app.inference.images import DecodedImage
from app.inference.offline import network
from app.inference.offline.batches import Batches, Failure, Work
from app.inference.offline.paths import reading_error
from app.inference.results import Described, Timing
from app.settings import Settings
from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.describe import describe
from model.engines import Output, create_engine
from model.explain import needed_activations

T = TypeVar("T")

_UNTIMED = Timing(decode_s=0, queue_s=0, model_s=0, total_s=0)  # what is written of a prediction has no times


@asynccontextmanager
async def open_captioner(
    settings: Settings, create_engine: CreateEngine = create_engine
) -> AsyncIterator[LocalNetwork]:
    """Load the network of ``settings``, run it on the engine of ``create_engine``, and stop it when the block ends.

    Raises CheckpointError where it cannot be loaded, and StartError where its engine does not start.
    """
    async with network.running(settings, checkpoints.load(settings.checkpoint), create_engine) as predictor:
        with closing(Batches(settings, predictor.host)) as batches:
            yield LocalNetwork(batches, predictor.checkpoint)


class LocalNetwork:
    """The network of this process, which takes a batch of files at a time."""

    def __init__(self, batches: Batches, checkpoint: Checkpoint) -> None:
        self.version = checkpoint.version
        self._batches = batches
        self._checkpoint = checkpoint

    async def lines(self, files: Iterable[Path]) -> AsyncGenerator[CaptionLine]:
        """Yield one line for each file, in the order of ``files``."""
        async with aclosing(self.captions(files, Path.read_bytes)) as captions:
            async for file, caption in captions:
                if isinstance(caption, dict):
                    yield CaptionLine(file, caption)
                else:
                    yield CaptionLine(file, None, reading_error(caption))

    async def captions(
        self, things: Iterable[T], read: Callable[[T], bytes]
    ) -> AsyncGenerator[tuple[T, PredictionFields | Failure]]:
        """Yield each thing with its prediction, or with why it has none, in the order of ``things``.

        ``read`` returns the bytes of its picture, on a decoder's thread. Raises OSError.
        """
        layers = needed_activations(self._checkpoint.architecture)
        work = Work(read, layers, self._caption, lambda thing, error: (thing, error))
        async with aclosing(self._batches.results(things, work)) as captions:
            async for caption in captions:
                yield caption

    def _caption(self, thing: T, image: DecodedImage, output: Output) -> tuple[T, PredictionFields | Failure]:
        description = describe(output.logits[0], self._checkpoint, pixels=image.pixels, output=output)
        described = Described(image, description, _UNTIMED)
        response = answers.predict_response(described, self._checkpoint, request_id="")
        return thing, prediction_fields(response)
