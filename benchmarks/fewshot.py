"""``python -m benchmarks.fewshot --data SET``: what a network learns of names that it lacks, by a few photos each.

From a set with classes that are no labels of the network (``--mask N`` takes N of its own labels away instead, rows of
fc8 and all), N names are drawn with K photos each, a hundred times. Our own answer, with the classifier that held-back
photos chose, stands beside a linear probe (scikit-learn's logistic regression on the same embeddings). What is claimed
of photos of other classes, and of ``--outside`` photos, is counted at the lowest tier that is offered.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.options import whole
from model.checkpoint import PRETRAINED, Checkpoint, load
from model.describe import gate_of, probabilities, strengths
from model.engines import Engine, create_engine
from model.pictures.opening import open_picture
from model.preprocess import TakesPictures, prepare
from model.teaching.embedding import Embedding, embedding_of
from model.teaching.examples import Examples, Photos
from model.teaching.fitting import Fitted, fit
from model.teaching.outside_photos import outside_pictures
from model.vocabulary import Vocabulary
from model.weights import Floats
from training.data.layouts import read_split
from training.evaluation.statistics import student_interval

_BATCH = 16
_QUERIES = 15
_FIRST_LINE = (__doc__ or "").splitlines()[0]
Pixels = NDArray[np.uint8]
_SETTINGS = ((5, 1), (5, 5), (5, 20), (20, 1), (20, 5), (20, 20))
"""Names, and photos of each: the usual ones of the literature."""


@dataclass(frozen=True)
class Classes:
    """Embeddings of photos of classes that the network has no label for, and of other photos."""

    by_class: list[Floats]
    """For each class (photos, size) numbers."""
    bundled: Floats
    """(M, size) of the photos that every name is held against."""
    foreign: Floats
    """(F, size) of photos that show none of the classes; F may be 0."""


@dataclass(frozen=True)
class Draw:
    """What came of one draw: shares from 0 to 1."""

    ours: float
    """Of photos of the names, those whose name came first."""
    probe: float
    """The same, by the linear probe."""
    said: float
    """Of photos of the names, those of which one is claimed, at the lowest tier that is offered."""
    right: float
    """Of these, those whose name that is; not a number where nothing is claimed."""
    others: float
    """Of photos of other classes of the set, those that are called by a name; not a number where there are none."""
    foreign: float
    """Of photos of other kinds, those that are called by a name; not a number where there are none."""


def masked(checkpoint: Checkpoint, number: int, seed: int) -> tuple[Checkpoint, frozenset[str]]:
    """Return the network without ``number`` of the labels of its first vocabulary, and their ids."""
    first, *others = checkpoint.vocabularies
    gone = frozenset(np.random.default_rng(seed).choice(len(first), number, replace=False).tolist())
    kept = [row for row in range(len(first)) if row not in gone]
    rows = [*kept, *range(len(first), checkpoint.architecture.outputs)]
    labels = tuple(first.labels[row] for row in kept)
    network = replace(
        checkpoint,
        architecture=replace(checkpoint.architecture, outputs=len(rows)),
        vocabularies=(replace(first, labels=labels, bias=()), *(replace(v, consent={}) for v in others)),
        weights={
            **{name: checkpoint.weights[name] for name in checkpoint.weights},
            "fc8.weight": checkpoint.weights["fc8.weight"][rows],
            "fc8.bias": checkpoint.weights["fc8.bias"][rows],
        },
    )
    return network, frozenset(first.labels[row].id for row in gone)


def classes_of(options: argparse.Namespace) -> Classes:
    """Read and embed everything once; fc7 takes nearly all of the time."""
    checkpoint = load(options.checkpoint)
    engine = create_engine(checkpoint)
    known = {label.id for vocabulary in checkpoint.vocabularies for label in vocabulary.labels}
    wanted: frozenset[str] | None = None
    if options.mask:
        checkpoint, wanted = masked(checkpoint, options.mask, options.seed)
    embedding = embedding_of(checkpoint)
    takes = checkpoint.architecture
    split = read_split(options.data, "evaluation")
    by_class = []
    for number, name in enumerate(track(split.classes, "Photos of classes")):
        if name in known if wanted is None else name not in wanted:
            continue
        mine = np.flatnonzero(split.labels == number)[: options.photos]
        by_class.append(embedded(engine, embedding, [_pixels(split.pictures.read(int(i)), takes) for i in mine]))
    foreign = [_pixels(path.read_bytes(), takes) for path in _photos_of(options.outside)]
    return Classes(
        by_class=by_class,
        bundled=embedded(engine, embedding, list(outside_pictures(takes))),
        foreign=embedded(engine, embedding, foreign),
    )


def embedded(engine: Engine, embedding: Embedding, pictures: Sequence[Pixels]) -> Floats:
    """Return (N, size) embeddings of (S, S, 3) pictures."""
    parts = [
        embedding.of(engine.run(np.stack(pictures[start : start + _BATCH]), maps=("fc7",)).maps["fc7"])
        for start in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, embedding.size), np.float32)


def draw(classes: Classes, names: int, shots: int, seed: int) -> Draw:
    """Draw names and photos of them, teach by these, and ask about others."""
    random = np.random.default_rng((seed, names, shots))
    chosen = random.choice(len(classes.by_class), names, replace=False)
    given, asked = [], []
    for number in chosen:
        photos = random.permutation(classes.by_class[number])
        given.append(photos[:shots])
        asked.append(photos[shots : shots + _QUERIES])
    fitted = fit(_examples(given), classes.bundled)
    owners = np.repeat(np.arange(names), [len(photos) for photos in asked])
    queries = np.concatenate(asked)
    found = probabilities_of(fitted, queries)
    threshold = min(fitted.vocabulary.thresholds.values())
    said = found.max(1) >= threshold
    hit = found.argmax(1) == owners
    rest = [photos for number, photos in enumerate(classes.by_class) if number not in chosen]
    others = random.permutation(np.concatenate([*rest, queries[:0]]))[:300]
    return Draw(
        ours=float(hit.mean()),
        probe=float((_probe(given, queries) == owners).mean()),
        said=float(said.mean()),
        right=float(hit[said].mean()) if said.any() else float("nan"),
        others=_called(fitted, others, threshold),
        foreign=_called(fitted, classes.foreign, threshold),
    )


def _called(fitted: Fitted, embeddings: Floats, threshold: float) -> float:
    if not len(embeddings):
        return float("nan")
    return float((probabilities_of(fitted, embeddings).max(1) >= threshold).mean())


def probabilities_of(fitted: Fitted, embeddings: Floats) -> Floats:
    """Return (N, K) probabilities of the names, the gate counted, as an answer has them."""
    logits = np.asarray(embeddings @ fitted.weight.T + fitted.bias, np.float32)
    vocabulary: Vocabulary = fitted.vocabulary
    gates = gate_of(strengths(logits, [vocabulary]), vocabulary)
    return np.asarray(probabilities(logits, vocabulary) * gates[:, None])


def _examples(given: Sequence[Floats]) -> Examples:
    things = {}
    for number, photos in enumerate(given):
        names = tuple(f"{number:032x}{photo:032x}" for photo in range(len(photos)))
        things[f"thing {number}"] = Photos(names, photos.astype(np.float16))
    return Examples("benchmark", given[0].shape[1], things)


def _probe(given: Sequence[Floats], queries: Floats) -> NDArray[np.int64]:
    """Return what logistic regression, as it comes, answers on embeddings of mean 0 and mean length 1."""
    from sklearn.linear_model import LogisticRegression  # of the extra [bench]

    photos = np.concatenate(given)
    owners = np.repeat(np.arange(len(given)), [len(own) for own in given])
    centre = photos.mean(0)
    length = np.linalg.norm(photos - centre, axis=1).mean()
    probe = LogisticRegression(max_iter=1000).fit((photos - centre) / length, owners)
    return np.asarray(probe.predict((queries - centre) / length))


def _photos_of(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")]


def _pixels(file: bytes, takes: TakesPictures) -> Pixels:
    with open_picture(file) as picture:
        return prepare(picture, takes)[0]


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fewshot", description=_FIRST_LINE)
    parser.add_argument("--data", type=Path, required=True, help="a set with classes; its held-out photos are used")
    parser.add_argument(
        "--mask", type=whole(0), default=0, metavar="N", help="take N labels of the network away for it"
    )
    parser.add_argument("--outside", type=Path, help="a folder of photos of yet other things")
    parser.add_argument("--photos", type=whole(), default=60, help="most photos of a class (default: 60)")
    parser.add_argument("--draws", type=whole(), default=100, help="draws of each kind (default: 100)")
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    classes = classes_of(options)
    console = Console(width=150)
    console.print(
        f"{len(classes.by_class)} classes without a label, {len(classes.foreign)} photos of other kinds, "
        f"{options.draws} draws, mean and 95 % interval in percent"
    )
    table = Table(
        "names", "photos", "ours", "linear probe", "claimed", "right of these", "others called", "foreign called"
    )
    for names, shots in _SETTINGS:
        if names > len(classes.by_class):
            continue
        draws = [draw(classes, names, shots, seed) for seed in track(range(options.draws), f"{names} × {shots}")]
        figures = ([getattr(one, field) for one in draws] for field in Draw.__dataclass_fields__)
        table.add_row(str(names), str(shots), *map(_interval, figures))
    console.print(table)


def _interval(values: Sequence[float]) -> str:
    known = [100 * value for value in values if value == value]
    if not known:
        return "–"
    mean, half = student_interval(known)
    return f"{mean:.1f} ± {half:.1f}"


if __name__ == "__main__":
    main()
