"""Which columns of a table hold the pictures and their classes: given by name, else found by type and usual names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from model.picture_files import one_form
from training.data.errors import DataError

IMAGE_NAMES = ("image", "img", "images", "picture", "photo", "pixels", "jpg", "jpeg", "png", "webp", "image_bytes")
"""Usual names of a column of pictures, the likeliest first."""
LABEL_NAMES = ("label", "labels", "fine_label", "class", "class_label", "class_name", "category", "target", "cls", "y")
"""Usual names of a column of classes, the likeliest first."""
CAPTIONS = "captions"
"""The column of captions: a list of texts for each picture."""


@dataclass(frozen=True, kw_only=True)
class NamedColumns:
    """The columns that the person named; empty where they are to be found."""

    image: str = ""
    label: str = ""


_NONE_NAMED = NamedColumns()
_NAMED: ContextVar[NamedColumns] = ContextVar("columns", default=_NONE_NAMED)


@contextmanager
def named_columns(image: str | None, label: str | None) -> Iterator[None]:
    """Read every table within the block by these columns, as ``--image-column`` and ``--label-column`` ask."""
    token = _NAMED.set(NamedColumns(image=image or "", label=label or ""))
    try:
        yield
    finally:
        _NAMED.reset(token)


def named() -> NamedColumns:
    """The columns that the person named."""
    return _NAMED.get()


def image_column(schema: pa.Schema, path: Path) -> str:
    """The column of pictures: a struct of bytes and path, or binary. Raises DataError."""
    if named().image:
        column = _named_column(named().image, schema.names, path, "--image-column")
        if not _holds_pictures(schema.field(column).type):
            raise _not_pictures(schema, column, path)
        return column
    structs = [name for name in schema.names if pa.types.is_struct(schema.field(name).type)]
    columns = [name for name in structs if _holds_pictures(schema.field(name).type)]
    columns = columns or [name for name in schema.names if _holds_pictures(schema.field(name).type)]
    if not columns:
        present = [name for name in IMAGE_NAMES if name in schema.names]
        if present:
            raise _not_pictures(schema, present[0], path)
        raise DataError(f"{path} has no image column, only {', '.join(schema.names)}.")
    return _likeliest(columns, IMAGE_NAMES, path, "image", "--image-column")


def label_column(schema: pa.Schema, path: Path) -> str | None:
    """The column of classes, or None where there is none. Raises DataError where it is not plain which it is."""
    if named().label:
        return _named_column(named().label, schema.names, path, "--label-column")
    classes = [name for name, feature in features_of(schema, path).items() if feature.get("_type") == "ClassLabel"]
    classes = [name for name in classes if name in schema.names]
    columns = classes or [name for name in LABEL_NAMES if name in schema.names][:1]
    return _likeliest(columns, LABEL_NAMES, path, "label", "--label-column") if columns else None


def class_names(schema: pa.Schema, column: str, path: Path) -> tuple[str, ...]:
    """The names in the metadata that Hugging Face datasets write; an empty tuple where there are none.

    Raises DataError, which names the file, for metadata that are not as they write them.
    """
    feature = features_of(schema, path).get(column, {})
    feature = feature.get("feature", feature)
    names = (feature.get("names") if isinstance(feature, dict) else None) or ()
    if not isinstance(names, Sequence) or isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise _malformed(path, f"the class names of {column} are no list of texts")
    forms = tuple(one_form(name) for name in names)
    if len(set(forms)) != len(forms):
        raise _malformed(path, f"{column} names a class twice")
    return forms


def features_of(schema: pa.Schema, path: Path) -> dict[str, dict[str, Any]]:
    """Column -> its feature in the metadata that Hugging Face datasets write. Raises DataError, naming the file."""
    text = (schema.metadata or {}).get(b"huggingface")
    if text is None:
        return {}
    try:
        record: Any = json.loads(text)
    except ValueError as error:
        raise _malformed(path, "they are no JSON") from error
    for key in ("info", "features"):
        inner = record.get(key) if isinstance(record, Mapping) else record
        record = {} if inner is None else inner
    if not isinstance(record, Mapping):
        raise _malformed(path, "there are no features in them")
    return {name: feature for name, feature in record.items() if isinstance(feature, dict)}


def _malformed(path: Path, reason: str) -> DataError:
    return DataError(f"The Hugging Face metadata of {path} cannot be used ({reason}): write the shard again.")


def _holds_pictures(type_: pa.DataType) -> bool:
    if pa.types.is_struct(type_):
        return type_.get_field_index("bytes") >= 0
    return pa.types.is_binary(type_) or pa.types.is_large_binary(type_)


def _not_pictures(schema: pa.Schema, column: str, path: Path) -> DataError:
    return DataError(
        f"{path} has an image column of {schema.field(column).type}: a struct of bytes and path is needed, as Hugging "
        "Face datasets write it, or plain bytes; --image-column names another one."
    )


def _named_column(column: str, columns: Sequence[str], place: Path, flag: str) -> str:
    if column not in columns:
        raise DataError(f"{place} has no column {column!r}: give {flag} one of {', '.join(columns)}.")
    return column


def named_label_among(columns: Sequence[str], place: Path) -> str | None:
    """The column of ``--label-column``, else that with the likeliest name, else None. Raises DataError."""
    if named().label:
        return _named_column(named().label, columns, place, "--label-column")
    lower = {column.strip().lower(): column for column in reversed(columns)}
    return next((lower[name] for name in LABEL_NAMES if name in lower), None)


def _likeliest(columns: Sequence[str], names: Sequence[str], path: Path, what: str, flag: str) -> str:
    if len(columns) == 1:
        return columns[0]
    for name in names:
        if name in columns:
            return name
    raise DataError(f"{path} has several {what} columns, {', '.join(columns)}: name one with {flag}.")
