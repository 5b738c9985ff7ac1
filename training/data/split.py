"""A split of a set as it lies on disk: encoded pictures, and their classes or captions; and a tenth held out of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal, Protocol

import numpy as np

from training.data.errors import DataError
from training.data.order import Blocks, Indices

TrainingSplit = Literal["train", "validation"]
"""The splits that training needs."""
SplitName = Literal["train", "validation", "evaluation"]
"""``evaluation`` is what measures a finished network: the validation split, or all of a folder that is itself a split
(``set/test``)."""
SPLITS: tuple[TrainingSplit, TrainingSplit] = ("train", "validation")


class EncodedPictures(Protocol):
    """Encoded pictures, read one at a time, from several threads."""

    @property
    def blocks(self) -> Blocks | None:
        """The pictures that are read together; None where each can be read alone."""

    @property
    def cached_bytes(self) -> int:
        """Bytes that reading in the order of ``stream`` keeps in memory."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> bytes:
        """The encoded picture. Raises OSError or ValueError for this picture, DataError where more than it is lost."""

    def name(self, index: int) -> str:
        """The picture's name for a person: a path, or ``SHARD:ROW``."""

    def key(self, index: int) -> str:
        """What the picture is known by within its set, wherever the set lies, and also when others are added."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """A split of a set. No picture is read before it is asked for."""

    pictures: EncodedPictures
    classes: tuple[str, ...]
    """The names of the classes; none where there are captions."""
    labels: Indices
    """(N,) numbers of classes; (0,) where there are captions."""
    captions: list[list[str]]
    """The captions that people wrote of each picture; empty where there are labels."""
    notes: tuple[str, ...] = ()
    """What a person should know of how the split was found: sentences without their full stop."""

    def noted(self, notes: Iterable[str]) -> Split:
        """The same split with more notes, which come first."""
        return replace(self, notes=(*notes, *self.notes))


class Subset:
    """Some pictures of others, in their order."""

    def __init__(self, pictures: EncodedPictures, indices: Indices) -> None:
        self._pictures = pictures
        self._indices = indices
        self.blocks = _blocks_of(pictures.blocks, indices)
        self.cached_bytes = pictures.cached_bytes

    def __len__(self) -> int:
        return len(self._indices)

    def read(self, index: int) -> bytes:
        """The encoded picture. Raises what reading it from the others raises."""
        return self._pictures.read(int(self._indices[index]))

    def name(self, index: int) -> str:
        """The picture's name for a person: a path, or ``SHARD:ROW``."""
        return self._pictures.name(int(self._indices[index]))

    def key(self, index: int) -> str:
        """What the picture is known by within its set."""
        return self._pictures.key(int(self._indices[index]))


def _blocks_of(blocks: Blocks | None, indices: Indices) -> Blocks | None:
    """The blocks of a subset: how many of its rows lie in each."""
    if blocks is None:
        return None
    starts = np.cumsum((0, *blocks.rows))
    counts = np.diff(np.searchsorted(indices, starts))
    return Blocks(tuple(int(count) for count in counts if count), blocks.window)


def hold_out(whole: Split, split: SplitName, place: str) -> Split:
    """The nine tenths for training, or the tenth of each class, at least one picture, that is held out.

    Those whose key has the lowest hash are held out, so that pictures added later move few others. ``place`` names the
    set in errors. Raises DataError for a class of one picture.
    """
    labels = whole.labels if len(whole.labels) else np.zeros(len(whole.pictures), np.int64)
    hashes = np.array([hash_of(whole.pictures.key(i)) for i in range(len(labels))], np.uint64)
    is_held_out = np.zeros(len(labels), np.bool_)
    for number, rows in enumerate(_rows_by_class(labels)):
        if len(rows) == 1:
            name = f"class {whole.classes[number]!r} of {place}" if whole.classes else place
            raise DataError(f"The {name} holds one picture, and both splits need one: add more.")
        is_held_out[rows[np.argsort(hashes[rows], kind="stable")][: max(1, len(rows) // 10)]] = True
    indices = np.flatnonzero(is_held_out if split != "train" else ~is_held_out)
    return replace(
        whole,
        pictures=Subset(whole.pictures, indices),
        labels=whole.labels[indices] if len(whole.labels) else whole.labels,
        captions=[whole.captions[i] for i in indices.tolist()] if whole.captions else [],
    )


def hash_of(text: str) -> int:
    """A number of 64 bits that stands for a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode(errors="surrogateescape"), digest_size=8).digest(), "big")


def _rows_by_class(labels: Indices) -> list[Indices]:
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels))[:-1])
