"""How often a network is right, on pictures it never learned from, through the serving preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.engines import Engine
from model.preprocess import prepare
from training.data import PictureSet

Measured = dict[str, dict[str, Any]]


def evaluate(engine: Engine, sets: Sequence[PictureSet], slices: dict[str, slice], batch: int = 64) -> Measured:
    """Vocabulary name -> ``top1``, ``top5``, ``n`` for exclusive ones, ``map``, ``n`` for words."""
    measured: Measured = {}
    for one in sets:
        rows = slices[one.vocabulary.name]
        scores = np.concatenate([engine.run(part).logits[:, rows] for part in _batches(one, engine, batch)])
        measured[one.vocabulary.name] = (
            exclusive(scores, one.targets) if one.vocabulary.kind == "exclusive" else independent(scores, one.targets)
        )
    return measured


def _batches(one: PictureSet, engine: Engine, batch: int) -> Any:
    size = engine.architecture.input_size
    for start in range(0, len(one.pictures), batch):
        yield np.stack([prepare(Image.fromarray(p), size)[0] for p in one.pictures[start : start + batch]])


def exclusive(scores: NDArray[np.float32], targets: NDArray[Any]) -> dict[str, Any]:
    """(N, classes) scores against (N,) class numbers."""
    best = np.argsort(-scores, axis=1)[:, :5]
    hits = best == targets[:, None]
    return {
        "top1": round(float(hits[:, 0].mean()), 4),
        "top5": round(float(hits.any(1).mean()), 4),
        "n": len(targets),
    }


def independent(scores: NDArray[np.float32], shares: NDArray[Any]) -> dict[str, Any]:
    """Mean average precision over words; positive = at least two of the five said it."""
    positive = shares > 0.39
    words = [w for w in range(scores.shape[1]) if positive[:, w].any()]
    return {
        "map": round(float(np.mean([average_precision(scores[:, w], positive[:, w]) for w in words])), 4),
        "n": len(scores),
    }


def average_precision(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    """Mean of the precision at each positive, best score first."""
    ranked = positive[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())
