"""Accuracy of a network on held-out pictures, through the serving preprocessing: top-k, and mean average precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model import checkpoint
from model.engines import EngineName, create_engine
from model.engines.interface import Output
from model.preprocess import TakesPictures, prepare, square
from model.vocabulary import Activation, Vocabulary
from training import data
from training.data import PictureSet
from training.distributed import ProcessGroup


class Labelled(Protocol):
    """Pictures of a set with their targets, as PictureSet and Predictions have them."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def vocabulary(self) -> Vocabulary: ...  # noqa: D102
    @property
    def targets(self) -> NDArray[np.float32] | NDArray[np.int64]: ...  # noqa: D102


class Answering(Protocol):
    """What is measured: an engine, or a teacher that answers as an engine does."""

    @property
    def architecture(self) -> TakesPictures: ...  # noqa: D102
    def run(self, pictures: NDArray[np.uint8], /) -> Output: ...  # noqa: D102


Figures = dict[str, dict[str, Any]]
"""Vocabulary name -> name of a figure -> its value; under ``sets`` the figures of each of several sets of it."""
ViewCount = Literal[1, 10]
"""1: the centre crop, as served; 10: five crops and their mirror images, as section 4.1 of the paper has it."""
ONE_PROCESS = ProcessGroup()
POSITIVE_SHARE = 0.39
"""Share of the people who described a picture above which a word is a positive: two of five said it."""
_BATCH = 64


def measure_checkpoint(
    path: Path, specs: Sequence[str], engine: EngineName = "auto", *, views: ViewCount = 1, side: int | None = None
) -> Figures:
    """The figures of a checkpoint file on what each ``[NAME=]PATH`` holds to measure; see :func:`evaluate`.

    Raises DataError and CheckpointError.
    """
    network = checkpoint.load(path)
    data.check_apart(specs)
    sets = [data.load_for(network.vocabularies, spec, "evaluation") for spec in specs]
    return evaluate(create_engine(network, engine=engine), sets, network.slices(), views=views, side=side)


def evaluate(
    engine: Answering,
    sets: Sequence[PictureSet],
    slices: dict[str, slice],
    *,
    views: ViewCount = 1,
    side: int | None = None,
    group: ProcessGroup = ONE_PROCESS,
) -> Figures:
    """The figures of :func:`figures_by_vocabulary`.

    ``slices``: vocabulary name -> its rows of fc8. With ten ``views`` the probabilities of five crops and their mirror
    images are averaged (section 4.1). With ``side`` each picture is first resized to a square of so many pixels. Each
    of several processes runs its share of the pictures, and all of them get the figures of the whole sets.
    """
    return figures_by_vocabulary(
        [
            (one, predict_scores(engine, one, slices[one.vocabulary.name], views=views, side=side, group=group))
            for one in sets
        ]
    )


def figures_by_vocabulary(scored: Sequence[tuple[Labelled, NDArray[np.float32]]]) -> Figures:
    """Vocabulary name -> ``top1``, ``top5``, ``n`` for softmax vocabularies, ``map``, ``n`` for words.

    ``scored`` are sets with their (N, labels) scores. Where several sets measure a vocabulary, or one that has not all
    its classes, ``sets`` holds the figures of each; ``own_top1`` and ``own_top5`` are those among the set's ``classes``
    alone, as if the network could answer nothing else.
    """
    figures: Figures = {}
    for name in dict.fromkeys(one.vocabulary.name for one, _ in scored):
        group = [pair for pair in scored if pair[0].vocabulary.name == name]
        figures[name] = accuracy_figures(_Pool.of([one for one, _ in group]), np.concatenate([s for _, s in group]))
        by_set = {one.name: _set_figures(one, scores) for one, scores in group}
        if len(by_set) > 1 or any("classes" in of_set for of_set in by_set.values()):
            figures[name]["sets"] = by_set
    return figures


def _set_figures(one: Labelled, scores: NDArray[np.float32]) -> dict[str, Any]:
    figures = accuracy_figures(one, scores)
    classes = np.unique(one.targets) if one.vocabulary.activation == "softmax" else np.array([])
    if 1 < len(classes) < len(one.vocabulary):
        among_own = accuracy_figures(_Pool(one.vocabulary, np.searchsorted(classes, one.targets)), scores[:, classes])
        figures |= {"classes": len(classes), "own_top1": among_own["top1"], "own_top5": among_own["top5"]}
    return figures


@dataclass(frozen=True)
class _Pool:
    """The pictures of several sets of one vocabulary as one."""

    vocabulary: Vocabulary
    targets: NDArray[np.float32] | NDArray[np.int64]
    name: str = ""

    @classmethod
    def of(cls, sets: Sequence[Labelled]) -> _Pool:
        return cls(sets[0].vocabulary, np.concatenate([one.targets for one in sets]))


