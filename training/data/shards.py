"""Parquet shards: a column of pictures (struct of ``bytes`` and ``path``, or bytes), and one of classes or captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from model.picture_files import one_form
from training.data.columns import CAPTIONS, class_names, image_column, label_column, named
from training.data.errors import DataError, UnlabelledError
from training.data.lookup import PictureLookup
from training.data.order import Indices
from training.data.row_groups import GroupedPictures, RowGroup
from training.data.split import Split

_POINTER = b"version https://git-lfs"


class Shards(GroupedPictures):
    """Pictures in the row groups of Parquet files. Where a row holds only a path, the file there is read."""

    def __init__(self, paths: Sequence[Path], column: str, lookup: PictureLookup, role: str) -> None:
        self._column = column
        self._lookup = lookup
        super().__init__([group for path in paths for group in _groups_of(path)], paths, role)

    def _read_group(self, block: int) -> pa.ChunkedArray[Any]:
        group = self._groups[block]
        with open_shard(group.path) as file:
            return _read_column(file, group.number, self._column)

    def _picture_in(self, content: Any, row: int, group: RowGroup) -> bytes:
        cell = content[row].as_py()
        data, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
        if data:
            return bytes(data)
        file = self._lookup.find(path, group.path.parent) if path else None
        if file is None:
            raise ValueError("no bytes in its row")
        return file.read_bytes()

    def check_not_empty(self) -> None:
        """Raises DataError where the shards hold no pictures, only names of files that are not there."""
        group = self._groups[0]
        path = ""
        for cell in self._read_once(0):
            value = cell.as_py()
            if not isinstance(value, dict) or value.get("bytes"):
                return
            path = path or value.get("path") or ""
        if path and self._lookup.find(path, group.path.parent) is None:
            raise DataError(
                f"{group.path} holds the names of its pictures ({path} …) and not the pictures, as `to_parquet()` "
                "writes a folder of images: put those files beside it, or give their own folder as --data."
            )


def _groups_of(path: Path) -> list[RowGroup]:
    groups = []
    start = 0
    with open_shard(path) as file:
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            groups.append(RowGroup(path, number, start, group.num_rows, group.total_byte_size))
            start += group.num_rows
    return groups


def _read_column(file: pq.ParquetFile, number: int, column: str) -> pa.ChunkedArray[Any]:
    field = file.schema_arrow.field(column).type
    parts = [column]
    if pa.types.is_struct(field):
        parts = [f"{column}.{part}" for part in ("bytes", "path") if field.get_field_index(part) >= 0]
    return file.read_row_group(number, columns=parts, use_threads=False).column(column)


@contextmanager
def open_shard(path: Path) -> Iterator[pq.ParquetFile]:
    """An open Parquet shard. Raises DataError where it cannot be read, also while it is used."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        if _is_pointer(path):
            raise DataError(f"{path} is a pointer to a file in Git LFS: `git lfs pull` fetches the file.") from error
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise DataError(f"{path} cannot be read as Parquet ({reason}): fetch it or write it again.") from error


def _is_pointer(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_POINTER)) == _POINTER
    except OSError:
        return False


def read_shards(paths: Sequence[Path], folder: Path, role: str = "") -> Split:
    """A split of Parquet shards: labels or captions are read now, pictures when they are needed.

    ``folder`` is that of the whole set, where pictures are looked for that a shard only names. Raises DataError.
    """
    labels: list[Any] = []
    captions: list[list[str]] = []
    classes: dict[tuple[str, ...], Path] = {}
    columns: dict[str, Path] = {}
    for path in paths:
        with open_shard(path) as file:
            schema = file.schema_arrow
            columns.setdefault(image_column(schema, path), path)
            if CAPTIONS in schema.names and not named().label:
                captions += _read_captions(file, path)
            elif label := label_column(schema, path):
                labels.append(_read_labels(file, label, path))
                classes.setdefault(class_names(schema, label, path), path)
            else:
                others = ", ".join(schema.names)
                raise UnlabelledError(
                    f"{path} has neither a label nor a captions column, only {others}: --label-column names another."
                )
    if captions and labels:
        raise DataError(f"Some shards beside {paths[0]} have labels and some captions: put them into two folders.")
    if len(columns) > 1:
        raise DataError(f"The image columns of {' and '.join(map(str, columns.values()))} differ: write them alike.")
    shards = Shards(paths, next(iter(columns)), PictureLookup(folder), role)
    shards.check_not_empty()
    numbers, names = _numbered(labels, classes) if labels else (np.empty(0, np.int64), ())
    return Split(pictures=shards, classes=names, labels=numbers, captions=captions)


def _read_labels(file: pq.ParquetFile, label: str, path: Path) -> Any:
    """(rows,) numbers of classes, or their names."""
    column = file.read(columns=[label]).column(label)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if column.null_count or not (is_text or pa.types.is_integer(column.type)):
        wrong = f"empty rows ({column.null_count})" if column.null_count else f"values of type {column.type}"
        raise DataError(
            f"The {label} column of {path} holds {wrong}: each picture needs the number or the name of its class."
        )
    if is_text:
        return np.array([one_form(str(name)) for name in column.to_pylist()], np.str_)
    return np.asarray(column.to_numpy(), np.int64)


def _read_captions(file: pq.ParquetFile, path: Path) -> list[list[str]]:
    column = file.read(columns=[CAPTIONS]).column(CAPTIONS)
    column_type = column.type
    is_list_of_texts = (pa.types.is_list(column_type) or pa.types.is_large_list(column_type)) and (
        pa.types.is_string(column_type.value_type) or pa.types.is_large_string(column_type.value_type)
    )
    captions: list[Any] = column.to_pylist() if is_list_of_texts else [None]
    if any(not row or None in row for row in captions):
        wrong = "empty rows" if is_list_of_texts else f"values of type {column_type}"
        raise DataError(f"The captions column of {path} holds {wrong}: each picture needs a list of texts.")
    return captions


def _numbered(labels: list[Any], classes: dict[tuple[str, ...], Path]) -> tuple[Indices, tuple[str, ...]]:
    """(N,) numbers of classes and the names of these: the one tuple that all shards have, else the labels' own."""
    if len({values.dtype.kind for values in labels}) > 1:
        raise DataError(f"Some shards beside {next(iter(classes.values()))} number their classes and some name them.")
    values = np.concatenate(labels)
    if not len(values):
        return np.empty(0, np.int64), ()
    if values.dtype.kind == "U":
        named_classes, numbers = np.unique(values, return_inverse=True)
        return numbers.astype(np.int64), tuple(named_classes.tolist())
    return values, _checked_classes(classes, values)


def _checked_classes(classes: dict[tuple[str, ...], Path], labels: Indices) -> tuple[str, ...]:
    """The one tuple of class names that all shards have, else numbers; labels must lie within it."""
    if len(classes) > 1:
        first, second = list(classes.values())[:2]
        raise DataError(f"{first} and {second} name different classes: write all shards with the same ones.")
    shard = next(iter(classes.values()))
    if (labels == -1).all():
        raise UnlabelledError(f"The pictures of {shard} have no classes: each has the label -1.")
    names = next(iter(classes)) or tuple(str(i) for i in range(max(labels) + 1))
    wrong = labels[(labels < 0) | (labels >= len(names))]
    if len(wrong):
        raise DataError(
            f"{len(wrong)} labels of {shard} and the shards beside it are outside 0 to {len(names) - 1}, the first of "
            f"them {wrong[0]}: remove those rows, or correct the class names in the metadata."
        )
    return names
