"""A table of corrections: CSV with the columns ``file`` and ``label``, as a person keeps it beside photos."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from app.embeddings.class_folders import Classes
from app.embeddings.photos import Photo, photo_at
from app.startup import StartError
from model.picture_files import one_form, reason_of

_DELIMITERS = ",;\t"  # spreadsheets write one of these, by country


def read_corrections(path: Path) -> Classes:
    """Return the photos that a table names, by their labels. A row whose label is empty corrects nothing.

    Paths are relative to the table, or else to the working directory, as those that ``glassbot caption`` writes are.
    Without a header the first two columns are taken. Raises StartError for a file that is no such table.
    """
    photos: dict[str, list[Photo]] = {}
    problems = []
    for line, file, label in _rows(path):
        place = _find(path.parent, file)
        if place is None:
            paths = "paths are absolute, or start at the folder of the table or at the working directory"
            problems.append(f"{path}, line {line}: there is no photo {file}: {paths}.")
        else:
            photos.setdefault(one_form(label), []).append(photo_at(place, corrected=True))
    return Classes(photos, problems)


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, file and label of every row that has a label. Raises StartError."""
    text = _text(path)
    first_line = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=first_line.count), strict=True)
    columns: tuple[int, int] | None = None
    try:
        for row in reader:
            if columns is None:
                header = [cell.strip().lower() for cell in row]
                columns = _columns(path, header)
                if "file" in header:
                    continue
            if any(row) and len(row) <= max(columns):
                raise StartError(f"{path}, line {reader.line_num}: there is no label, only {', '.join(row)!r}.")
            if row and (label := row[columns[1]].strip()):
                yield reader.line_num, row[columns[0]].strip(), label
    except csv.Error as error:
        raise StartError(f"{path} is not CSV: {error}, in line {reader.line_num}.") from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise StartError(f"{path} cannot be read ({reason_of(error)}).") from error
    except UnicodeDecodeError as error:
        raise StartError(f"{path} is not text in UTF-8: save it as CSV in UTF-8.") from error


def _columns(path: Path, header: list[str]) -> tuple[int, int]:
    if "file" not in header:
        return 0, 1
    if "label" not in header:
        raise StartError(f"{path} has no column label: add one, with the right name of each photo that was wrong.")
    return header.index("file"), header.index("label")


def _find(folder: Path, file: str) -> Path | None:
    for place in (folder / file, Path(file)):
        try:
            if place.is_file():
                return place
        except (OSError, ValueError):  # a name that no file can have
            continue
    return None
