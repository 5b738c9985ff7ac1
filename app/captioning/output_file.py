"""The file of captions: CSV where its name ends in ``.csv``, else JSON Lines; stdout is JSON Lines.

Every line names its picture and the version of the network, so the file itself tells which pictures are done and by
which network; no second file keeps that state. Lines are written whole and in sorted order. To resume, an incomplete
line at the end is cut off, the missing lines are appended, and the file is sorted again where new pictures belong
between old ones.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from app.captioning.files import PredictionFields
from app.captioning.line_formats import JsonLines, OutputFormat, Record, format_of
from app.settings import SettingsError
from app.startup import StartError
from model.files import atomically
from model.picture_files import sort_key


@dataclass(frozen=True)
class ResumeState:
    """What an output file contains before the command writes to it; by default nothing."""

    alt_texts: Mapping[str, str] = field(default_factory=dict)
    """Name of each picture that has a line -> its alternative text."""
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
    return ResumeState({record.name: record.alt_text for record in records}, versions[0], records[-1].end)


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
