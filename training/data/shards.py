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
from training.data.split import Half

_WINDOW = 2**28  # bytes of encoded pictures whose rows are mixed: one reader keeps two such windows
_LABELS, _CAPTIONS = "label", "captions"


class Shards:
    """Pictures in row groups, read a group at a time; the groups used last are kept. No file stays open."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._groups: list[tuple[Path, int, int]] = []
        """Shard, number of the group in it, its first row in it."""
        rows, sizes = [], []
        for path in paths:
            start = 0
            with opened(path) as file:
                for number in range(file.metadata.num_row_groups):
                    group = file.metadata.row_group(number)
                    if group.num_rows:
                        self._groups.append((path, number, start))
                        rows.append(group.num_rows)
                        sizes.append(group.total_byte_size)
                        start += group.num_rows
        if not rows:
            raise DataError(f"{paths[0]} and the shards beside it hold no rows.")
        window = max(1, int(_WINDOW // max(1.0, float(np.mean(sizes)))))
        self.blocks = Blocks(tuple(rows), window)
        self._most = min(len(rows), 2 * window + 2)
        self.kept = sum(sorted(sizes)[-self._most :])
        self._starts = np.cumsum((0, *rows))
        self._recent: OrderedDict[int, Future[pa.ChunkedArray[Any]]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, index: int) -> bytes:
        """The bytes of a row. Raises ValueError where it has none, DataError for a row group that cannot be read."""
        block, row = self._place(index)
        cell = self._block(block)[row].as_py()
        if not cell or not cell["bytes"]:
            raise ValueError("no bytes in its row")
        return bytes(cell["bytes"])

    def name(self, index: int) -> str:
        """``SHARD:ROW``."""
        block, row = self._place(index)
        path, _, start = self._groups[block]
        return f"{path}:{start + row}"

    def _place(self, index: int) -> tuple[int, int]:
        block = int(np.searchsorted(self._starts, index, side="right")) - 1
        return block, int(index - self._starts[block])

    def _block(self, block: int) -> pa.ChunkedArray[Any]:
        """The image column of a row group; of several threads that ask, the first reads it and the others wait."""
        with self._lock:
            found = self._recent.get(block)
            result: Future[pa.ChunkedArray[Any]] = found or Future()
            self._recent[block] = result
            self._recent.move_to_end(block)
            if len(self._recent) > self._most:
                self._recent.popitem(last=False)
        if found is None:
            try:
                result.set_result(self._read_group(block))
            except BaseException as error:
                result.set_exception(error)
        return result.result()

    def _read_group(self, block: int) -> pa.ChunkedArray[Any]:
        path, number, _ = self._groups[block]
        with opened(path) as file:
            return file.read_row_group(number, columns=["image.bytes"], use_threads=False).column("image")


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """A shard. Raises DataError where it cannot be read, also while it is used."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise DataError(f"{path} cannot be read as Parquet ({reason}): fetch it or write it again.") from error


def read_shards(paths: Sequence[Path]) -> Half:
    """Labels or captions are read now, pictures when they are asked for. Raises DataError."""
    labels: list[np.ndarray[Any, np.dtype[np.int64]]] = []
    captions: list[list[str]] = []
    classes: dict[tuple[str, ...], Path] = {}
    for path in paths:
        with opened(path) as file:
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
    return Half(pictures=Shards(paths), classes=_agreed(classes, numbers), labels=numbers, captions=captions)


def _check_image(schema: pa.Schema, path: Path) -> None:
    kind: Any = schema.field("image").type if "image" in schema.names else pa.null()
    if not (pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0):
        there = f"an image column of {kind}" if "image" in schema.names else "no image column"
        raise DataError(f"{path} has {there}: a struct of bytes and path is needed, as Hugging Face datasets write it.")


def _read_labels(file: pq.ParquetFile, path: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    column = file.read(columns=[_LABELS]).column(_LABELS)
    if not pa.types.is_integer(column.type) or column.null_count:
        found = f"empty rows ({column.null_count})" if column.null_count else f"values of type {column.type}"
        raise DataError(f"The label column of {path} holds {found}: each picture needs the number of its class.")
    return np.asarray(column.to_numpy(), np.int64)


def _read_captions(file: pq.ParquetFile, path: Path) -> list[list[str]]:
    column = file.read(columns=[_CAPTIONS]).column(_CAPTIONS)
    kind = column.type
    texts = (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and (
        pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
    )
    said: list[Any] = column.to_pylist() if texts else [None]
    if any(not row or None in row for row in said):
        found = "empty rows" if texts else f"values of type {kind}"
        raise DataError(f"The captions column of {path} holds {found}: each picture needs a list of texts.")
    return said


def _class_names(schema: pa.Schema) -> tuple[str, ...]:
    """Those in the metadata that Hugging Face datasets write; none where there are none."""
    record = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    feature = record.get("info", {}).get("features", {}).get(_LABELS, {})
    return tuple(feature.get("names") or ())


def _agreed(classes: dict[tuple[str, ...], Path], labels: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[str, ...]:
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
