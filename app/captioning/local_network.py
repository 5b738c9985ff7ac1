"""The network in this process, for ``glassbot caption``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.captioning import files
from app.captioning.files import Answer, Network
from app.errors import GlassbotError
from app.http import answers
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.settings import Settings, read_settings
from app.startup import cannot_run
from model import checkpoint as checkpoints

_BATCHES_AHEAD = 4  # one in the network, one that waits, and two for pictures that take long to decode


def settings(checkpoint: Path | None) -> Settings:
    """Those of the environment, for work at whose other end nobody waits. Raises SettingsError."""
    chosen = read_settings(checkpoint=checkpoint, deadline_seconds=600, cache_pictures=0, cache_outputs=0, api_keys=())
    return chosen.model_copy(update={"max_in_flight": _BATCHES_AHEAD * chosen.max_batch})


@asynccontextmanager
async def network(settings: Settings) -> AsyncIterator[Network]:
    """Loaded, until the block ends. Raises CheckpointError, or StartError where it cannot run."""
    predictor = Predictor(settings, checkpoints.load(settings.checkpoint), Metrics())

    async def ask(body: bytes) -> Answer:
        try:
            described = await predictor.describe(body)
        except GlassbotError:
            raise
        except Exception as error:  # whatever an engine raises, the next picture may well go through
            raise GlassbotError(f"The network failed on it ({str(error) or type(error).__name__}).") from error
        return files.lasting(answers.predicted(described, predictor.checkpoint, request_id=""))

    async with predictor.running():
        await predictor.started()
        if predictor.failure is not None:
            raise cannot_run(predictor.failure) from predictor.failure
        yield Network(predictor.checkpoint.version, ask, settings.max_in_flight)
