"""Picture sets: Parquet shards or class folders, decoded once into a uint8 cache."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from model.language.phrases import label_for
from model.preprocess import centre_square, upright_rgb
from model.vocabulary import Label, Vocabulary

_FOLDER_NAMES = {"objects": "object", "scenes": "scene", "captions": "word"}
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_CACHE_SIDE = 160  # of pictures that come in different sizes
_TOKEN = re.compile(r"[a-z0-9'-]+")


class DataError(ValueError):
    """A data folder that cannot be used; the message is one sentence for the person who named it."""


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """One half (train or validation) of a set."""

    vocabulary: Vocabulary
    pictures: NDArray[np.uint8]
    """(N, H, W, 3)"""
    targets: NDArray[np.float32] | NDArray[np.int64]
    """(N,) class numbers, or (N, words): the share of people who said each word."""


@dataclass(frozen=True, kw_only=True)
class _Raw:
    pictures: list[bytes | Path]
    labels: list[int]
    captions: list[list[str]]
    classes: list[str]


def load(spec: str, half: str, vocabulary: Vocabulary | None = None) -> PictureSet:
    """The ``train`` or ``validation`` half of ``[NAME=]PATH``.

    With ``vocabulary`` (of a checkpoint) the targets are given in its order and no word file is read. Raises DataError.
    """
    name, folder = parse(spec)
    raw = _read(folder, half)
    if vocabulary is None:
        vocabulary = _vocabulary(name, folder, raw)
    pictures = _decode(raw.pictures)
    if raw.captions:
        return PictureSet(vocabulary=vocabulary, pictures=pictures, targets=_shares(raw.captions, vocabulary.labels))
    try:
        order = np.array([vocabulary.ids.index(c) for c in raw.classes], np.int64)
    except ValueError as error:
        raise DataError(f"{folder} holds a class that the vocabulary {vocabulary.name!r} lacks.") from error
    return PictureSet(vocabulary=vocabulary, pictures=pictures, targets=order[np.array(raw.labels, np.int64)])


def match(spec: str, vocabularies: Sequence[Vocabulary]) -> Vocabulary:
    """The vocabulary of a checkpoint that a set measures: by class names, or by its captions. Raises DataError."""
    _, folder = parse(spec)
    raw = _read(folder, "validation")
    for vocabulary in vocabularies:
        fits = vocabulary.kind == "independent" if raw.captions else set(raw.classes) <= set(vocabulary.ids)
        if fits:
            return vocabulary
    raise DataError(f"No vocabulary of this checkpoint has the classes of {folder}.")


def parse(spec: str) -> tuple[str, Path]:
    """``[NAME=]PATH`` to a vocabulary name and a folder. Raises DataError where there is no such folder."""
    name, _, path = spec.rpartition("=")
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: --data takes [NAME=]PATH of Parquet shards or class folders.")
    return name or _FOLDER_NAMES.get(folder.resolve().name, folder.resolve().name), folder


def _read(folder: Path, half: str) -> _Raw:
    shards = sorted(folder.glob(f"{half}-*.parquet"))
    if shards:
        return _read_shards(shards)
    if any(folder.glob("*.parquet")):
        raise DataError(f"{folder} holds Parquet shards, but none named {half}-*.parquet.")
    return _read_folders(folder, half)


def _read_shards(shards: list[Path]) -> _Raw:
    pictures: list[bytes | Path] = []
    labels: list[int] = []
    captions: list[list[str]] = []
    classes: list[str] = []
    for shard in shards:
        table = pq.read_table(shard)
        pictures += [cell["bytes"] for cell in _column(table, "image")]
        if "captions" in table.column_names:
            captions += _column(table, "captions")
        elif "label" in table.column_names:
            labels += _column(table, "label")
            info = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
            classes = info["info"]["features"]["label"]["names"] if info else [str(i) for i in range(max(labels) + 1)]
        else:
            raise DataError(f"{shard} has neither a label nor a captions column.")
    return _Raw(pictures=pictures, labels=labels, captions=captions, classes=classes)


def _column(table: pa.Table, name: str) -> list[Any]:
    return table.column(name).to_pylist()


def _read_folders(folder: Path, half: str) -> _Raw:
    """``train/`` and ``val/`` inside where they exist; else a seeded tenth of each class is held out."""
    inside = folder / ("train" if half == "train" else "val")
    split = not inside.is_dir()
    root = folder if split else inside
    classes = sorted(p.name for p in root.iterdir() if p.is_dir() and any(_pictures_in(p)))
    if not classes:
        raise DataError(f"{root} holds neither Parquet shards nor folders of pictures, one for each class.")
    pictures: list[bytes | Path] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        found = sorted(_pictures_in(root / name))
        if split:
            order = np.random.default_rng(number).permutation(len(found))
            held = max(1, len(found) // 10)
            found = [found[i] for i in (order[held:] if half == "train" else order[:held])]
        pictures += found
        labels += [number] * len(found)
    return _Raw(pictures=pictures, labels=labels, captions=[], classes=classes)


def _pictures_in(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)


def _decode(sources: Sequence[bytes | Path]) -> NDArray[np.uint8]:
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(_open, sources))
        if len({p.shape for p in pictures}) > 1:
            pictures = list(pool.map(_square, pictures))
    return np.stack(pictures)


def _open(source: bytes | Path) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
        rgb = upright_rgb(picture)
        if isinstance(source, Path):
            rgb.thumbnail((4 * _CACHE_SIDE, 4 * _CACHE_SIDE))
        return np.asarray(rgb)


def _square(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(pixels)
    crop = centre_square(*picture.size)
    box = (crop.x, crop.y, crop.x + crop.width, crop.y + crop.height)
    return np.asarray(picture.resize((_CACHE_SIDE, _CACHE_SIDE), Image.Resampling.BICUBIC, box=box))


def _vocabulary(name: str, folder: Path, raw: _Raw) -> Vocabulary:
    if not raw.captions:
        return Vocabulary(name=name, kind="exclusive", labels=tuple(label_for(name, c) for c in raw.classes))
    words = folder / "words.txt"
    forms = _read_words(words) if words.is_file() else _common_words(raw.captions)
    return Vocabulary(
        name=name, kind="independent", labels=tuple(label_for(name, w, forms=f) for w, f in forms.items())
    )


def _read_words(path: Path) -> dict[str, tuple[str, ...]]:
    lines = (line.split("\t") for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return {word: tuple(forms.split()) for word, forms in lines}


def _common_words(captions: list[list[str]]) -> dict[str, tuple[str, ...]]:
    """Every word said of at least one picture in a hundred, by anybody."""
    said = Counter(word for five in captions for word in {w for c in five for w in _TOKEN.findall(c.lower())})
    return {word: (word,) for word, n in sorted(said.items()) if n >= len(captions) / 100 and len(word) > 2}


def _shares(captions: list[list[str]], words: Sequence[Label]) -> NDArray[np.float32]:
    shares = np.zeros((len(captions), len(words)), np.float32)
    index: dict[str, list[int]] = {}
    for i, word in enumerate(words):
        for form in {word.id, *word.forms}:
            index.setdefault(form, []).append(i)
    for row, five in zip(shares, captions, strict=True):
        for caption in five:
            row[list({i for token in _TOKEN.findall(caption.lower()) for i in index.get(token, ())})] += 1 / len(five)
    return shares


def stream(count: int, start: int, number: int, seed: int) -> NDArray[np.int64]:
    """Entries ``start`` to ``start + number`` of an endless stream of seeded permutations of ``count`` pictures.

    A pure function of its arguments, so a resumed run needs no sampler state.
    """
    parts, at = [], start
    while at < start + number:
        epoch, offset = divmod(at, count)
        order = np.random.default_rng((seed, epoch)).permutation(count)
        parts.append(order[offset : offset + start + number - at])
        at += len(parts[-1])
    return np.concatenate(parts)


def shares(sizes: Sequence[int], batch_size: int) -> list[int]:
    """How many pictures of each set go into a batch: in proportion to the square root of the set's size.

    For 100,000 objects, 90,000 scenes and 6,091 caption pictures and batches of 256 that is 117, 111 and 28.
    """
    roots = np.sqrt(sizes)
    numbers = np.maximum(1, np.floor(batch_size * roots / roots.sum()).astype(int))
    numbers[0] += max(0, batch_size - int(numbers.sum()))
    return [int(n) for n in numbers]
