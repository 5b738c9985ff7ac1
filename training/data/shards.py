"""Parquet shards: column ``image`` (struct of ``bytes`` and ``path``), and ``label`` or ``captions``."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.data.errors import DataError
from training.data.order import Blocks
from training.data.split import Split

_WINDOW_BYTES = 2**28  # of encoded pictures whose rows are mixed: one reader keeps two such windows
_LABELS, _CAPTIONS = "label", "captions"


class Shards:
    """Pictures in row groups, read a group at a time; the groups used last are kept. No file stays open."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._groups: list[tuple[Path, int, int]] = []
        """Shard, number of the group in it, and number of its first row in it."""
        rows = []
        sizes = []
        for path in paths:
            start = 0
            with open_shard(path) as file:
                for number in range(file.metadata.num_row_groups):
                    group = file.metadata.row_group(number)
                    if group.num_rows:
                        self._groups.append((path, number, start))
                        rows.append(group.num_rows)
                        sizes.append(group.total_byte_size)
                        start += group.num_rows
        if not rows:
            raise DataError(f"{paths[0]} and the shards beside it hold no rows.")
        window = max(1, int(_WINDOW_BYTES // max(1.0, float(np.mean(sizes)))))
        self.blocks = Blocks(tuple(rows), window)
        self._max_recent = min(len(rows), 2 * window + 2)
        self.cached_bytes = sum(sorted(sizes)[-self._max_recent :])
        self._starts = np.cumsum((0, *rows))
        self._recent: OrderedDict[int, Future[pa.ChunkedArray[Any]]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, index: int) -> bytes:
        """The encoded picture of a row. Raises ValueError for a row without one, DataError for a broken row group."""
        block, row = self._block_and_row(index)
        cell = self._image_column(block)[row].as_py()
        if not cell or not cell["bytes"]:
            raise ValueError("no bytes in its row")
        return bytes(cell["bytes"])

    def name(self, index: int) -> str:
        """The picture's shard and row as ``SHARD:ROW``."""
        block, row = self._block_and_row(index)
        path, _, start = self._groups[block]
        return f"{path}:{start + row}"

    def _block_and_row(self, index: int) -> tuple[int, int]:
        block = int(np.searchsorted(self._starts, index, side="right")) - 1
        return block, int(index - self._starts[block])

    def _image_column(self, block: int) -> pa.ChunkedArray[Any]:
        """The image column of a row group; of several threads that ask, the first reads it and the others wait."""
        with self._lock:
            recent = self._recent.get(block)
            column: Future[pa.ChunkedArray[Any]] = recent or Future()
            self._recent[block] = column
            self._recent.move_to_end(block)
            if len(self._recent) > self._max_recent:
                self._recent.popitem(last=False)
        if recent is None:
            try:
                column.set_result(self._read_group(block))
            except BaseException as error:
                column.set_exception(error)
        return column.result()

    def _read_group(self, block: int) -> pa.ChunkedArray[Any]:
        path, number, _ = self._groups[block]
        with open_shard(path) as file:
            return file.read_row_group(number, columns=["image.bytes"], use_threads=False).column("image")


@contextmanager
def open_shard(path: Path) -> Iterator[pq.ParquetFile]:
    """An open Parquet shard. Raises DataError where it cannot be read, also while it is used."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise DataError(f"{path} cannot be read as Parquet ({reason}): fetch it or write it again.") from error


def read_shards(paths: Sequence[Path]) -> Split:
    """A split of Parquet shards: labels or captions are read now, pictures when they are needed. Raises DataError."""
    labels: list[np.ndarray[Any, np.dtype[np.int64]]] = []
    captions: list[list[str]] = []
    classes: dict[tuple[str, ...], Path] = {}
    for path in paths:
        with open_shard(path) as file:
            schema = file.schema_arrow
            _check_image(schema, path)
            if _CAPTIONS in schema.names:
                captions += _read_captions(file, path)
            elif _LABELS in schema.names:
                labels.append(_read_labels(file, path))
                classes.setdefault(_class_names(schema), path)
            else:
                raise DataError(f"{path} has neither a label nor a captions column.")
    if captions and labels:
        raise DataError(f"Some shards beside {paths[0]} have labels and some captions: put them into two folders.")
    numbers = np.concatenate(labels) if labels else np.empty(0, np.int64)
    return Split(pictures=Shards(paths), classes=_checked_classes(classes, numbers), labels=numbers, captions=captions)


def _check_image(schema: pa.Schema, path: Path) -> None:
    image_type: Any = schema.field("image").type if "image" in schema.names else pa.null()
    if not (pa.types.is_struct(image_type) and image_type.get_field_index("bytes") >= 0):
        column = f"an image column of {image_type}" if "image" in schema.names else "no image column"
        raise DataError(
            f"{path} has {column}: a struct of bytes and path is needed, as Hugging Face datasets write it."
        )


def _read_labels(file: pq.ParquetFile, path: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    column = file.read(columns=[_LABELS]).column(_LABELS)
    if not pa.types.is_integer(column.type) or column.null_count:
        wrong = f"empty rows ({column.null_count})" if column.null_count else f"values of type {column.type}"
        raise DataError(f"The label column of {path} holds {wrong}: each picture needs the number of its class.")
    return np.asarray(column.to_numpy(), np.int64)


def _read_captions(file: pq.ParquetFile, path: Path) -> list[list[str]]:
    column = file.read(columns=[_CAPTIONS]).column(_CAPTIONS)
    column_type = column.type
    is_list_of_texts = (pa.types.is_list(column_type) or pa.types.is_large_list(column_type)) and (
        pa.types.is_string(column_type.value_type) or pa.types.is_large_string(column_type.value_type)
    )
    captions: list[Any] = column.to_pylist() if is_list_of_texts else [None]
    if any(not row or None in row for row in captions):
        wrong = "empty rows" if is_list_of_texts else f"values of type {column_type}"
        raise DataError(f"The captions column of {path} holds {wrong}: each picture needs a list of texts.")
    return captions


def _class_names(schema: pa.Schema) -> tuple[str, ...]:
    """The class names in the metadata that Hugging Face datasets write; an empty tuple where there are none."""
    record = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    feature = record.get("info", {}).get("features", {}).get(_LABELS, {})
    return tuple(feature.get("names") or ())


def _checked_classes(
    classes: dict[tuple[str, ...], Path], labels: np.ndarray[Any, np.dtype[np.int64]]
) -> tuple[str, ...]:
    """The one tuple of class names that all shards have, else numbers; labels must lie within it."""
    if not len(labels):
        return ()
    if len(classes) > 1:
        first, second = list(classes.values())[:2]
        raise DataError(f"{first} and {second} name different classes: write all shards with the same ones.")
    names = next(iter(classes)) or tuple(str(i) for i in range(max(labels) + 1))
    wrong = labels[(labels < 0) | (labels >= len(names))]
    if len(wrong):
        shard = next(iter(classes.values()))
        raise DataError(
            f"{len(wrong)} labels of {shard} and the shards beside it are outside 0 to {len(names) - 1}, the first of "
            f"them {wrong[0]}: remove those rows, or correct the class names in the metadata."
        )
    return names
