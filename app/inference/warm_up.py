"""The first runs, which cost most, and what an answer will take from then on."""

from __future__ import annotations

from io import BytesIO
from time import perf_counter

import numpy as np
from PIL import Image

from app.inference.images import Limits, PixelBudget, see
from model.checkpoint import Checkpoint
from model.describe import describe
from model.engines import Engine


def warm_up(engine: Engine, checkpoint: Checkpoint, batch: int, decoders: int) -> float:
    """Seconds of an answer under load: its share of a full batch, and of the decoders' threads."""
    side, limits, file = checkpoint.architecture.input_size, Limits(), BytesIO()
    blank = np.zeros((batch, side, side, 3), np.uint8)
    engine.run(blank[:1], maps=checkpoint.architecture.activation_names)  # a shape's first run costs most
    engine.run(blank)
    began = perf_counter()
    logits = engine.run(blank).logits[0]
    ran = perf_counter() - began
    Image.effect_noise((640, 480), 64).convert("RGB").save(file, "JPEG")
    for _ in range(2):  # the first one reads tables
        began = perf_counter()
        sight = see(file.getvalue(), size=side, limits=limits, budget=PixelBudget(limits.pixels))
        describe(logits, checkpoint, pixels=sight.pixels)
        told = perf_counter() - began
    return ran / batch + told / decoders
