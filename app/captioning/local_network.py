"""The network in this process as the captioner of ``glassbot caption``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.captioning.files import Captioner, PredictionFields, prediction_fields
from app.http import answers
from app.inference.engine_host import CreateEngine
from app.inference.offline import network
from app.settings import Settings
from model import checkpoint as checkpoints
from model.engines import create_engine


@asynccontextmanager
async def open_captioner(settings: Settings, create_engine: CreateEngine = create_engine) -> AsyncIterator[Captioner]:
    """Load the network of ``settings``, run it on the engine of ``create_engine``, and stop it when the block ends.

    Raises CheckpointError where it cannot be loaded, and StartError where its engine does not start.
    """
    async with network.running(settings, checkpoints.load(settings.checkpoint), create_engine) as predictor:

        async def predict(body: bytes) -> PredictionFields:
            described = await network.one_picture(predictor.describe(body))
            return prediction_fields(answers.predict_response(described, predictor.checkpoint, request_id=""))

        yield Captioner(predictor.checkpoint.version, predict, settings.max_in_flight)
