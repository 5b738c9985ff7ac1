"""How often a network is right, on pictures it never learned from, through the serving preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.engines import Engine
from model.preprocess import prepare
from model.vocabulary import Activation, Vocabulary
from training.data import PictureSet
from training.distributed import ProcessGroup


class Known(Protocol):
    """Pictures of which the truth is known."""

    @property
    def vocabulary(self) -> Vocabulary: ...  # noqa: D102
    @property
    def targets(self) -> NDArray[np.float32] | NDArray[np.int64]: ...  # noqa: D102


Measured = dict[str, dict[str, Any]]
Views = Literal[1, 10]
ALONE = ProcessGroup()
_BATCH = 64


def evaluate(
    engine: Engine,
    sets: Sequence[PictureSet],
    slices: dict[str, slice],
    *,
    views: Views = 1,
    side: int | None = None,
    ranks: ProcessGroup = ALONE,
) -> Measured:
    """Vocabulary name -> ``top1``, ``top5``, ``n`` for exclusive ones, ``map``, ``n`` for words.

    With ten ``views`` the answers for five crops and their mirror images are averaged, as section 4.1 does. With
    ``side`` each picture is brought to a square of so many pixels before. Of many processes each looks at its share;
    every picture counts once, and all get the whole figures.
    """
    found = {}
    for one in sets:
        answers = scores(engine, one, slices[one.vocabulary.name], views=views, side=side, ranks=ranks)
        found[one.vocabulary.name] = figures(one, answers)
    return found


def scores(
    engine: Engine,
    one: PictureSet,
    rows: slice,
    *,
    views: Views = 1,
    side: int | None = None,
    ranks: ProcessGroup = ALONE,
) -> NDArray[np.float32]:
    """(N, labels) answers of a network to the pictures of a set: logits, or mean probabilities of several views.

    NaN for a picture that is broken, and therefore counts in no figure.
    """
    activation, mine = one.vocabulary.activation, ranks.share(len(one.pictures))
    part = [
        (index, _answers(engine, activation, [_scaled(picture, side) for picture in pixels], rows, views))
        for index, pixels in one.walk(_BATCH, mine)
    ]
    answers = np.full((len(one.pictures), len(one.vocabulary)), np.nan, np.float32)
    for index, found in (pair for pairs in ranks.gather(part) for pair in pairs):
        answers[index] = found
    return answers


def figures(one: Known, answers: NDArray[np.float32]) -> dict[str, Any]:
    """The figures of one set."""
    good = ~np.isnan(answers[:, 0])
    return (exclusive if one.vocabulary.activation == "softmax" else independent)(answers[good], one.targets[good])


def by_class(one: Known, answers: NDArray[np.float32]) -> list[tuple[str, float]]:
    """Name and top-1 of each class, best first."""
    good = ~np.isnan(answers[:, 0])
    targets = one.targets[good]
    hits = answers[good].argmax(axis=1) == targets
    found = [(label.name, float(hits[targets == i].mean()))
             for i, label in enumerate(one.vocabulary.labels) if (targets == i).any()]  # fmt: skip
    return sorted(found, key=lambda pair: -pair[1])


def score_of(measured: Measured) -> float:
    """One number for a network: the mean over its vocabularies of top-1 or mean average precision."""
    return float(np.mean([figures["top1"] if "top1" in figures else figures["map"] for figures in measured.values()]))


def _scaled(pixels: NDArray[np.uint8], side: int | None) -> Image.Image:
    picture = Image.fromarray(pixels)
    return picture if side is None else picture.resize((side, side), Image.Resampling.BICUBIC)


def _answers(
    engine: Engine, activation: Activation, pictures: Sequence[Image.Image], rows: slice, views: Views
) -> NDArray[np.float32]:
    """(n, labels) logits; or, of several views, the mean of their probabilities."""
    size = engine.architecture.input_size
    seen = [_seen(picture, size, views) for picture in pictures]
    logits = engine.run(np.concatenate(seen)).logits[:, rows]
    if views == 1:
        return logits
    if activation == "softmax":
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
    else:
        chances = 1 / (1 + np.exp(-logits))
    mean: NDArray[np.float32] = chances.reshape(len(pictures), views, -1).mean(axis=1)
    return mean


def _seen(picture: Image.Image, size: int, views: Views) -> NDArray[np.uint8]:
    """(views, size, size, 3): the serving preprocessing, or the paper's ten views of a square 256/227 as large."""
    if views == 1:
        return prepare(picture, size)[0][None]
    whole, _, _ = prepare(picture, round(size * 256 / 227))
    rest = len(whole) - size
    crops = [whole[y : y + size, x : x + size]
             for y, x in ((0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2))]  # fmt: skip
    return np.stack([view for crop in crops for view in (crop, crop[:, ::-1])])


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
    """Mean average precision over the words that two of the five said of some picture: these are its positives."""
    positive = shares > 0.39
    words = [w for w in range(scores.shape[1]) if positive[:, w].any()]
    precision = [average_precision(scores[:, word], positive[:, word]) for word in words]
    return {"map": round(float(np.mean(precision)), 4) if words else 0.0, "n": len(scores)}


def average_precision(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    """Mean of the precision at each positive, best score first."""
    ranked = positive[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())
