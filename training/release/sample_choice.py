"""Which photos make fair samples: what is said of each, and how often that is right of held-out pictures of its kind.

A photo's kinds are the labels that are true of it, and the subjects among the words that are. Whoever chooses samples
takes photos of which something true is said and whose kind has a high rate, so that the samples promise no more than
the network keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from model.checkpoint import Checkpoint
from model.describe import believe
from model.engines import Engine
from model.language.beliefs import PERSON_WORDS, Claim
from model.language.sentence import Caption, caption
from model.preprocess import prepare_all
from model.vocabulary import Label, Vocabulary
from training.data import PictureSet
from training.data.split import Split
from training.evaluation.predictions import is_for_fitting
from training.pages.gallery import describe_picture
from training.pages.photo_page import DescribedPhoto, read_photos

_BATCH = 32
_SAID_BY = 0.3
"""Least share of the people who said a word of a held-out picture that is of its kind: two of five."""


@dataclass(frozen=True)
class KindRate:
    """How sentences about the held-out pictures of one kind turned out."""

    vocabulary: str
    kind: str
    right: int
    """Sentences of which all that can be judged is true."""
    wrong: int
    """Sentences with a false claim."""
    n: int
    """All pictures; of the others the network said nothing that can be judged."""


@dataclass(frozen=True)
class Candidate:
    """A photo, what is said of it, and the rates of its kinds, best first."""

    photo: DescribedPhoto
    rates: tuple[KindRate, ...]


def candidates(
    network: Checkpoint, engine: Engine, folder: Path, sets: Sequence[tuple[PictureSet, Split]]
) -> list[Candidate]:
    """All photos of a folder's ``photos.json``: those with true sentences first, by the rate of their best kind.

    Raises ValueError as :func:`training.pages.photo_page.read_photos`, and OSError.
    """
    photos = []
    for photo in read_photos(folder):
        with Image.open(folder / photo.file) as picture:
            _, _, description = describe_picture(network, engine, picture)
        photos.append(DescribedPhoto.of(photo, description, network))
    names = {name for described in photos for name in described.photo.right}
    rates = [rate for one_set in sets for rate in kind_rates(network, engine, *one_set, names)]
    found = [Candidate(photo, tuple(rate for rate in rates if rate.kind in photo.photo.right)) for photo in photos]
    return sorted((_best_first(one) for one in found), key=_fitness, reverse=True)


def kind_rates(
    network: Checkpoint, engine: Engine, pictures: PictureSet, split: Split, names: set[str]
) -> Iterator[KindRate]:
    """Yield the rate of each of a set's labels that is among ``names``, on the pictures that nothing was fitted on."""
    for row, label in enumerate(pictures.vocabulary.labels):
        of_kind = _rows_of_kind(pictures, row, label) if label.name in names else np.array([], np.int64)
        rows = [int(i) for i in of_kind if not is_for_fitting(split.pictures.read(int(i)))]
        outcomes = [
            is_right(said, pictures.vocabulary, np.asarray(pictures.targets[i]))
            for i, said in _sentences(network, engine, pictures, rows)
        ]
        if outcomes:
            yield KindRate(
                pictures.vocabulary.name, label.name, outcomes.count(True), outcomes.count(False), len(outcomes)
            )


def _rows_of_kind(pictures: PictureSet, row: int, label: Label) -> np.ndarray:
    targets = np.asarray(pictures.targets, np.float64)
    if pictures.vocabulary.activation == "softmax":
        return np.flatnonzero(targets == row)
    return np.flatnonzero(targets[:, row] >= _SAID_BY) if label.role == "subject" else np.array([], np.int64)


def _sentences(
    network: Checkpoint, engine: Engine, pictures: PictureSet, rows: Sequence[int]
) -> Iterator[tuple[int, Caption]]:
    for start in range(0, len(rows), _BATCH):
        pixels, read = pictures.pictures.read_batch(np.array(rows[start : start + _BATCH]))
        inputs_NHWC = prepare_all(pixels, network.architecture)
        beliefs = believe(engine.run(inputs_NHWC).logits, network.vocabularies)
        yield from ((int(row), caption(of_one)) for row, of_one in zip(read, beliefs, strict=True))


def is_right(said: Caption, vocabulary: Vocabulary, target: np.ndarray) -> bool | None:
    """Whether all claims that the truth can judge are true; None where it can judge none, or nothing is claimed."""
    judged = [truth for truth in (_truth(claim, vocabulary, target) for claim in said.said) if truth is not None]
    return all(judged) if judged else None


def _truth(claim: Claim, vocabulary: Vocabulary, target: np.ndarray) -> bool | None:
    if vocabulary.activation == "softmax":
        label = vocabulary.labels[int(target)]
        true = claim.node in (label.name, *label.ancestors)
        return true if true or claim.vocabulary == vocabulary.name or claim.role == "subject" else None
    said = {label.name for label, share in zip(vocabulary.labels, target, strict=True) if share > 0}
    if claim.node == "person":
        return bool(said & PERSON_WORDS)
    return claim.node in said if claim.vocabulary == vocabulary.name else None


def _best_first(candidate: Candidate) -> Candidate:
    rates = sorted(candidate.rates, key=lambda rate: (rate.right - rate.wrong) / rate.n, reverse=True)
    return Candidate(candidate.photo, tuple(rates))


def _fitness(candidate: Candidate) -> tuple[bool, float]:
    photo = candidate.photo
    is_true = not photo.silent and not photo.wrong
    best = max(((rate.right - rate.wrong) / rate.n for rate in candidate.rates), default=-1.0)
    return is_true, best
