"""The command ``glassbot export``: photos copied into class folders, which ``python -m training train`` reads."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.embeddings.inputs import Given, read_inputs
from app.embeddings.photos import Photo, under_two_names
from app.inference.offline.messages import finish
from app.inference.offline.paths import printable
from app.settings import SettingsError
from app.startup import StartError
from model.files import atomically
from model.picture_files import is_foreign, reason_of

_LONGEST_FOLDER = 255  # bytes


@dataclass
class _Copies:
    """Copies photos below a folder, and counts them."""

    folder: Path
    errors: list[str]
    owners: dict[str, tuple[str, Photo]] = field(default_factory=dict)
    """SHA-256 -> the name and the photo that was seen first with these bytes."""
    names: set[str] = field(default_factory=set)
    """The names that have a photo there."""
    made: int = 0
    there: int = 0
    """How many were there already, or given twice."""

    def add(self, name: str, photo: Photo) -> None:
        """Copy one photo unless it is there. Raises OSError where it cannot be written."""
        try:
            body = photo.read()
        except OSError as error:
            self.errors.append(printable(f"{photo.place}: The file cannot be read ({error.strerror or error})."))
            return
        digest = hashlib.sha256(body).hexdigest()
        first, other = self.owners.setdefault(digest, (name, photo))
        if first == name and other is photo:
            self._write(name, photo.file_name, body, digest)
        elif first == name:
            self.there += 1
        elif not other.corrects(photo):
            self.errors.append(under_two_names(other, photo, first, name) + "the second was left out.")

    def _write(self, name: str, file_name: str, body: bytes, digest: str) -> None:
        plain = Path(file_name)
        for candidate in (file_name, f"{plain.stem[:150]}-{digest[:16]}{plain.suffix}"):
            path = self.folder / name / candidate
            if path.is_file() and path.read_bytes() == body:
                self.there += 1
                self.names.add(name)
                return
            if not path.exists() and not path.is_symlink():
                with atomically(path) as file:
                    file.write(body)
                self.made += 1
                self.names.add(name)
                return
        self.errors.append(printable(f"{path} is another file, and was left as it is: {file_name} was not copied."))


def run(options: dict[str, Any]) -> int:
    """Run the command and return 0, or 1 where a photo had to be left out. Raises SettingsError or StartError."""
    with ExitStack() as opened:
        given = read_inputs(options["inputs"], opened)
        _check(given, options["out"])
        errors = list(given.problems)
        copies = _Copies(options["out"], errors)
        try:
            for name, photo in given.named:
                copies.add(name, photo)
        except OSError as error:
            raise StartError(printable(f"{copies.folder} cannot be written to ({reason_of(error)}).")) from error
        finally:
            status = finish(errors)
    there = f"; {copies.there:,} more were there already" if copies.there else ""
    print(f"Photos copied to {copies.folder}: {copies.made:,}, of {len(copies.names):,} names{there}.")
    return status


def _check(given: Given, folder: Path) -> None:
    """Raise StartError for inputs without photos and names without a folder, SettingsError for a file as the folder."""
    if given.examples:
        path = given.examples[0][0]
        raise StartError(printable(f"{path} holds embeddings and no photos: give the photos themselves."))
    if not given.photos:
        raise StartError(" ".join(["There is no photo in the given paths.", *given.problems]))
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"--out {folder} is a file, not a folder.")
    for name in given.photos:
        if is_foreign(name) or set(name) & set("/\\") or len(name.encode()) > _LONGEST_FOLDER:
            raise StartError(f"{name!r} cannot be the name of a folder of photos: give it another label.")
