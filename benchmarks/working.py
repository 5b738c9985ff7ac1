"""``python -m benchmarks.working``: how long the answers take that show the working, in process, with no HTTP.

Prints, for each kind, how many times it was answered, and the median and the 95th percentile of milliseconds on the
clock and of the processor. The photo was sent before and its activations are kept, as where a page asks; occlusion runs
the network 169 times all the same.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from itertools import count
from pathlib import Path

import numpy as np

from app.http import working_answers
from app.inference.engine_host import EngineHost
from app.inference.images import ImageName
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.settings import read_settings
from benchmarks.options import whole
from benchmarks.photos import ordinary
from model import checkpoint as checkpoints
from model.checkpoint import PRETRAINED
from model.engines import create_engine


class Working:
    """Asks one predictor for the working of one photo, of another label or cell each time."""

    def __init__(self, predictor: Predictor, photo: ImageName) -> None:
        self._predictor = predictor
        self._photo = photo
        self._numbers = count()
        vocabulary = predictor.checkpoint.vocabularies[0]
        self._labels, self._vocabulary = vocabulary.ids, vocabulary.name
        self._layers = [row for row in predictor.checkpoint.architecture.layers if row.weight_shape]

    async def connections(self) -> None:
        """Answer ``POST /connections`` for the next label."""
        label = self._labels[next(self._numbers) % len(self._labels)]
        found = await self._predictor.connections(self._photo, label=label, vocabulary=self._vocabulary, per_layer=10)
        working_answers.connections(found, "").model_dump_json(by_alias=True)

    async def cell(self) -> None:
        """Answer ``POST /cell`` for a cell of the next layer."""
        number = next(self._numbers)
        layer = self._layers[number % len(self._layers)]
        shape = (*layer.shape, 1, 1)[:3]
        place = (number % shape[0], number % shape[1], 3 * number % shape[2])
        traced = await self._predictor.cell(self._photo, layer=layer, place=place)
        working_answers.cell(traced, self._predictor.checkpoint.architecture, "").model_dump_json()

    async def occlusion(self) -> None:
        """Answer ``POST /occlusion`` for the next label."""
        label = self._labels[next(self._numbers) % len(self._labels)]
        found = await self._predictor.occlusion(self._photo, label=label, vocabulary=self._vocabulary, cells=13)
        working_answers.occlusion(found, "").model_dump_json()


async def measure(work: Callable[[], Awaitable[None]], times: int) -> str:
    """Return one line of the table for ``times`` answers, after one that does not count."""
    await work()
    clock, processor = [], []
    for _ in range(times):
        began, spent = time.perf_counter(), time.process_time()
        await work()
        clock.append(1000 * (time.perf_counter() - began))
        processor.append(1000 * (time.process_time() - spent))
    figures = [float(value) for part in (clock, processor) for value in np.percentile(part, [50, 95])]
    return f"{times:>5} {figures[0]:>9.1f} {figures[1]:>9.1f} {figures[2]:>9.1f} {figures[3]:>9.1f}"


async def run(checkpoint: Path, times: int) -> None:
    """Print the table for a checkpoint, from ``times`` answers of each kind."""
    settings = read_settings(checkpoint=checkpoint)
    metrics = Metrics()
    predictor = Predictor(settings, EngineHost(settings, checkpoints.load(checkpoint), metrics, create_engine), metrics)
    async with predictor.running():
        await predictor.host.started()
        if predictor.host.failure is not None:
            raise predictor.host.failure
        body = ordinary(1)[0]
        await predictor.activations(body, predictor.checkpoint.architecture.activation_names)
        working = Working(predictor, ImageName(sha256(body).hexdigest()))
        print(f"{'':<14} {'n':>5} {'p50 ms':>9} {'p95 ms':>9} {'cpu p50':>9} {'cpu p95':>9}")
        for name, work, share in (
            ("/connections", working.connections, 1),
            ("/cell", working.cell, 1),
            ("/occlusion", working.occlusion, 10),
        ):
            print(f"{name:<14} {await measure(work, max(1, times // share))}", flush=True)


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED, help="the network to serve")
    parser.add_argument(
        "--times", type=whole(), default=200, help="answers of each kind; a tenth of them for /occlusion"
    )
    options = parser.parse_args()
    asyncio.run(run(options.checkpoint, options.times))


if __name__ == "__main__":
    main()
