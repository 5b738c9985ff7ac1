"""What a set consists of, before any picture is decoded: what a run remembers of it, and what looks wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.picture_files import one_form
from model.vocabulary import Activation
from training.data.errors import DataError
from training.data.layouts import read_split
from training.data.order import evenly_spaced
from training.data.sets import parse_spec
from training.data.split import SPLITS, Split, hash_of
from training.data.split_names import are_split_names
from training.data.words import vocabulary_of

_SAMPLE = 64  # pictures of each split whose content a run remembers
_LISTED = 5
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class SetRecord:
    """What a run remembers of a set it learns from; plain values, so that a file can hold it."""

    name: str
    """The name of its vocabulary."""
    labels: list[str]
    """Its classes or words, in their order."""
    pictures: int
    """Number of pictures, held-out ones included."""
    fingerprint: str
    """Hash of all pictures' names in the set, and of their classes or captions."""
    sample: dict[str, str]
    """Hash of a picture's name and class -> hash of its content, for a few pictures from all over the set."""

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class SurveyedSet:
    """Both splits of a set as they lie on disk, with a hash for each picture."""

    folder: Path
    name: str
    activation: Activation
    labels: tuple[str, ...]
    """Its classes or words, in their order."""
    splits: tuple[tuple[Split, Hashes], ...]
    """Training and validation split, with (N,) hashes of name and class of each picture."""

    def record(self) -> SetRecord:
        """What a run should remember of the set. Reads a few pictures; raises DataError where a shard is damaged."""
        sample = {}
        for split, hashes in self.splits:
            for index in evenly_spaced(len(hashes), _SAMPLE, split.pictures.blocks).tolist():
                sample[f"{hashes[index]:016x}"] = _content(split, index)
        hashes = self._all_hashes()
        return SetRecord(
            name=self.name,
            labels=list(self.labels),
            pictures=len(hashes),
            fingerprint=blake2b(np.sort(hashes).tobytes(), digest_size=16).hexdigest(),
            sample=sample,
        )

    def count_lost(self, sample: Mapping[str, str]) -> int:
        """How many pictures of a remembered sample are gone, have another class, or hold something else."""
        found = {}
        for split, hashes in self.splits:
            for index, value in enumerate(hashes.tolist()):
                if (key := f"{value:016x}") in sample:
                    found[key] = _content(split, index)
        return sum(found.get(key) != content for key, content in sample.items())

    def _all_hashes(self) -> Hashes:
        return np.concatenate([hashes for _, hashes in self.splits])


def survey(spec: str) -> SurveyedSet:
    """Both splits of ``[NAME=]PATH``; no picture is read. Raises DataError for a set that cannot be used."""
    name, folder = parse_spec(spec)
    splits = [read_split(folder, split) for split in SPLITS]
    vocabulary = vocabulary_of(name, folder, splits[0])
    return SurveyedSet(
        folder=folder,
        name=name,
        activation=vocabulary.activation,
        labels=vocabulary.ids,
        splits=tuple((split, _hashes(split)) for split in splits),
    )


def doubts(sets: Sequence[SurveyedSet]) -> Iterator[str]:
    """What is probably not meant about the classes of sets, a sentence each; sets of one name are one vocabulary."""
    for name in dict.fromkeys(one.name for one in sets if one.activation == "softmax"):
        classes = list(dict.fromkeys(label for one in sets if one.name == name for label in one.labels))
        folders = " and ".join(str(one.folder) for one in sets if one.name == name)
        yield from doubts_about(classes, folders)


def doubts_about(classes: Sequence[str], place: str) -> Iterator[str]:
    """What is probably not meant about the classes of one vocabulary, a sentence each."""
    if len(classes) == 1:
        yield (
            f"{place} holds one class, {classes[0]!r}, and a network learns by telling classes apart: put the pictures "
            "into one folder for each class."
        )
    if are_split_names(classes):
        listed = ", ".join(classes[:_LISTED])
        yield (
            f"The classes of {place} are called like splits ({listed}): a split holds a folder for each class, and the "
            "pictures in it."
        )


def _hashes(split: Split) -> Hashes:
    """(N,) hashes of the name and the class, or the captions, of each picture."""
    pictures = split.pictures
    texts = split.captions or [[one_form(split.classes[label])] for label in split.labels.tolist()]
    return np.array([hash_of("\0".join((pictures.key(i), *text))) for i, text in enumerate(texts)], np.uint64)


def _content(split: Split, index: int) -> str:
    """Hash of an encoded picture; empty for one that cannot be read."""
    try:
        return blake2b(split.pictures.read(index), digest_size=8).hexdigest()
    except DataError:
        raise
    except (OSError, ValueError):
        return ""
