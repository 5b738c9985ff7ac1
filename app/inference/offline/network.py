"""The network in this process, for a command that nobody waits for a single answer of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.errors import GlassbotError
from app.inference.engine_host import CreateEngine, EngineHost
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.settings import Settings, read_settings
from app.startup import cannot_run
from model.checkpoint import Checkpoint


def offline_settings(checkpoint: Path | None) -> Settings:
    """Read the settings, without API keys; ``max_in_flight`` is how many pictures keep the network busy.

    ``checkpoint`` is the file to use instead of the shipped network. Raises SettingsError.
    """
    settings = read_settings(checkpoint=checkpoint, api_keys=())
    return settings.model_copy(update={"max_in_flight": pending_batches(settings) * settings.max_batch})


def pending_batches(settings: Settings) -> int:
    """Return how many batches keep everything busy: one in the network, one that waits, one for each decoder."""
    return 2 + settings.decode_threads


@asynccontextmanager
async def running(settings: Settings, checkpoint: Checkpoint, create_engine: CreateEngine) -> AsyncIterator[Predictor]:
    """Run a network on the engine of ``create_engine``, and stop it when the block ends.

    Raises StartError where its engine does not start.
    """
    metrics = Metrics()
    host = EngineHost(settings, checkpoint, metrics, create_engine)
    predictor = Predictor(settings, host, metrics)
    async with predictor.running():
        await host.started()
        if host.failure is not None:
            raise cannot_run(host.failure) from host.failure
        yield predictor


def failure_of(error: Exception) -> GlassbotError:
    """Return the error of one picture for whatever an engine raises: the next picture may well succeed."""
    if isinstance(error, GlassbotError):
        return error
    return GlassbotError(f"The network failed on this picture ({str(error) or type(error).__name__}).")
