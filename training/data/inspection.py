"""Inspects a picture set: its content and its faults, found by decoding all of it once."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.pictures.opening import open_picture
from model.pictures.upright import upright_rgb
from model.vocabulary import Vocabulary
from training.data.decode import Pixels, pool, reason_of, shape_for, threads_for
from training.data.errors import BrokenPicture, DataError
from training.data.layouts import read_split
from training.data.sets import parse_spec
from training.data.split import SPLITS, EncodedPictures, Split, TrainingSplit
from training.data.survey import doubts_about
from training.data.words import targets_of, vocabulary_of

_PICTURES_PER_TASK = 64
_SORTED = 0.5  # share of neighbours of one class from which rows count as sorted


@dataclass(kw_only=True)
class InspectedSplit:
    """The findings about one split, all of whose pictures were decoded once."""

    split: Split
    shape: tuple[int, int]
    """(H, W) that training would decode them to."""
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Upright (width, height) of the pictures."""
    modes: Counter[str] = field(default_factory=Counter)
    """Pillow's names; ``grey in RGB`` for three channels that are equal."""
    broken: list[BrokenPicture] = field(default_factory=list)
    by_digest: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Hash of the pixels -> indices of the pictures that have them."""

    def name(self, index: int) -> str:
        """A picture's path, or ``SHARD:ROW``."""
        return self.split.pictures.name(index)

    def label(self, index: int) -> str:
        """The name of a picture's class; empty where there are captions."""
        return self.split.classes[self.split.labels[index]] if len(self.split.labels) else ""

    def counts(self) -> dict[str, int]:
        """The number of pictures of each class."""
        numbers = np.bincount(self.split.labels, minlength=len(self.split.classes))
        return dict(zip(self.split.classes, numbers.tolist(), strict=True))

    def decoded_bytes(self) -> int:
        """Bytes that the decoded pictures take in memory, three a pixel."""
        return len(self.split.pictures) * self.shape[0] * self.shape[1] * 3


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """The findings about both splits of a set."""

    folder: Path
    vocabulary: Vocabulary
    splits: dict[TrainingSplit, InspectedSplit]

    def duplicates(self, split: TrainingSplit) -> list[list[str]]:
        """Groups of pictures of one split with equal pixels, by name."""
        inspected = self.splits[split]
        return [[inspected.name(i) for i in group] for group in inspected.by_digest.values() if len(group) > 1]

    def leaks(self) -> list[list[str]]:
        """Groups of training and validation pictures with equal pixels, by name."""
        train, validation = (self.splits[split] for split in SPLITS)
        return [
            [*map(train.name, group), *map(validation.name, validation.by_digest[digest])]
            for digest, group in train.by_digest.items()
            if digest in validation.by_digest
        ]

    def two_classes(self) -> list[list[str]]:
        """Groups of pictures with equal pixels and different classes, as ``NAME = CLASS``."""
        groups: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
        for inspected in self.splits.values():
            for digest, indices in inspected.by_digest.items():
                groups[digest] += [(inspected.name(i), inspected.label(i)) for i in indices]
        return [[f"{n} = {c}" for n, c in group] for group in groups.values() if len({c for _, c in group}) > 1]

    def remarks(self) -> Iterator[str]:
        """Other findings that may surprise, a sentence each."""
        train, validation = (self.splits[split] for split in SPLITS)
        missing = sorted(set(train.split.classes) - {c for c, n in validation.counts().items() if n})
        if missing:
            yield f"Classes without a validation picture, {len(missing)}: {', '.join(missing[:5])}."
        blocks = train.split.pictures.blocks
        labels = train.split.labels
        partly_mixed = blocks is not None and blocks.window < len(blocks.rows)
        if partly_mixed and len(labels) > 1 and float((labels[1:] == labels[:-1]).mean()) > _SORTED:
            yield "The rows lie sorted by class and too many to be mixed in full: shuffle them, and write them anew."
        if self.vocabulary.activation == "softmax":
            yield from doubts_about(self.vocabulary.ids, str(self.folder))
        for note in (*train.split.notes, *validation.split.notes):
            yield f"{note[0].upper()}{note[1:]}."

    def record(self) -> dict[str, Any]:
        """All findings as plain JSON values."""
        return {
            "name": self.vocabulary.name,
            "folder": str(self.folder),
            "activation": self.vocabulary.activation,
            "labels": len(self.vocabulary),
            **{split: _record(inspected, self.duplicates(split)) for split, inspected in self.splits.items()},
            "leaks": self.leaks(),
            "two_classes": self.two_classes(),
            "remarks": list(self.remarks()),
        }


