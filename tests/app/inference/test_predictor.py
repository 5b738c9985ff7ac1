from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors import NotReadyError
from app.inference.engine_host import EngineHost
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.settings import Settings
from model.checkpoint import Checkpoint
from tests.app.conftest import FakeEngine
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = (corpus.jpeg(48, 40, seed=seed) for seed in range(3))


@asynccontextmanager
async def predicting(network: Checkpoint, engine: FakeEngine, settings: Settings) -> AsyncIterator[Predictor]:
    """A predictor that has warmed up; of its warm-up no batch is counted."""
    metrics = Metrics()
    predictor = Predictor(settings, EngineHost(settings, network, metrics, engine.create), metrics)
    async with predictor.running():
        await predictor.host.started()
        assert predictor.host.ready
        engine.batches.clear()
        yield predictor


async def test_the_picture_used_longest_ago_is_forgotten_first(network: Checkpoint, engine: FakeEngine) -> None:
    async with predicting(network, engine, Settings(cache_outputs=2)) as predictor:
        for body in (FIRST, SECOND, FIRST, THIRD, FIRST):
            await predictor.describe(body)
        assert len(engine.batches) == 3
        await predictor.describe(SECOND)
        assert len(engine.batches) == 4


async def test_caches_of_size_0_keep_nothing(network: Checkpoint, engine: FakeEngine) -> None:
    async with predicting(network, engine, Settings(cache_outputs=0, cache_pictures=0)) as predictor:
        for number in range(1, 4):
            described = await predictor.describe(FIRST)
            assert len(engine.batches) == number
            assert described.timing.decode_s > 0


async def test_an_answer_with_fewer_layers_does_not_replace_one_with_more(
    network: Checkpoint, engine: FakeEngine
) -> None:
    async with predicting(network, engine, Settings()) as predictor:
        await predictor.activations(FIRST, ("conv1",))
        every = network.architecture.activation_names
        await predictor.activations(FIRST, every)
        await predictor.describe(FIRST)
        result = await predictor.activations(FIRST, ("conv1", "fc7"))
        assert len(engine.batches) == 2
        assert set(result.output.maps) == set(every)
        assert result.timing.model_s == 0


async def test_a_decoded_picture_is_decoded_once_for_everything(network: Checkpoint, engine: FakeEngine) -> None:
    async with predicting(network, engine, Settings()) as predictor:
        image = await predictor.decode(FIRST)
        assert engine.batches == []
        assert (await predictor.describe(FIRST)).image is image


async def test_once_it_has_closed_nothing_is_run(network: Checkpoint, engine: FakeEngine) -> None:
    async with predicting(network, engine, Settings()) as predictor:
        image = await predictor.decode(FIRST)
    with pytest.raises(NotReadyError):
        await predictor.host.run(image.pixels, (), lambda output: output)
