"""Several sets that teach one vocabulary: its labels are those of all of them, a class from wherever it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import Vocabulary
from training.data.errors import DataError
from training.data.memory import Cache
from training.data.sets import MAX_BAD, SIDE, PictureSet, load, parse_spec


def unite(sets: Sequence[PictureSet]) -> list[PictureSet]:
    """The same sets, where those whose vocabularies have one name share one vocabulary.

    Its labels are those of the first of them, then what each later one adds. Raises DataError where two of them cannot
    be one, or where two of different names have the same classes.
    """
    united = {vocabulary.name: vocabulary for vocabulary in united_vocabularies([one.vocabulary for one in sets])}
    return [_retargeted(one, united[one.vocabulary.name]) for one in sets]


def load_united(
    specs: Sequence[str],
    *,
    side: int = SIDE,
    cache: Cache = "auto",
    max_bad: float = MAX_BAD,
    rank: int = 0,
    world: int = 1,
) -> tuple[list[PictureSet], list[PictureSet]]:
    """The training and the validation splits of the sets ``[NAME=]PATH``, united; see ``load``. Raises DataError."""
    read = partial(load, side=side, cache=cache, max_bad=max_bad, rank=rank, world=world)
    check_apart(specs)
    training = unite([read(spec, "train") for spec in specs])
    return training, [read(spec, "validation", one.vocabulary) for spec, one in zip(specs, training, strict=True)]


def check_apart(specs: Sequence[str]) -> None:
    """Raise DataError where two of the sets ``[NAME=]PATH`` lie in folders of one name, by which figures name them."""
    for name, number in Counter(parse_spec(spec)[1].resolve().name for spec in specs).items():
        if number > 1:
            raise DataError(f"{number} sets lie in folders called {name}, and could not be told apart: rename one.")


def united_vocabularies(vocabularies: Sequence[Vocabulary]) -> list[Vocabulary]:
    """One vocabulary for each name, in the order in which the names come. Raises DataError as :func:`unite` does."""
    by_name: dict[str, Vocabulary] = {}
    for vocabulary in vocabularies:
        first = by_name.setdefault(vocabulary.name, vocabulary)
        if first.activation != vocabulary.activation:
            raise DataError(
                f"A set of classes and one of captions are both named {vocabulary.name!r}: give one of them another "
                "name, as --data NAME=PATH."
            )
        labels = {label.id: label for label in (*vocabulary.labels, *first.labels)}
        order = dict.fromkeys((*first.ids, *vocabulary.ids))
        by_name[vocabulary.name] = replace(first, labels=tuple(labels[name] for name in order))
    for one, other in combinations(by_name.values(), 2):
        if one.activation == other.activation == "softmax" and set(one.ids) == set(other.ids):
            raise DataError(
                f"The sets {one.name!r} and {other.name!r} have the same classes: name both {one.name!r}, as "
                f"--data {one.name}=PATH, or leave one out."
            )
    return list(by_name.values())


def _retargeted(one: PictureSet, vocabulary: Vocabulary) -> PictureSet:
    """The set with its targets in another vocabulary, which holds all its labels; a word it does not ask for is NaN."""
    row_of = {label: row for row, label in enumerate(vocabulary.ids)}
    rows = np.array([row_of[label] for label in one.vocabulary.ids], np.int64)
    targets: NDArray[np.float32] | NDArray[np.int64]
    if vocabulary.activation == "softmax":
        targets = rows[one.targets]
    else:
        targets = np.full((len(one.targets), len(vocabulary)), np.nan, np.float32)
        targets[:, rows] = one.targets
    return replace(one, vocabulary=vocabulary, targets=targets)
