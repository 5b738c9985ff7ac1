"""Picture sets: found, read, matched to a vocabulary, and kept in memory or streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import Vocabulary
from training.data.decode import Decoder, Pixels, pool, shape_for, threads_for
from training.data.errors import BrokenPicture, DataError
from training.data.layouts import read_split
from training.data.memory import Cache, decoded_bytes, fits_in_memory, format_bytes
from training.data.order import Indices, evenly_spaced
from training.data.pictures import InMemory, Pictures, Streamed, decode_all
from training.data.split import Split, SplitName
from training.data.words import targets_of, vocabulary_of

SIDE = 160
"""Pixels along the side of decoded pictures that come in different sizes."""
MAX_BAD = 0.01
"""Share of the pictures of a set that may be broken."""
_NAMES_OF_FOLDERS = {"objects": "object", "scenes": "scene", "captions": "word"}


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """The train or validation split of a set, N decoded pictures with their targets."""

    name: str
    """What the set is called where several teach one vocabulary: the name of its folder."""
    vocabulary: Vocabulary
    pictures: Pictures
    targets: NDArray[np.float32] | NDArray[np.int64]
    """(N,) class numbers, or (N, words): the share of people who said each word."""

    @property
    def broken(self) -> tuple[BrokenPicture, ...]:
        """Pictures that could not be decoded: all of them where the set is in memory, else those met so far."""
        return self.pictures.broken

    def sample(self, number: int) -> Pixels:
        """At most ``number`` pictures (n, H, W, 3) from all over the set, the same each time. Raises DataError."""
        indices = evenly_spaced(len(self.pictures), number, self.pictures.blocks)
        return self.pictures.read_batch(indices)[0]

    def subset(self, indices: Indices) -> PictureSet:
        """The pictures at ``indices`` as a set of their own, in memory. Raises DataError."""
        pixels, actual = self.pictures.read_batch(indices)
        return replace(self, pictures=InMemory.of(pixels), targets=self.targets[actual])

    def iterate_batches(self, batch: int, part: slice = slice(None)) -> Iterator[tuple[Indices, Pixels]]:
        """Each good picture of the set, or of a part of it, once and in order: (n,) indices and (n, H, W, 3) pixels.

        Raises DataError.
        """
        rows = np.arange(len(self.pictures))[part]
        batches = [rows[start : start + batch] for start in range(0, len(rows), batch)]
        for number, indices in enumerate(batches):
            for upcoming in batches[number : number + 2]:
                self.pictures.prefetch(upcoming)
            pixels, actual = self.pictures.read_batch(indices)
            good = actual == indices
            if good.any():
                yield indices[good], pixels[good]


def load(
    spec: str,
    split: SplitName,
    vocabulary: Vocabulary | None = None,
    *,
    cache: Cache = "auto",
    side: int = SIDE,
    max_bad: float = MAX_BAD,
    rank: int = 0,
    world: int = 1,
) -> PictureSet:
    """The ``train``, ``validation`` or ``evaluation`` split of ``[NAME=]PATH``; rank 0 prints a line about it.

    Further lines say how it was found, where that may surprise.

    With ``vocabulary`` (of a checkpoint) the targets are given in its order and no word file is read.
    ``cache``: decoded into ``memory``, or streamed (``none``), or ``auto``: in memory where that takes at most half of
    what is free. ``side``: of the square to which pictures of different sizes are brought. ``max_bad``: how many
    pictures may be broken; below 1 a share of the set, rounded up, else a number. ``world``: how many processes share
    this machine. Raises DataError.
    """
    name, folder = parse_spec(spec)
    encoded = read_split(folder, split)
    if vocabulary is None:
        vocabulary = vocabulary_of(name, folder, encoded)
    targets = targets_of(folder, encoded, vocabulary)
    place = f"the {split} split of {folder}"
    decoder = Decoder(encoded.pictures, shape_for(encoded.pictures, side), max_bad, place)
    in_memory = fits_in_memory(decoder, cache, place, world)
    pictures = (decode_all if in_memory else Streamed)(decoder, pool(threads_for(world)))
    if rank == 0:
        lines = [_summary(name, split, decoder, in_memory), *(f"  {note}." for note in encoded.notes)]
        print(*lines, sep="\n", flush=True)
    return PictureSet(name=folder.resolve().name, vocabulary=vocabulary, pictures=pictures, targets=targets)


def _summary(name: str, split: SplitName, decoder: Decoder, in_memory: bool) -> str:
    height, width = decoder.shape
    size = format_bytes(decoded_bytes(decoder))
    storage = f"in memory ({size})" if in_memory else f"streamed ({size} decoded)"
    broken = decoder.broken
    skipped = f"; {len(broken)} broken and skipped, the first {broken[0]}" if broken else ""
    return f"{name} {split}: {len(decoder.pictures):,} pictures, {width} × {height} px, {storage}{skipped}"


def load_for(vocabularies: Sequence[Vocabulary], spec: str, split: SplitName, *, cache: Cache = "auto") -> PictureSet:
    """A split of ``[NAME=]PATH`` for the vocabulary of a checkpoint that it measures; as ``load``. Raises DataError."""
    return load(spec, split, match_vocabulary(spec, vocabularies), cache=cache)


def load_with_files(
    vocabularies: Sequence[Vocabulary], spec: str, *, cache: Cache = "auto"
) -> tuple[PictureSet, Split]:
    """What an evaluation measures of ``[NAME=]PATH``, decoded as by ``load_for`` and as it lies on disk.

    Raises DataError.
    """
    return load_for(vocabularies, spec, "evaluation", cache=cache), read_split(find_folder(spec)[1], "evaluation")


def match_vocabulary(spec: str, vocabularies: Sequence[Vocabulary]) -> Vocabulary:
    """The vocabulary of a checkpoint that ``[NAME=]PATH`` measures: the one called NAME.

    Without NAME the one that the folder names, else the first one with its classes, or with words for its captions.
    Raises DataError where none fits, or NAME does not.
    """
    name, folder = find_folder(spec)
    split = read_split(folder, "evaluation")
    fitting = {
        one.name: one
        for one in vocabularies
        if (one.activation == "sigmoid" if split.captions else set(split.classes) <= set(one.ids))
    }
    for wanted in [name] if name else [_name_of(folder), *fitting]:
        if wanted in fitting:
            return fitting[wanted]
    what = f"vocabulary {name!r}" if name else "vocabulary"
    names = ", ".join(one.name for one in vocabularies)
    instead = (
        " or ".join(f"{one}={folder}" for one in fitting) or f"a set whose classes are all known to one of {names}"
    )
    raise DataError(f"This checkpoint has no {what} with the classes of {folder}: give {instead}.")


def readings(spec: str) -> list[tuple[str, str]]:
    """The ways to read ``[NAME=]PATH`` as a name and a path, which may have an ``=`` in it itself; no name first."""
    return [("", spec), *((spec[:at], spec[at + 1 :]) for at, sign in enumerate(spec) if sign == "=")]


def parse_spec(spec: str) -> tuple[str, Path]:
    """The vocabulary name and the folder of ``[NAME=]PATH``; without NAME the folder tells it. Raises DataError."""
    name, folder = find_folder(spec)
    return name or _name_of(folder), folder


def find_folder(spec: str) -> tuple[str, Path]:
    """The name, empty where none is given, and the folder of ``[NAME=]PATH``; a path that exists is a path.

    Raises DataError where there is no such folder.
    """
    for name, path in readings(spec):
        folder = Path(path).expanduser()
        if path and folder.is_dir():
            return name, folder
    name, _, path = spec.partition("=")
    path = spec if not path or "/" in name else path
    what = f"{path} is a file" if Path(path).expanduser().is_file() else f"There is no folder {path}"
    raise DataError(f"{what}: give [NAME=]PATH, a folder of class folders or shards (docs/data.md).")


def _name_of(folder: Path) -> str:
    """What a vocabulary is called that only its folder names."""
    name = folder.resolve().name
    return _NAMES_OF_FOLDERS.get(name, name)