def predict_scores(
    engine: Answering,
    pictures: PictureSet,
    rows: slice,
    *,
    views: ViewCount = 1,
    side: int | None = None,
    group: ProcessGroup = ONE_PROCESS,
) -> NDArray[np.float32]:
    """(N, labels) scores of the pictures of a set: logits, or mean probabilities of several views.

    ``rows`` are those of the set's vocabulary in fc8. A broken picture has NaN, and counts in no figure.
    """
    activation = pictures.vocabulary.activation
    share = group.share(len(pictures.pictures))
    own_scores = [
        (indices, _batch_scores(engine, activation, [_resized(picture, side) for picture in pixels], rows, views))
        for indices, pixels in pictures.iterate_batches(_BATCH, share)
    ]
    scores = np.full((len(pictures.pictures), len(pictures.vocabulary)), np.nan, np.float32)
    for indices, batch_scores in (pair for pairs in group.gather(own_scores) for pair in pairs):
        scores[indices] = batch_scores
    return scores


def accuracy_figures(pictures: Labelled, scores: NDArray[np.float32]) -> dict[str, Any]:
    """Top-k accuracy or mean average precision of one set, by its vocabulary; rows of NaN are left out."""
    good = ~np.isnan(scores[:, 0])
    measure = top_k_accuracy if pictures.vocabulary.activation == "softmax" else mean_average_precision
    return measure(scores[good], pictures.targets[good])


def accuracy_by_class(pictures: Labelled, scores: NDArray[np.float32]) -> list[tuple[str, float]]:
    """Name and top-1 accuracy of each class that has a picture, best first; rows of NaN are left out."""
    good = ~np.isnan(scores[:, 0])
    targets = pictures.targets[good]
    correct = scores[good].argmax(axis=1) == targets
    accuracies = [
        (label.name, float(correct[targets == row].mean()))
        for row, label in enumerate(pictures.vocabulary.labels)
        if (targets == row).any()
    ]
    return sorted(accuracies, key=lambda pair: -pair[1])


def overall_score(figures: Figures) -> float:
    """One number for a network: the mean over its vocabularies of top-1 accuracy or mean average precision."""
    return float(np.mean([one["top1"] if "top1" in one else one["map"] for one in figures.values()]))


def merge_figures(figures: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of both, by vocabulary; where both have a figure, that of ``others``."""
    return {name: {**figures.get(name, {}), **others.get(name, {})} for name in {**figures, **others}}


def _resized(pixels: NDArray[np.uint8], side: int | None) -> Image.Image:
    picture = Image.fromarray(pixels)
    return picture if side is None else picture.resize((side, side), Image.Resampling.BICUBIC)


def _batch_scores(
    engine: Answering, activation: Activation, pictures: Sequence[Image.Image], rows: slice, views: ViewCount
) -> NDArray[np.float32]:
    """(n, labels) logits; or, of several views, the mean of their probabilities."""
    inputs_NHWC = np.concatenate([_views(picture, engine.architecture, views) for picture in pictures])
    logits = engine.run(inputs_NHWC).logits[:, rows]
    if views == 1:
        return logits
    if activation == "softmax":
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    else:
        probabilities = 1 / (1 + np.exp(-logits))
    mean: NDArray[np.float32] = probabilities.reshape(len(pictures), views, -1).mean(axis=1)
    return mean


def _views(picture: Image.Image, takes: TakesPictures, views: ViewCount) -> NDArray[np.uint8]:
    """(views, size, size, 3): the serving preprocessing, or the paper's ten views of a square 256/227 as large,
    with all of its detail."""
    if views == 1:
        return prepare(picture, takes)[0][None]
    size = takes.input_size
    whole = np.asarray(square(picture, round(size * 256 / 227)))
    rest = len(whole) - size
    corners = ((0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2))
    crops = [whole[y : y + size, x : x + size] for y, x in corners]
    return np.stack([view for crop in crops for view in (crop, crop[:, ::-1])])


def top_k_accuracy(scores: NDArray[np.float32], targets: NDArray[Any]) -> dict[str, Any]:
    """``top1``, ``top5`` and ``n`` of (N, classes) scores against (N,) class numbers."""
    best = np.argsort(-scores, axis=1)[:, :5]
    hits = best == targets[:, None]
    return {
        "top1": round(float(hits[:, 0].mean()), 4),
        "top5": round(float(hits.any(1).mean()), 4),
        "n": len(targets),
    }


def mean_average_precision(scores: NDArray[np.float32], shares: NDArray[Any]) -> dict[str, Any]:
    """``map`` and ``n`` of (N, words) scores, over the words that have a positive.

    ``shares`` (N, words): the share of people who said a word; above ``POSITIVE_SHARE`` a picture is a positive.
    """
    positive = shares > POSITIVE_SHARE
    words = [word for word in range(scores.shape[1]) if positive[:, word].any()]
    precision = [average_precision(scores[:, word], positive[:, word]) for word in words]
    return {"map": round(float(np.mean(precision)), 4) if words else 0.0, "n": len(scores)}


def average_precision(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    """Mean over the positives of the precision at each of them, best score first; (N,) scores and truth."""
    ranked = positive[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())
