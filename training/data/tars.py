"""WebDataset shards: tar files in which neighbours of one name (``0017.jpg``, ``0017.cls``) are one sample."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.picture_files import one_form, suffixes
from training.data.columns import named_label_among
from training.data.errors import DataError, UnlabelledError
from training.data.row_groups import GroupedPictures, RowGroup
from training.data.split import Split

CLASS_FILES = ("classnames.txt", "classes.txt", "labels.txt")
"""Files beside the shards, or above them, that name a class a line, where the samples hold numbers."""
Sample = dict[str, Any]


class Tars(GroupedPictures):
    """Pictures in tar shards; a shard is read as a whole, and the last ones are kept."""

    def __init__(self, keys: dict[Path, list[str]], role: str) -> None:
        self._keys = keys
        groups = [RowGroup(path, 0, 0, len(names), path.stat().st_size) for path, names in keys.items()]
        super().__init__(groups, list(keys), role)

    def _read_group(self, block: int) -> dict[str, bytes]:
        samples = _samples(self._groups[block].path, lambda name: _suffix(name) in suffixes())
        return {sample["__key__"]: _picture_of(sample) for sample in samples}

    def _picture_in(self, content: Any, row: int, group: RowGroup) -> bytes:
        data: bytes | None = content.get(self._keys[group.path][row])
        if not data:
            raise ValueError("no picture in its sample")
        return data


def read_tars(paths: Sequence[Path], folder: Path, role: str = "") -> Split:
    """A split of WebDataset shards: classes or captions are read now, pictures when they are needed.

    The class of a sample is its ``.cls``, or the field ``label`` of its ``.json``; else its ``.txt`` is a caption.
    Raises DataError, also where the library ``webdataset`` is not installed.
    """
    keys: dict[Path, list[str]] = {}
    labels: list[str] = []
    captions: list[str] = []
    unlabelled = 0
    for path in paths:
        keys[path] = []
        for key, sample in _pictures_and_texts(path):
            label = _label_of(sample, path)
            if label is None and "txt" not in sample:
                unlabelled += 1
                continue
            keys[path].append(key)
            (captions if label is None else labels).append(_text(sample["txt"], path) if label is None else label)
    if not labels and not captions:
        raise UnlabelledError(
            f"{paths[0]} and the shards beside it hold no picture with a class: a sample needs a .cls, or a .json with "
            "a label, beside it, and a tar file of another kind must be unpacked."
        )
    if labels and captions:
        raise DataError(f"Some samples of {paths[0]} and the shards beside it have classes and some only captions.")
    classes, numbers = _numbered(labels, paths[0], folder)
    notes = (f"{unlabelled:,} pictures without a class are passed over",) if unlabelled else ()
    five = [[caption] for caption in captions]
    return Split(pictures=Tars(keys, role), classes=classes, labels=numbers, captions=five, notes=notes)


def _pictures_and_texts(path: Path) -> Iterator[tuple[str, Sample]]:
    """The key of each sample with a picture, and its other members; the pictures themselves are not read."""
    base_plus_ext = _webdataset(path).base_plus_ext
    with_picture: set[str] = set()

    def is_text(name: str) -> bool:
        key, _ = base_plus_ext(name)
        is_picture = _suffix(name) in suffixes()
        if is_picture and key:
            with_picture.add(key)
        return not is_picture

    texts = {sample["__key__"]: sample for sample in _samples(path, is_text)}
    for key in sorted(with_picture):
        yield key, texts.get(key, {})


def _samples(path: Path, select: Callable[[str], bool]) -> Iterator[Sample]:
    """The samples of a shard, with the members that ``select`` takes by their names. Raises DataError."""
    library = _webdataset(path)
    try:
        with path.open("rb") as stream:
            files = library.tar_file_expander([{"url": str(path), "stream": stream}], select_files=select)
            yield from library.group_by_keys(files)
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        reason = str(error.args[0] if error.args else error).partition(" @ ")[0].rstrip(".")
        raise DataError(f"{path} cannot be read as a tar shard ({reason}): fetch it or write it again.") from error


def _webdataset(path: Path) -> Any:
    """The library's functions for tar files. Raises DataError where it is not installed."""
    try:
        from webdataset import tariterators
    except ImportError as error:
        raise DataError(
            f"{path} is a tar shard, which the library webdataset reads: pip install 'glassbot[webdataset]', or unpack "
            "it into class folders."
        ) from error
    return tariterators


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _picture_of(sample: Sample) -> bytes:
    return next((value for name, value in sample.items() if _suffix(f"_.{name}") in suffixes()), b"")


def _label_of(sample: Sample, path: Path) -> str | None:
    if "cls" in sample:
        return one_form(_text(sample["cls"], path))
    if "json" not in sample:
        return None
    try:
        record = dict(json.loads(sample["json"]))
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{path} has a sample, {sample['__key__']}, whose .json is no JSON object ({error})."
        ) from error
    column = named_label_among(list(record), path)
    return None if column is None else one_form(str(record[column]))


def _text(value: bytes, path: Path) -> str:
    try:
        return value.decode().strip()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} has a class or a caption that is no UTF-8: write it again.") from error


def _numbered(labels: Sequence[str], shard: Path, folder: Path) -> tuple[tuple[str, ...], Any]:
    """The names of the classes, and (N,) their numbers."""
    if not labels:
        return (), np.empty(0, np.int64)
    if all(label.isdecimal() for label in labels):
        numbers = np.array([int(label) for label in labels], np.int64)
        names = _class_file(shard, folder) or tuple(str(i) for i in range(int(numbers.max()) + 1))
        if int(numbers.max()) >= len(names):
            raise DataError(f"{shard} has the class {numbers.max()}, and only {len(names)} are named beside it.")
        return names, numbers
    classes, numbers = np.unique(np.array(labels, np.str_), return_inverse=True)
    return tuple(classes.tolist()), numbers.astype(np.int64)


def _class_file(shard: Path, folder: Path) -> tuple[str, ...]:
    for place in dict.fromkeys((shard.parent, folder, folder.parent)):
        for name in CLASS_FILES:
            if (place / name).is_file():
                return tuple(one_form(line.strip()) for line in (place / name).read_text("utf-8").splitlines() if line)
    return ()
