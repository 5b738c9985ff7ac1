"""The folder that a job writes its parts to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from app.captioning.buckets import parts
from app.captioning.buckets.parts import Answers, Layout
from app.captioning.buckets.stores import open_store, reason_of
from app.inference.offline.paths import printable
from app.settings import SettingsError
from app.startup import StartError

_FILES = {".csv", ".json", ".jsonl", ".parquet"}


class AnswersFolder:
    """The folder at an address, which need not be there yet. Raises SettingsError where it cannot be one.

    Its methods raise SettingsError where it, or what it holds, cannot be used, and StartError where a file cannot be
    read or written.
    """

    def __init__(self, address: str) -> None:
        if address.startswith("memory://"):
            raise SettingsError("memory:// ends with this process, and the answers with it: name another folder.")
        if PurePosixPath(address).suffix.lower() in _FILES:
            raise SettingsError(printable(f"{address} names a file, but here --out needs a folder for the answers."))
        self.address = address
        self._store, path = open_store(address)
        self._path = path.rstrip("/")

    def names(self) -> list[str]:
        """Return the paths of all files in the folder, relative to it."""
        try:
            files = self._store.files(self._path) or []
        except OSError as error:
            raise SettingsError(printable(f"{self.address} cannot be listed: {reason_of(error)}.")) from error
        if any(file.path == self._path for file in files):
            raise SettingsError(printable(f"{self.address} is a file, but --out needs a folder for the answers."))
        return [file.path.removeprefix(f"{self._path}/") for file in files]

    def create(self) -> None:
        """Make the folder, where its store has folders or marks them, so that one that cannot be written to is told."""
        try:
            self._store.make_folder(self._path)
        except OSError as error:
            raise SettingsError(printable(f"{self.address} cannot be written to: {reason_of(error)}.")) from error

    def read(self, layout: Layout, part: int) -> Answers:
        """Return the answers in a part; none where it was not written yet."""
        name = layout.name(part)
        content = self._read(name)
        try:
            return {} if content is None else parts.decode(content, layout, part)
        except ValueError as error:
            raise SettingsError(
                printable(f"{self.address}/{name} is no part of such answers ({error}), and was left: delete it first.")
            ) from error

    def write(self, layout: Layout, part: int, answers: Answers) -> None:
        """Write a part, whole or not at all."""
        self._write(layout.name(part), parts.encode(answers, layout.format))

    def check_errors(self) -> None:
        """Raise SettingsError where the file that :meth:`write_errors` would replace is none of its lists."""
        content = self._read(parts.ERRORS)
        try:
            parts.check_error_lines(content or b"")
        except ValueError as error:
            raise SettingsError(
                printable(f"{self.address}/{parts.ERRORS} is no list of pictures without an answer: rename it first.")
            ) from error

    def write_errors(self, errors: Sequence[tuple[str, str]]) -> None:
        """Write the list of the pictures without an answer, empty where there is none."""
        self._write(parts.ERRORS, parts.error_lines(errors))

    def _read(self, name: str) -> bytes | None:
        """The bytes of a file of the folder; None where there is none."""
        try:
            return self._store.read(f"{self._path}/{name}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StartError(printable(f"{self.address}/{name} cannot be read: {reason_of(error)}.")) from error

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._store.write(f"{self._path}/{name}", content)
        except OSError as error:
            raise StartError(printable(f"{self.address}/{name} cannot be written: {reason_of(error)}.")) from error
