"""The alternative text of a picture in a file beside it, one line: ``photo.txt`` for ``photo.jpg``.

Where that name could belong to two pictures, ``a.jpg`` and ``a.png``, it is ``a.jpg.txt`` and ``a.png.txt``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from model.files import write_atomically


class Sidecars:
    """Those of the pictures in ``files``."""

    def __init__(self, files: Sequence[Path], *, force: bool) -> None:
        self._force = force
        short = Counter(map(_short, files))
        # A picture may be called what another one's sidecar would be.
        taken = {*files, *map(_full, files)}
        self._shared = {path for path, number in short.items() if number > 1 or path in taken}

    def path(self, file: Path) -> Path:
        """Where the text of one picture belongs."""
        return _full(file) if _short(file) in self._shared else _short(file)

    def write(self, file: Path, alt_text: str) -> str:
        """Write it; the fault, or nothing. A file that says something else is not ours, and stays unless forced."""
        path, text = self.path(file), f"{alt_text}\n"
        try:
            if not self._force and path.exists() and path.read_bytes() != text.encode():
                return f"{path.name} beside it says something else already: --force replaces it."
            write_atomically(path, text)
        except OSError as error:
            return f"{path.name} beside it cannot be written ({error.strerror or error})."
        return ""


def _short(file: Path) -> Path:
    return file.with_name(f"{file.stem}.txt")


def _full(file: Path) -> Path:
    return file.with_name(f"{file.name}.txt")
