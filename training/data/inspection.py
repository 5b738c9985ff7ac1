"""What is in a picture set, and what is wrong with it, found by decoding all of it once."""

from __future__ import annotations

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from model.preprocess import upright_rgb
from model.vocabulary import Vocabulary
from training.data.decode import Pixels, pool, said, shape_for, threads_for
from training.data.errors import Broken, DataError
from training.data.sets import parse, read
from training.data.split import Encoded, Half
from training.data.words import targets_of, vocabulary_of

HALVES = ("train", "validation")
_RUN = 64  # pictures that one task decodes
_SORTED = 0.5  # share of neighbours of one class from which rows count as sorted


@dataclass(kw_only=True)
class Seen:
    """All pictures of one half, once decoded."""

    half: Half
    shape: tuple[int, int]
    """(H, W) that training would decode them to."""
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Upright (width, height) of the pictures."""
    modes: Counter[str] = field(default_factory=Counter)
    """Pillow's names; ``grey in RGB`` for three channels that are equal."""
    broken: list[Broken] = field(default_factory=list)
    same: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Indices by a hash of the pixels."""

    def name(self, index: int) -> str:
        """A picture's path, or ``SHARD:ROW``."""
        return self.half.pictures.name(index)

    def label(self, index: int) -> str:
        """Its class; nothing where there are captions."""
        return self.half.classes[self.half.labels[index]] if len(self.half.labels) else ""

    def counts(self) -> dict[str, int]:
        """Pictures of each class."""
        numbers = np.bincount(self.half.labels, minlength=len(self.half.classes))
        return dict(zip(self.half.classes, numbers.tolist(), strict=True))

    def decoded_bytes(self) -> int:
        """In memory, three bytes a pixel."""
        return len(self.half.pictures) * self.shape[0] * self.shape[1] * 3


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Both halves of a set."""

    folder: Path
    vocabulary: Vocabulary
    halves: dict[str, Seen]

    def duplicates(self, half: str) -> list[list[str]]:
        """Pictures of one half with equal pixels."""
        seen = self.halves[half]
        return [[seen.name(i) for i in group] for group in seen.same.values() if len(group) > 1]

    def leaks(self) -> list[list[str]]:
        """Training pictures with the pixels of a validation picture, and those."""
        train, held = (self.halves[half] for half in HALVES)
        return [
            [*map(train.name, group), *map(held.name, held.same[digest])]
            for digest, group in train.same.items() if digest in held.same
        ]  # fmt: skip

    def two_classes(self) -> list[list[str]]:
        """Pictures with equal pixels and different classes, as ``NAME = CLASS``."""
        groups: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
        for seen in self.halves.values():
            for digest, indices in seen.same.items():
                groups[digest] += [(seen.name(i), seen.label(i)) for i in indices]
        return [[f"{n} = {c}" for n, c in group] for group in groups.values() if len({c for _, c in group}) > 1]

    def remarks(self) -> Iterator[str]:
        """What else may surprise, a sentence each."""
        train, held = (self.halves[half] for half in HALVES)
        unseen = sorted(set(train.half.classes) - {c for c, n in held.counts().items() if n})
        if unseen:
            yield f"Classes without a validation picture, {len(unseen)}: {', '.join(unseen[:5])}."
        blocks, labels = train.half.pictures.blocks, train.half.labels
        few = blocks is not None and blocks.window < len(blocks.rows)
        if few and len(labels) > 1 and float((labels[1:] == labels[:-1]).mean()) > _SORTED:
            yield "The rows lie sorted by class and too many to be mixed in full: shuffle them, and write them anew."

    def record(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "name": self.vocabulary.name, "folder": str(self.folder), "activation": self.vocabulary.activation,
            "labels": len(self.vocabulary),
            **{half: _record(seen, self.duplicates(half)) for half, seen in self.halves.items()},
            "leaks": self.leaks(), "two_classes": self.two_classes(), "remarks": list(self.remarks()),
        }  # fmt: skip


def _record(seen: Seen, duplicates: list[list[str]]) -> dict[str, Any]:
    captions = [len(said) for said in seen.half.captions]
    told = {"captions": sum(captions)} if captions else {"classes": seen.counts()}
    return {
        "pictures": len(seen.half.pictures), **told, "sizes": spans(seen), "shapes": len(seen.sizes),
        "modes": dict(seen.modes.most_common()), "decoded_shape": seen.shape, "decoded_bytes": seen.decoded_bytes(),
        "broken": [{"name": one.name, "reason": one.reason} for one in seen.broken], "duplicates": duplicates,
    }  # fmt: skip


def spans(seen: Seen) -> dict[str, list[int]]:
    """Smallest, median and largest ``width`` and ``height`` in pixels."""
    numbers = list(seen.sizes.values())
    measured = {}
    for axis, name in enumerate(("width", "height")):
        sides = np.repeat([size[axis] for size in seen.sizes], numbers)
        measured[name] = [int(n) for n in (sides.min(), np.median(sides), sides.max())]
    return measured


def inspect(spec: str, side: int, track: Callable[[Iterable[Any], int], Iterable[Any]]) -> Inspection:
    """Both halves of ``[NAME=]PATH``, every picture decoded; ``track(items, total)`` may show how far it is.

    Raises DataError for a set that cannot be used.
    """
    name, folder = parse(spec)
    halves = {half: read(folder, half) for half in HALVES}
    vocabulary = vocabulary_of(name, folder, halves["train"])
    targets_of(folder, halves["validation"], vocabulary)
    seen = {half: _look_at(one, side, track) for half, one in halves.items()}
    return Inspection(folder=folder, vocabulary=vocabulary, halves=seen)


def _look_at(half: Half, side: int, track: Callable[[Iterable[Any], int], Iterable[Any]]) -> Seen:
    seen, count = Seen(half=half, shape=shape_for(half.pictures, side)), len(half.pictures)
    starts = range(0, count, _RUN)
    looks = pool(threads_for(1)).map(lambda start: _looks(half.pictures, start), starts)
    for start, found in zip(starts, track(looks, len(starts)), strict=True):
        for index, look in enumerate(found, start):
            if isinstance(look, Broken):
                seen.broken.append(look)
            else:
                size, mode, digest = look
                seen.sizes[size] += 1
                seen.modes[mode] += 1
                seen.same[digest].append(index)
    return seen


Look = tuple[tuple[int, int], str, bytes] | Broken


def _looks(pictures: Encoded, start: int) -> list[Look]:
    return [_look(pictures, index) for index in range(start, min(start + _RUN, len(pictures)))]


def _look(pictures: Encoded, index: int) -> Look:
    """Upright size, mode and hash of the pixels of one picture."""
    try:
        with Image.open(io.BytesIO(pictures.read(index))) as picture:
            mode, pixels = picture.mode, np.asarray(upright_rgb(picture))
    except DataError:
        raise
    except Exception as error:  # a hostile or damaged file makes Pillow raise nearly anything
        return Broken(pictures.name(index), said(error))
    if mode in ("RGB", "RGBA", "P") and _grey(pixels):
        mode = f"grey in {mode}"
    height, width, _ = pixels.shape
    digest = hashlib.blake2b(f"{width} {height} ".encode() + pixels.tobytes(), digest_size=16).digest()
    return (width, height), mode, digest


def _grey(pixels: Pixels) -> bool:
    """Whether the channels are equal but for a decoder's rounding; a few pixels show that most pictures are not."""
    return all(int(np.ptp(some, axis=-1).max()) <= 1 for some in (pixels[::8, ::8], pixels))
