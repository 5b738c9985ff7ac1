"""The text files beside the pictures, with one line of alternative text: ``photo.txt`` for ``photo.jpg``.

Where that name would belong to two pictures, as for ``a.jpg`` and ``a.png``, it is ``a.jpg.txt`` and ``a.png.txt``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from model.files import write_atomically


class SidecarError(Exception):
    """Report that the text file of a picture was not written; the message is one sentence."""


class OtherTextError(SidecarError):
    """Report that the text file of a picture has another text, which this command did not write."""


class Sidecars:
    """The text files of the pictures in ``files``."""

    def __init__(self, files: Sequence[Path], *, force: bool) -> None:
        self._force = force
        counts = Counter(map(_short_name, files))
        # A picture may itself have the name of another picture's text file.
        taken = {*files, *map(_full_name, files)}
        self._ambiguous = {path for path, count in counts.items() if count > 1 or path in taken}

    def path(self, file: Path) -> Path:
        """Return the path of the text file of one picture."""
        short = _short_name(file)
        return _full_name(file) if short in self._ambiguous else short

    def write(self, file: Path, alt_text: str) -> None:
        """Write the text file of one picture, unless it is there.

        Raises OtherTextError for a file with another text, without ``force``, and SidecarError where writing fails.
        """
        path = self.path(file)
        text = f"{alt_text}\n"
        try:
            if self._force or not path.exists():
                write_atomically(path, text)
            elif path.read_bytes() != text.encode():
                raise OtherTextError(f"{path.name} beside it has another text already: --force overwrites it.")
        except OSError as error:
            raise SidecarError(f"{path.name} beside it cannot be written ({error.strerror or error}).") from error


def _short_name(file: Path) -> Path:
    return file.with_name(f"{file.stem}.txt")


def _full_name(file: Path) -> Path:
    return file.with_name(f"{file.name}.txt")
