"""The network in this process as the captioner of ``glassbot caption``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.captioning.files import Captioner, PredictionFields, prediction_fields
from app.errors import GlassbotError
from app.http import answers
from app.inference.engine_host import CreateEngine, EngineHost
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.settings import Settings, read_settings
from app.startup import cannot_run
from model import checkpoint as checkpoints
from model.engines import create_engine

_PENDING_BATCHES = 4  # one in the network, one that waits, and two for pictures that take long to decode


def caption_settings(checkpoint: Path | None) -> Settings:
    """Read the settings, with a long deadline and no caches, as nobody waits for a single answer.

    ``checkpoint`` is the file to use instead of the shipped network. Raises SettingsError.
    """
    settings = read_settings(
        checkpoint=checkpoint, deadline_seconds=600, cache_pictures=0, cache_outputs=0, api_keys=()
    )
    return settings.model_copy(update={"max_in_flight": _PENDING_BATCHES * settings.max_batch})


@asynccontextmanager
async def open_captioner(settings: Settings, create_engine: CreateEngine = create_engine) -> AsyncIterator[Captioner]:
    """Load the network of ``settings``, run it on the engine of ``create_engine``, and stop it when the block ends.

    Raises CheckpointError where it cannot be loaded, and StartError where its engine does not start.
    """
    metrics = Metrics()
    host = EngineHost(settings, checkpoints.load(settings.checkpoint), metrics, create_engine)
    predictor = Predictor(settings, host, metrics)

    async def predict(body: bytes) -> PredictionFields:
        try:
            described = await predictor.describe(body)
        except GlassbotError:
            raise
        except Exception as error:  # whatever an engine raises, the next picture may well succeed
            reason = str(error) or type(error).__name__
            raise GlassbotError(f"The network failed on this picture ({reason}).") from error
        return prediction_fields(answers.predict_response(described, predictor.checkpoint, request_id=""))

    async with predictor.running():
        await host.started()
        if host.failure is not None:
            raise cannot_run(host.failure) from host.failure
        yield Captioner(predictor.checkpoint.version, predict, settings.max_in_flight)
