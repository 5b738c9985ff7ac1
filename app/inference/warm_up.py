"""Warms up a new engine and measures how long an answer takes from then on."""

from __future__ import annotations

from io import BytesIO
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.inference.images import Limits, PixelBudget, decode_image
from model.checkpoint import Checkpoint
from model.describe import describe
from model.engines import Engine


def warm_up(engine: Engine, checkpoint: Checkpoint, *, max_batch: int, decode_threads: int) -> float:
    """Run the engine for the first time, and return the seconds that one answer takes under load.

    That is one picture's share of a full batch, plus its decoding's share of the decoders' threads.
    """
    side = checkpoint.architecture.input_size
    blank = np.zeros((max_batch, side, side, 3), np.uint8)
    engine.run(blank[:1])  # the first run of each shape is the slowest
    engine.run(blank)
    began = perf_counter()
    logits = engine.run(blank).logits[0]
    batch_s = perf_counter() - began
    return batch_s / max_batch + _decode_and_describe_s(checkpoint, logits) / decode_threads


def _decode_and_describe_s(checkpoint: Checkpoint, logits: NDArray[np.float32]) -> float:
    """Seconds to decode a photo of 640 × 480 pixels and to describe it from (K,) logits."""
    file = BytesIO()
    Image.effect_noise((640, 480), 64).convert("RGB").save(file, "JPEG")
    body, limits = file.getvalue(), Limits()
    seconds = 0.0
    for _ in range(2):  # the first time, tables are read from disk
        began = perf_counter()
        budget = PixelBudget(limits.pixels)
        image = decode_image(body, checkpoint.architecture, limits=limits, budget=budget)
        describe(logits, checkpoint, pixels=image.pixels)
        seconds = perf_counter() - began
    return seconds
