"""``python -P benchmarks/engine_alone.py CHECKPOINT``: the engine alone, of the build that ``PYTHONPATH`` names.

It imports no other benchmark, and of the build only what older builds have too, so that the same lines measure any of
them. It prints the name of the engine, then answers each line of its input, a JSON list of batch, callers and seconds,
by a line with pictures a second.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import checkpoint as checkpoints
from model.engines import create_engine

BATCHES, CALLERS = (1, 2, 4, 8, 16), (1, 2)
"""The numbers of pictures in a batch, and of threads that call the engine, which are measured."""


def pictures_a_second(engine: Any, pixels_NHWC: NDArray[np.uint8], batch: int, callers: int, seconds: float) -> float:
    """Return the rate of ``callers`` threads that run the engine for ``seconds``, on ``batch`` pictures each time."""
    pictures = np.resize(pixels_NHWC, (batch, *pixels_NHWC.shape[1:]))
    engine.run(pictures)  # every shape costs its first run
    began = time.perf_counter()

    def call() -> int:
        count = 0
        while time.perf_counter() - began < seconds:
            engine.run(pictures)
            count += batch
        return count

    with ThreadPoolExecutor(callers) as threads:
        done = sum(future.result() for future in [threads.submit(call) for _ in range(callers)])
    return done / (time.perf_counter() - began)


def main() -> None:
    """Answer what is asked for on the input, until it ends."""
    checkpoint = checkpoints.load(Path(sys.argv[1]))
    side = checkpoint.architecture.input_size
    engine = create_engine(checkpoint)
    pixels_NHWC = np.random.default_rng(0).integers(0, 256, (16, side, side, 3), np.uint8)
    print(engine.name, flush=True)
    for line in sys.stdin:
        print(pictures_a_second(engine, pixels_NHWC, *json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
