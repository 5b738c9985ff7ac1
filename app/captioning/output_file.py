"""The file of captions: JSON Lines, or CSV where its name ends in ``.csv``; stdout is JSON Lines.

Every line names its picture and the version of the network that spoke, so that a file tells by itself what is done and
by whom: there is nothing beside it to lose. Lines are written whole, in sorted order; whoever goes on with a file cuts
off half a line at its end, appends what is missing, and sorts once more if new pictures belong between old ones.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import BinaryIO, Protocol

from app.captioning import files
from app.captioning.files import Answer
from app.settings import SettingsError
from app.startup import StartError
from model.files import atomically

_LABELS = 5
COLUMNS = (
    *("file", "sentence", "alt_text", "confidence", "tier"),
    *(f"{what}_{number}" for number in range(1, _LABELS + 1) for what in ("label", "score")),
    *("words", "model"),
)
"""Of the CSV; ``model`` is the version of the network."""


@dataclass(frozen=True)
class Record:
    """One whole line of a file."""

    name: str
    version: str
    start: int
    end: int
    """Bytes."""


class _Whole:
    """The lines of a file but for half a one at its end."""

    def __init__(self, file: BinaryIO, start: bytes) -> None:
        self._file, self._start = file, start
        self.end = 0
        """Of the last line, in bytes."""
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        """Raises ValueError where the only line there is cannot become ``start``, or one that begins with it."""
        for line in self._file:
            if not line.endswith(b"\n"):
                if self.end == 0 and line[: len(self._start)] != self._start[: len(line)]:
                    raise ValueError("half a line of something else")
                break
            self.end += len(line)
            yield line.decode()
        self.ended = True


class Style(Protocol):
    """How captions are written down, and read back."""

    head: bytes

    def line(self, name: str, answer: Answer) -> bytes:
        """With its end."""

    def records(self, file: BinaryIO) -> Iterator[Record]:
        """All whole lines. Raises ValueError where these are no captions."""


class JsonLines:
    """One object a line."""

    head = b""
    _START = b'{"file": "'

    def line(self, name: str, answer: Answer) -> bytes:
        """All that ``POST /predict`` says but its id and times."""
        return json.dumps({"file": name, **answer}, ensure_ascii=False).encode() + b"\n"

    def records(self, file: BinaryIO) -> Iterator[Record]:
        """See :class:`Style`."""
        whole = _Whole(file, self._START)
        start = 0
        for line in whole:
            yield self._record(line, start, whole.end)
            start = whole.end

    def _record(self, line: str, start: int, end: int) -> Record:
        try:
            said = json.loads(line)
            name, version = said["file"], said["model"]["version"]
        except (KeyError, TypeError) as error:
            raise ValueError("JSON, but no caption") from error
        if not isinstance(name, str) or not isinstance(version, str):
            raise ValueError("nobody's caption")
        return Record(name, version, start, end)


class Csv:
    """One row a picture, for spreadsheets: RFC 4180, UTF-8."""

    def __init__(self) -> None:
        self.head = self._row(COLUMNS)

    def line(self, name: str, answer: Answer) -> bytes:
        """The sentence and its ``_LABELS`` first labels."""
        said = answer["caption"]
        labels = [cell for label in answer["labels"][:_LABELS] for cell in (label["label"], label["score"])]
        labels += [""] * (2 * _LABELS - len(labels))
        words = "; ".join(word["word"] for word in answer["words"])
        sentence = (said["text"], said["alt_text"], said["confidence"], said["tier"])
        return self._row((name, *sentence, *labels, words, answer["model"]["version"]))

    def records(self, file: BinaryIO) -> Iterator[Record]:
        """See :class:`Style`. A name can hold line ends, so a row may take several lines."""
        whole = _Whole(file, self.head)
        start = 0
        try:
            for row in csv.reader(whole, strict=True):
                if len(row) != len(COLUMNS) or (start == 0 and row != list(COLUMNS)):
                    raise ValueError("rows of something else")
                if start > 0:
                    yield Record(row[0], row[-1], start, whole.end)
                start = whole.end
        except csv.Error as error:
            if start == 0 or not whole.ended:  # else a quotation is still open at the end: half a row
                raise ValueError("no CSV") from error

    @staticmethod
    def _row(cells: tuple[object, ...]) -> bytes:
        text = StringIO(newline="")
        csv.writer(text).writerow(cells)
        return text.getvalue().encode()


def style_of(path: Path) -> Style:
    """By the suffix."""
    return Csv() if path.suffix.lower() == ".csv" else JsonLines()


@dataclass(frozen=True)
class Held:
    """What a file held before we came."""

    names: frozenset[str] = frozenset()
    version: str | None = None
    end: int = 0
    """Bytes that are whole lines."""


def held(path: Path | None, *, resume: bool) -> Held:
    """What is kept; nothing for stdout, and for a file that is empty or not there.

    Raises SettingsError, or StartError where it cannot be read.
    """
    if path is None or not _begun(path):
        return Held()
    if not resume:
        raise SettingsError(f"{path} is not empty: --resume goes on with it; to begin anew, remove it or name another.")
    records = _read(path)
    if not records:
        return Held()
    versions = sorted({record.version for record in records})
    if len(versions) > 1:
        raise SettingsError(f"{path} was written by several networks ({', '.join(versions)}).")
    return Held(frozenset(record.name for record in records), versions[0], records[-1].end)


def _begun(path: Path) -> bool:
    if path.is_dir():
        raise SettingsError(f"{path} is a folder: --out names a file.")
    if not path.parent.is_dir():
        raise SettingsError(f"There is no folder {path.parent} to write {path.name} to.")
    return path.is_file() and path.stat().st_size > 0  # a terminal or a pipe is no file, and holds nothing


def _read(path: Path) -> list[Record]:
    try:
        with path.open("rb") as file:
            return list(style_of(path).records(file))
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        what = "holds no captions in the form that its name asks for"
        raise SettingsError(f"{path} {what}, and stays as it is.") from error


@contextmanager
def opened(path: Path | None, kept: Held) -> Iterator[Writer]:
    """A file to go on with, or stdout. Raises StartError where it cannot be written."""
    if path is None:
        yield Writer(sys.stdout.buffer, JsonLines())
        return
    try:
        with path.open("r+b" if kept.end else "wb") as file:
            style = style_of(path)
            if kept.end:
                file.truncate(kept.end)
                file.seek(kept.end)
            else:
                file.write(style.head)
            yield Writer(file, style)
    except OSError as error:  # of this file: those of a picture are its faults, and do not come this far
        raise StartError(f"{path} cannot be written: {error.strerror or error}.") from error


class Writer:
    """Takes lines, in order."""

    def __init__(self, file: BinaryIO, style: Style) -> None:
        self._file, self._style = file, style

    def add(self, name: str, answer: Answer) -> None:
        """Out of our hands when this returns."""
        self._file.write(self._style.line(name, answer))
        self._file.flush()


def sort(path: Path) -> None:
    """Put the lines into the order of their names, all or none; nothing where they are. Raises StartError."""
    records = _read(path)
    in_order = sorted(records, key=lambda record: files.place(record.name))
    if records == in_order:
        return
    try:
        with path.open("rb") as old, atomically(path.resolve()) as new:
            new.write(style_of(path).head)
            for record in in_order:
                old.seek(record.start)
                new.write(old.read(record.end - record.start))
    except OSError as error:
        raise StartError(f"{path} cannot be sorted, and stays as it is: {error.strerror or error}.") from error
