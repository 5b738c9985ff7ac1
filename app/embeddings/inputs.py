"""What people give to be taught: class folders, ZIPs of them, tables of corrections, examples, taught networks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from app.embeddings.class_folders import Classes, in_folder, in_zip
from app.embeddings.corrections import read_corrections
from app.embeddings.photos import Photo
from app.inference.offline.paths import check_path, printable
from app.startup import StartError
from model import checkpoint as checkpoints
from model.picture_files import reason_of
from model.teaching import examples
from model.teaching.examples import Examples, ExamplesError, check_name

_LONGEST_HEADER = 100_000_000
_TABLES = (".csv", ".tsv")


@dataclass
class Given:
    """Everything that the inputs of a command hold."""

    photos: dict[str, list[Photo]] = field(default_factory=dict)
    """Name -> the photos that were given for it."""
    examples: list[tuple[Path, Examples]] = field(default_factory=list)
    """What files of examples and taught networks hold, and where they lie."""
    networks: list[Path] = field(default_factory=list)
    """The taught networks among the inputs."""
    problems: list[str] = field(default_factory=list)
    """What was left out, a sentence each."""
    passed_over: list[str] = field(default_factory=list)
    """What else lies in the folders, by kind."""

    @property
    def named(self) -> list[tuple[str, Photo]]:
        """All photos with their names, those of tables first: of a photo that is met again, the correction is known."""
        pairs = [(name, photo) for name, photos in self.photos.items() for photo in photos]
        return sorted(pairs, key=lambda pair: not pair[1].corrected)

    def add(self, classes: Classes) -> None:
        """Add the photos of class folders or of a table."""
        for name, photos in classes.photos.items():
            self.photos.setdefault(name, []).extend(photos)
        self.problems += map(printable, classes.problems)
        if classes.passed_over:
            self.passed_over.append(printable(classes.passed_over))


def read_inputs(paths: Iterable[Path], opened: ExitStack) -> Given:
    """Read all inputs; ZIPs among them stay open until ``opened`` is closed.

    Raises StartError for what cannot be read, is nothing of the kind, or has a name that cannot be taught, and
    CheckpointError for a network that is none.
    """
    given = Given()
    for path in paths:
        check_path(path)
        _read(path, given, opened)
    try:
        for name in given.photos:
            check_name(name)
    except ExamplesError as error:
        raise StartError(str(error)) from error
    return given


def _read(path: Path, given: Given, opened: ExitStack) -> None:
    if path.is_dir():
        given.add(in_folder(path))
    elif path.suffix.lower() in _TABLES:
        given.add(read_corrections(path))
    elif kinds := _safetensors_kinds(path):
        found = _examples(path) if examples.METADATA in kinds else _taught(path)
        given.examples.append((path, found))
        if examples.METADATA not in kinds:
            given.networks.append(path)
    elif is_zipfile(path) or path.suffix.lower() == ".zip":
        given.add(in_zip(path, opened))
    else:
        raise StartError(
            printable(f"{path} is no folder, ZIP, CSV, file of examples or taught network: put photos of a thing")
            + " into a folder with its name."
        )


def _safetensors_kinds(path: Path) -> set[str]:
    """Return the keys in the header of a safetensors file; none for any other file. Raises StartError."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: Any = json.loads(file.read(length)) if length < _LONGEST_HEADER else None
        return set(header["__metadata__"])
    except OSError as error:
        raise StartError(printable(f"{path} cannot be read ({reason_of(error)}).")) from error
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()


def _examples(path: Path) -> Examples:
    try:
        return examples.read(path.read_bytes())
    except (OSError, ExamplesError) as error:
        raise StartError(printable(f"{path}: {error}")) from error


def _taught(path: Path) -> Examples:
    found = checkpoints.load(path).examples
    if found is None:
        raise StartError(printable(f"{path} is a network that was taught nothing: name it by --from."))
    return found
