"""The network in this process as the captioner of ``glassbot caption``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path

from app.captioning.files import CaptionLine, prediction_fields
from app.http import answers
from app.inference.engine_host import CreateEngine
from app.inference.images import DecodedImage
from app.inference.offline import network
from app.inference.offline.batches import Batches, Work
from app.inference.offline.paths import reading_error
from app.inference.results import Described, Timing
from app.settings import Settings
from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.describe import describe
from model.engines import Output, create_engine
from model.explain import needed_activations

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
        layers = needed_activations(self._checkpoint.architecture)
        work = Work(
            Path.read_bytes, layers, self._line, lambda file, error: CaptionLine(file, None, reading_error(error))
        )
        async with aclosing(self._batches.results(files, work)) as lines:
            async for line in lines:
                yield line

    def _line(self, file: Path, image: DecodedImage, output: Output) -> CaptionLine:
        description = describe(output.logits[0], self._checkpoint, pixels=image.pixels, output=output)
        described = Described(image, description, _UNTIMED)
        response = answers.predict_response(described, self._checkpoint, request_id="")
        return CaptionLine(file, prediction_fields(response))
