"""Picture sets: found, read, matched to a vocabulary, and held in memory or streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import Vocabulary
from training.data.decode import Decoder, Pixels, pool, shape_for, threads_for
from training.data.errors import Broken, DataError
from training.data.folders import read_folders
from training.data.memory import Cache, decoded_bytes, gigabytes, in_memory
from training.data.order import Indices, spread
from training.data.pictures import InMemory, Pictures, Streamed, decode_all
from training.data.shards import read_shards
from training.data.split import Half
from training.data.words import targets_of, vocabulary_of

SIDE = 160
"""Pixels along the side of decoded pictures that come in different sizes."""
MAX_BAD = 0.01
_FOLDER_NAMES = {"objects": "object", "scenes": "scene", "captions": "word"}


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """One half (train or validation) of a set."""

    vocabulary: Vocabulary
    pictures: Pictures
    targets: NDArray[np.float32] | NDArray[np.int64]
    """(N,) class numbers, or (N, words): the share of people who said each word."""

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Pictures that could not be decoded: all of them where the set is in memory, else those met so far."""
        return self.pictures.broken

    def sample(self, number: int) -> Pixels:
        """At most ``number`` pictures (n, H, W, 3) from all over the set, the same each time. Raises DataError."""
        return self.pictures.take(spread(len(self.pictures), number, self.pictures.blocks))[0]

    def subset(self, indices: Indices) -> PictureSet:
        """Some of the pictures as a set of their own, in memory. Raises DataError."""
        pixels, shown = self.pictures.take(indices)
        return replace(self, pictures=InMemory.of(pixels), targets=self.targets[shown])

    def walk(self, batch: int, part: slice = slice(None)) -> Iterator[tuple[Indices, Pixels]]:
        """Each good picture of the set, or of a part of it, once and in order: (n,) indices and (n, H, W, 3).

        Raises DataError.
        """
        whole = np.arange(len(self.pictures))[part]
        asked = [whole[start : start + batch] for start in range(0, len(whole), batch)]
        for at, indices in enumerate(asked):
            for coming in asked[at : at + 2]:
                self.pictures.ahead(coming)
            pixels, shown = self.pictures.take(indices)
            good = shown == indices
            if good.any():
                yield indices[good], pixels[good]


def load(
    spec: str, half: str, vocabulary: Vocabulary | None = None, *,
    cache: Cache = "auto", side: int = SIDE, max_bad: float = MAX_BAD, rank: int = 0, world: int = 1,
) -> PictureSet:  # fmt: skip
    """The ``train`` or ``validation`` half of ``[NAME=]PATH``; rank 0 prints one line about it.

    With ``vocabulary`` (of a checkpoint) the targets are given in its order and no word file is read.
    ``cache``: decoded into ``memory``, or streamed (``none``), or ``auto``: in memory where that takes at most half of
    what is free. ``side``: of the square to which pictures of different sizes are brought. ``max_bad``: how many
    pictures may be broken; below 1 a share of the set, rounded up, else a number. ``world``: how many processes share
    this machine. Raises DataError.
    """
    name, folder = parse(spec)
    raw = read(folder, half)
    if vocabulary is None:
        vocabulary = vocabulary_of(name, folder, raw)
    targets = targets_of(folder, raw, vocabulary)
    where = f"the {half} half of {folder}"
    decoder = Decoder(raw.pictures, shape_for(raw.pictures, side), max_bad, where)
    held = in_memory(decoder, cache, where, world)
    pictures = (decode_all if held else Streamed)(decoder, pool(threads_for(world)))
    if rank == 0:
        print(_line(name, half, decoder, held), flush=True)
    return PictureSet(vocabulary=vocabulary, pictures=pictures, targets=targets)


def _line(name: str, half: str, decoder: Decoder, held: bool) -> str:
    height, width = decoder.shape
    size = gigabytes(decoded_bytes(decoder))
    how = f"in memory ({size})" if held else f"streamed ({size} decoded)"
    broken = decoder.broken
    skipped = f"; {len(broken)} broken and skipped, the first {broken[0]}" if broken else ""
    return f"{name} {half}: {len(decoder.pictures):,} pictures, {width} × {height} px, {how}{skipped}"


def match(spec: str, vocabularies: Sequence[Vocabulary]) -> Vocabulary:
    """The vocabulary of a checkpoint that a set measures: by class names, or by its captions. Raises DataError."""
    _, folder = parse(spec)
    raw = read(folder, "validation")
    for vocabulary in vocabularies:
        fits = vocabulary.activation == "sigmoid" if raw.captions else set(raw.classes) <= set(vocabulary.ids)
        if fits:
            return vocabulary
    raise DataError(f"No vocabulary of this checkpoint has the classes of {folder}.")


def check_apart(vocabularies: Sequence[Vocabulary]) -> None:
    """Raises DataError where two sets would be one: the same name, or the same classes."""
    for one, other in combinations(vocabularies, 2):
        if one.name == other.name:
            raise DataError(f"Two sets are named {one.name!r}: give one of them another name, as --data NAME=PATH.")
        if one.activation == other.activation == "softmax" and set(one.ids) == set(other.ids):
            raise DataError(
                f"The sets {one.name!r} and {other.name!r} have the same classes: put their pictures into one set, or "
                "name it once."
            )


def parse(spec: str) -> tuple[str, Path]:
    """``[NAME=]PATH`` to a vocabulary name and a folder. Raises DataError where there is no such folder."""
    name, _, path = spec.rpartition("=")
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: --data takes [NAME=]PATH of Parquet shards or class folders.")
    return name or _FOLDER_NAMES.get(folder.resolve().name, folder.resolve().name), folder


def read(folder: Path, half: str) -> Half:
    """The half of a folder of shards or class folders; no picture is read yet. Raises DataError."""
    shards = sorted(folder.glob(f"{half}-*.parquet"))
    if shards:
        return read_shards(shards)
    if any(folder.glob("*.parquet")):
        raise DataError(f"{folder} holds Parquet shards, but none named {half}-*.parquet.")
    return read_folders(folder, half)
