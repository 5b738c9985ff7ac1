"""The file of captions: CSV where its name ends in ``.csv``, else JSON Lines; stdout is JSON Lines.

Every line names its picture and the version of the network, so the file itself tells which pictures are done and by
which network; no second file keeps that state. Lines are written whole and in sorted order. To resume, an incomplete
line at the end is cut off, the missing lines are appended, and the file is sorted again where new pictures belong
between old ones.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import BinaryIO, Protocol

from app.captioning.files import PredictionFields
from app.settings import SettingsError
from app.startup import StartError
from model.files import atomically
from model.picture_files import sort_key

_LABELS = 5
COLUMNS = (
    "file",
    "sentence",
    "alt_text",
    "confidence",
    "tier",
    *(f"{column}_{rank}" for rank in range(1, _LABELS + 1) for column in ("label", "score")),
    "words",
    "model",
)
"""The columns of the CSV file; ``model`` is the version of the network."""


@dataclass(frozen=True)
class Record:
    """A complete line of a file: its picture, its network, and where it stands."""

    name: str
    """The name of the picture, as :func:`model.picture_files.file_name` writes it."""
    version: str
    """The version of the network that captioned it."""
    start: int
    """Offset of its first byte in the file."""
    end: int
    """Offset after its last byte, the line end included."""


class _CompleteLines:
    """Iterates over complete lines; raises ValueError where there are none and it does not begin like ``header``."""

    def __init__(self, file: BinaryIO, header: bytes) -> None:
        self._file = file
        self._header = header
        self.end = 0
        """Offset after the last line that was yielded, in bytes."""
        self.exhausted = False
        """Whether all lines were yielded."""

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            if not line.endswith(b"\n"):
                if self.end == 0 and line[: len(self._header)] != self._header[: len(line)]:
                    raise ValueError("the only, incomplete line is not a caption")
                break
            self.end += len(line)
            yield line.decode()
        self.exhausted = True


class OutputFormat(Protocol):
    """How captions are written to a file and read back."""

    header: bytes
    """What stands before the first caption."""

    def encode(self, name: str, prediction: PredictionFields) -> bytes:
        """Return the line of one picture, its line end included."""

    def read_records(self, file: BinaryIO) -> Iterator[Record]:
        """Yield all complete lines. Raises ValueError where the file does not contain captions in this format."""


class JsonLines:
    """The format with one JSON object per line: ``file``, and all of ``POST /predict`` but its request id and times."""

    header = b""
    _FIRST_BYTES = b'{"file": "'

    def encode(self, name: str, prediction: PredictionFields) -> bytes:
        """Return the JSON object of one picture, its line end included."""
        return json.dumps({"file": name, **prediction}, ensure_ascii=False).encode() + b"\n"

    def read_records(self, file: BinaryIO) -> Iterator[Record]:
        """Yield all complete lines. Raises ValueError where a line is not the JSON object of a caption."""
        lines = _CompleteLines(file, self._FIRST_BYTES)
        start = 0
        for line in lines:
            yield self._record(line, start, lines.end)
            start = lines.end

    @staticmethod
    def _record(line: str, start: int, end: int) -> Record:
        try:
            caption = json.loads(line)
            name = caption["file"]
            version = caption["model"]["version"]
        except (KeyError, TypeError) as error:
            raise ValueError("JSON, but not of a caption") from error
        if not isinstance(name, str) or not isinstance(version, str):
            raise ValueError("a file name and a version must be text")
        return Record(name, version, start, end)


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet computes, and does not show; the last four are the full-width forms."""


class Csv:
    """The format with one row per picture, for spreadsheets: RFC 4180 in UTF-8.

    No cell is a formula: the path of a file that is called like one begins with ``./``, a text with an apostrophe.
    """

    def __init__(self) -> None:
        self.header = self._row(COLUMNS)

    def encode(self, name: str, prediction: PredictionFields) -> bytes:
        """Return the row of one picture, with its first ``_LABELS`` labels."""
        caption = prediction["caption"]
        labels = [cell for label in prediction["labels"][:_LABELS] for cell in (_text(label["label"]), label["score"])]
        labels += [""] * (2 * _LABELS - len(labels))
        words = _text("; ".join(word["word"] for word in prediction["words"]))
        sentence = (_text(caption["text"]), _text(caption["alt_text"]), caption["confidence"], caption["tier"])
        path = f"./{name}" if _is_formula(name) else name
        return self._row((path, *sentence, *labels, words, prediction["model"]["version"]))

    def read_records(self, file: BinaryIO) -> Iterator[Record]:
        """Yield all complete rows; a row takes several lines where a name contains line ends.

        Raises ValueError where the file is not CSV or its columns are not :data:`COLUMNS`.
        """
        lines = _CompleteLines(file, self.header)
        start = 0
        try:
            for row in csv.reader(lines, strict=True):
                if len(row) != len(COLUMNS) or (start == 0 and row != list(COLUMNS)):
                    raise ValueError("CSV, but not with the columns of captions")
                if start > 0:
                    bare = row[0].removeprefix("./")
                    yield Record(bare if _is_formula(bare) else row[0], row[-1], start, lines.end)
                start = lines.end
        except csv.Error as error:
            # A quotation that is open at the end of the file is an incomplete row, and not an error.
            if start == 0 or not lines.exhausted:
                raise ValueError("not CSV") from error

    @staticmethod
    def _row(cells: tuple[object, ...]) -> bytes:
        text = StringIO(newline="")
        csv.writer(text).writerow(cells)
        return text.getvalue().encode()


