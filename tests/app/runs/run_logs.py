"""Runs as training writes them, for pages that look at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from model.architecture import Architecture
from model.runlog import reader, sprites, writer

SIZES = ((200, 67), (10_000, 99))
"""Until which step the pictures have which size."""


def write_run(folder: Path, kept: Sequence[int] = (0, 100, 200, 300), *, columns: Literal[1, 2] = 2) -> Path:
    """A run that kept itself at those steps, logs every 25 of them, and is measured whenever it was kept but at 0."""
    path = folder / "metrics.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    for step in range(25, max(kept) + 1, 25):
        writer.append(path, {"step": step, "size": size_at(step), "loss": loss_at(step)})
    for step in kept:
        if step:
            writer.append(path, {"step": step, "size": size_at(step), "measured": measured_at(step)})
        keep(path, step, columns)
    picture = reader.picture_path(path)
    Image.effect_noise((256, 256), 60).convert("RGB").save(picture, "WEBP")
    return path


def keep(path: Path, step: int, columns: Literal[1, 2] = 2) -> None:
    """Add a sheet of what nobody has trained, another one at each step."""
    random = np.random.default_rng(step)
    table = Architecture(input_size=67, columns=columns)
    maps = {row.name: random.uniform(0, 1 + step, row.shape) for row in table.layers if row.name in sprites.LAYERS}
    kernels = random.standard_normal(table.layer("conv1").weight_shape)
    writer.append_sheet(
        path, step, size_at(step), kernels.astype(np.float32), {n: m.astype(np.float32) for n, m in maps.items()}
    )


def size_at(step: int) -> int:
    """Side of the pictures."""
    return next(size for until, size in SIZES if step <= until)


def loss_at(step: int) -> float:
    """Falls, and no two are the same."""
    return round(2 + 300 / (step + 100), 4)


def measured_at(step: int) -> dict[str, Any]:
    """Rises."""
    return {
        "object": {"top1": step / 1000, "top5": step / 500, "n": 5000},
        "word": {"map": step / 2000, "n": 1000},
    }
