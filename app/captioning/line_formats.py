"""The formats of the file of captions, CSV and JSON Lines: how a picture's line is written, and what is read back."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import BinaryIO, Protocol

from app.captioning.files import PredictionFields

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
_ALT_TEXT = COLUMNS.index("alt_text")


@dataclass(frozen=True)
class Record:
    """A complete line of a file: its picture, its network, and where it stands."""

    name: str
    """The name of the picture, as :func:`model.picture_files.file_name` writes it."""
    version: str
    """The version of the network that captioned it."""
    alt_text: str
    """The alternative text that the network gave it."""
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
            alt_text = caption["caption"]["alt_text"]
        except (KeyError, TypeError) as error:
            raise ValueError("JSON, but not of a caption") from error
        if not isinstance(name, str) or not isinstance(version, str) or not isinstance(alt_text, str):
            raise ValueError("a file name, a version and an alternative text must be text")
        return Record(name, version, alt_text, start, end)


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
                    alt_text = _unprotected(row[_ALT_TEXT], "'")
                    yield Record(_unprotected(row[0], "./"), row[-1], alt_text, start, lines.end)
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


def _unprotected(cell: str, mark: str) -> str:
    """Take away the mark that was put before a cell because it was a formula."""
    bare = cell.removeprefix(mark)
    return bare if _is_formula(bare) else cell


def _is_formula(cell: str) -> bool:
    return cell.lstrip().startswith(_FORMULA)  # some spreadsheets pass over blanks


def format_of(path: Path) -> OutputFormat:
    """Choose the format by the suffix: CSV for ``.csv``, else JSON Lines."""
    return Csv() if path.suffix.lower() == ".csv" else JsonLines()