def _text(cell: str) -> str:
    return f"'{cell}" if _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    return cell.lstrip().startswith(_FORMULA)  # some spreadsheets pass over blanks


def format_of(path: Path) -> OutputFormat:
    """Choose the format by the suffix: CSV for ``.csv``, else JSON Lines."""
    return Csv() if path.suffix.lower() == ".csv" else JsonLines()


@dataclass(frozen=True)
class ResumeState:
    """What an output file contains before the command writes to it; by default nothing."""

    names: frozenset[str] = frozenset()
    """The names of the pictures that have a line."""
    version: str | None = None
    """The version of the network that wrote them; None where there are none."""
    end: int = 0
    """Offset after the last complete line, in bytes."""


def read_resume_state(path: Path | None, *, resume: bool) -> ResumeState:
    """Read what the output file contains: nothing for stdout (None), an empty or a missing file.

    Raises SettingsError where the file is not empty and ``resume`` is not set, or it cannot be continued, and
    StartError where it cannot be read.
    """
    if path is None or not _has_content(path):
        return ResumeState()
    if not resume:
        raise SettingsError(f"{path} is not empty: add --resume to continue it, or name another file.")
    records = _read_records(path)
    if not records:
        return ResumeState()
    versions = sorted({record.version for record in records})
    if len(versions) > 1:
        raise SettingsError(f"{path} contains captions by several networks ({', '.join(versions)}).")
    return ResumeState(frozenset(record.name for record in records), versions[0], records[-1].end)


def _has_content(path: Path) -> bool:
    try:
        if path.is_dir():
            raise SettingsError(f"{path} is a folder, but --out needs a file.")
        if not path.parent.is_dir():
            raise SettingsError(f"There is no folder {path.parent} to write {path.name} to.")
        return path.is_file() and path.stat().st_size > 0  # a terminal or a pipe is not a file, and has no content
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror or error}.") from error


def _read_records(path: Path) -> list[Record]:
    try:
        with path.open("rb") as file:
            return list(format_of(path).read_records(file))
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise SettingsError(
            f"{path} does not contain captions in the format of its suffix, and was left unchanged."
        ) from error


class Writer:
    """Appends captions to an open file."""

    def __init__(self, file: BinaryIO, output_format: OutputFormat) -> None:
        self._file = file
        self._format = output_format

    def write(self, name: str, prediction: PredictionFields) -> None:
        """Write the line of one picture and flush it, so that it outlives this process."""
        self._file.write(self._format.encode(name, prediction))
        self._file.flush()


@contextmanager
def open_writer(path: Path | None, state: ResumeState) -> Iterator[Writer]:
    """Open a writer on stdout (None), or on a file after its last complete line. Raises StartError."""
    if path is None:
        with _stdout() as writer:
            yield writer
        return
    try:
        with path.open("r+b" if state.end else "wb") as file:
            output_format = format_of(path)
            if state.end:
                file.truncate(state.end)
                file.seek(state.end)
            else:
                file.write(output_format.header)
            yield Writer(file, output_format)
    except OSError as error:  # of the output file; an error of a picture is in its CaptionLine
        raise StartError(f"{path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _stdout() -> Iterator[Writer]:
    """A writer on stdout. Raises StartError where the disk behind it is full, BrokenPipeError where its reader left."""
    try:
        yield Writer(sys.stdout.buffer, JsonLines())
    except OSError as error:
        # What could not be written would be tried once more, and fail once more, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise StartError(f"The output cannot be written: {error.strerror or error}.") from error


def sort_lines(path: Path) -> None:
    """Sort the lines of a file by the names of their pictures, atomically. Raises StartError."""
    records = _read_records(path)
    in_order = sorted(records, key=lambda record: sort_key(record.name))
    if records == in_order:
        return
    try:
        with path.open("rb") as old, atomically(path.resolve()) as new:
            new.write(format_of(path).header)
            for record in in_order:
                old.seek(record.start)
                new.write(old.read(record.end - record.start))
    except OSError as error:
        raise StartError(f"{path} cannot be sorted, and was left unchanged: {error.strerror or error}.") from error
