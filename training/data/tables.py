"""Pictures whose classes stand in a table beside them: ``labels.csv`` with ``file,label``, or ``metadata.jsonl``."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.picture_files import files_in, one_form
from training.data.columns import IMAGE_NAMES, named, named_label_among
from training.data.errors import DataError, UnlabelledError
from training.data.folders import Files
from training.data.lookup import PictureLookup
from training.data.split import Split
from training.data.split_names import role_of

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl")
"""Suffixes of the tables that are read."""
_FILE_NAMES = ("file_name", "filename", "file", "filepath", "filepaths", "path", "id", "image_id", "name", *IMAGE_NAMES)
_SPLIT_NAMES = ("split", "subset", "set", "data set", "dataset", "partition", "usage")
_ROWS_TRIED = 20  # of which one must name a picture that is there


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table whose rows name pictures that are there."""

    path: Path
    rows: list[dict[str, str]]
    """Column -> text, for each row."""
    file_column: str
    """The column that names the picture."""
    lookup: PictureLookup
    """The pictures beside the table."""

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in their order."""
        return list(self.rows[0])

    def split_column(self) -> str | None:
        """The column that says of each row which split it belongs to; None where there is none."""
        for column in self.columns:
            if column.strip().lower() in _SPLIT_NAMES and all(role_of(row[column]) for row in self.rows):
                return column
        return None


def find_tables(folder: Path) -> list[Table]:
    """The tables in a folder whose rows name pictures below it. Raises DataError for a table that cannot be read."""
    lookup = PictureLookup(folder)
    tables = [_table(folder / name, lookup) for name in files_in(folder, TABLE_SUFFIXES)]
    return [table for table in tables if table is not None]


def _table(path: Path, lookup: PictureLookup) -> Table | None:
    rows = _read_rows(path)
    if not rows:
        return None
    likely = [column for column in rows[0] if column.strip().lower() in _FILE_NAMES]
    is_named = named().image and named().image in rows[0]  # a table's index often stands in a column without a name
    columns = [named().image] if is_named else [*likely, *(c for c in rows[0] if c not in likely)]
    for column in columns:
        if any(lookup.find_name(row[column]) for row in rows[:_ROWS_TRIED]):
            return Table(path=path, rows=rows, file_column=column, lookup=lookup)
    return None


def _read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table as text; a first row that is no header gives columns 1, 2, … their numbers as names."""
    try:
        text = path.read_text("utf-8-sig")
        if path.suffix.lower() == ".jsonl":
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
            return [{str(key): str(value) for key, value in record.items()} for record in records]
        cells = [row for row in csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text, path)) if row]
    except (ValueError, AttributeError, csv.Error) as error:
        raise DataError(f"{path} is no table in UTF-8 ({error}): write it again, or remove it.") from error
    if not cells:
        return []
    has_header = not any(Path(cell).suffix and Path(cell).suffix[1:].isalpha() for cell in cells[0])
    header = cells.pop(0) if has_header else [str(number) for number in range(1, len(cells[0]) + 1)]
    return [dict(zip(header, [*row, *[""] * len(header)], strict=False)) for row in cells]


def _delimiter(text: str, path: Path) -> str:
    first = text.splitlines()[0] if text else ""
    return "\t" if path.suffix.lower() == ".tsv" else max(",;\t|", key=first.count)


def read_table(folder: Path, table: Table, split_name: str = "") -> Split:
    """The pictures that the rows of a table name, all or those of one split.

    Raises UnlabelledError where the table has no column of classes, DataError where none of its pictures is there.
    """
    column = _label_column(table)
    chosen = table.split_column()
    rows = [row for row in table.rows if not split_name or (chosen and row[chosen] == split_name)]
    found = [(table.lookup.find_name(row[table.file_column]), one_form(row[column].strip())) for row in rows]
    pairs = sorted({(picture, label) for picture, label in found if picture and label})
    if not pairs:
        raise DataError(f"None of the pictures that {table.path} names is there, or none has a class.")
    classes = sorted({label for _, label in pairs}, key=_in_order)
    number = {label: index for index, label in enumerate(classes)}
    within = table.lookup.folder.relative_to(folder)
    missing = len(rows) - sum(1 for picture, label in found if picture and label)
    notes = [f"the classes are those of {table.path.name}, column {column}"]
    several = len(pairs) - len({picture for picture, _ in pairs})
    notes += [f"{several:,} pictures have several classes, and are learnt once for each"] if several else []
    notes += [f"{missing:,} of its {len(rows):,} rows name no picture that is there, or no class"] if missing else []
    return Split(
        pictures=Files(folder, [str(within / picture) for picture, _ in pairs]),
        classes=tuple(classes),
        labels=np.array([number[label] for _, label in pairs], np.int64),
        captions=[],
        notes=tuple(notes),
    )


def _label_column(table: Table) -> str:
    others = [column for column in table.columns if column not in (table.file_column, table.split_column())]
    column = named_label_among(others, table.path) or (others[0] if len(others) == 1 else None)
    if column is None:
        names = ", ".join(others) or "none"
        raise UnlabelledError(f"{table.path} has no label column (others: {names}): --label-column names it.")
    return column


def _in_order(label: str) -> tuple[Any, ...]:
    return (0, int(label), label) if label.isdecimal() else (1, 0, label)