def _record(inspected: InspectedSplit, duplicates: list[list[str]]) -> dict[str, Any]:
    captions = sum(len(five) for five in inspected.split.captions)
    return {
        "pictures": len(inspected.split.pictures),
        **({"captions": captions} if captions else {"classes": inspected.counts()}),
        "sizes": size_ranges(inspected),
        "shapes": len(inspected.sizes),
        "modes": dict(inspected.modes.most_common()),
        "decoded_shape": inspected.shape,
        "decoded_bytes": inspected.decoded_bytes(),
        "broken": [{"name": picture.name, "reason": picture.reason} for picture in inspected.broken],
        "duplicates": duplicates,
    }


def size_ranges(inspected: InspectedSplit) -> dict[str, list[int]]:
    """Smallest, median and largest ``width`` and ``height`` of the pictures in pixels."""
    counts = list(inspected.sizes.values())
    ranges = {}
    for axis, name in enumerate(("width", "height")):
        sides = np.repeat([size[axis] for size in inspected.sizes], counts)
        ranges[name] = [int(side) for side in (sides.min(), np.median(sides), sides.max())]
    return ranges


def inspect(spec: str, side: int, track: Callable[[Iterable[Any], int], Iterable[Any]]) -> Inspection:
    """Inspect both splits of ``[NAME=]PATH``, every picture decoded; ``track(items, total)`` may show the progress.

    Raises DataError for a set that cannot be used.
    """
    name, folder = parse_spec(spec)
    splits = {split: read_split(folder, split) for split in SPLITS}
    vocabulary = vocabulary_of(name, folder, splits["train"])
    targets_of(folder, splits["validation"], vocabulary)  # raises for a class that the training pictures lack
    inspected = {name_of_split: _inspect_split(split, side, track) for name_of_split, split in splits.items()}
    return Inspection(folder=folder, vocabulary=vocabulary, splits=inspected)


def _inspect_split(split: Split, side: int, track: Callable[[Iterable[Any], int], Iterable[Any]]) -> InspectedSplit:
    inspected = InspectedSplit(split=split, shape=shape_for(split.pictures, side))
    starts = range(0, len(split.pictures), _PICTURES_PER_TASK)
    groups = pool(threads_for(1)).map(lambda start: _inspect_pictures(split.pictures, start), starts)
    for start, group in zip(starts, track(groups, len(starts)), strict=True):
        for index, picture in enumerate(group, start):
            if isinstance(picture, BrokenPicture):
                inspected.broken.append(picture)
            else:
                size, mode, digest = picture
                inspected.sizes[size] += 1
                inspected.modes[mode] += 1
                inspected.by_digest[digest].append(index)
    return inspected


InspectedPicture = tuple[tuple[int, int], str, bytes] | BrokenPicture
"""Upright (width, height), mode and hash of the pixels; or why the picture is broken."""


def _inspect_pictures(pictures: EncodedPictures, start: int) -> list[InspectedPicture]:
    indices = range(start, min(start + _PICTURES_PER_TASK, len(pictures)))
    return [_inspect_picture(pictures, index) for index in indices]


def _inspect_picture(pictures: EncodedPictures, index: int) -> InspectedPicture:
    try:
        with open_picture(pictures.read(index)) as picture:
            mode = picture.mode
            pixels = np.asarray(upright_rgb(picture))
    except DataError:
        raise
    except Exception as error:  # a hostile or damaged file makes Pillow raise nearly anything
        return BrokenPicture(pictures.name(index), reason_of(error))
    if mode in ("RGB", "RGBA", "P") and _grey(pixels):
        mode = f"grey in {mode}"
    height, width, _ = pixels.shape
    digest = hashlib.blake2b(f"{width} {height} ".encode() + pixels.tobytes(), digest_size=16).digest()
    return (width, height), mode, digest


def _grey(pixels: Pixels) -> bool:
    """Whether the channels are equal but for a decoder's rounding; a few pixels show that most pictures are not."""
    return all(int(np.ptp(some, axis=-1).max()) <= 1 for some in (pixels[::8, ::8], pixels))
