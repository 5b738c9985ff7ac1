"""Finds the picture that a table names: by its path, by its name wherever it lies, or by its name without a suffix."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath

from model.picture_files import list_pictures, one_form

_AMBIGUOUS = ""


class PictureLookup:
    """The pictures below a folder, by what a table may call them. The folder is listed when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def pictures(self) -> list[str]:
        """Paths of all pictures, relative to the folder."""
        return list_pictures(self.folder).pictures

    @cached_property
    def _by_path(self) -> dict[str, str]:
        return {one_form(Path(picture).as_posix()): picture for picture in self.pictures}

    @cached_property
    def _by_ending(self) -> dict[str, str]:
        """Every ending of a picture's path, with and without its suffix -> the path; ambiguous ones lead nowhere."""
        found: dict[str, str] = {}
        for posix, picture in self._by_path.items():
            parts = PurePosixPath(posix).parts
            for start in range(len(parts)):
                ending = PurePosixPath(*parts[start:])
                for name in {str(ending), str(ending.with_suffix(""))}:
                    found[name] = picture if found.get(name, picture) == picture else _AMBIGUOUS
        return found

    def find_name(self, name: str) -> str | None:
        """The path, relative to the folder, of the picture that a table calls ``name``; None where there is none.

        The name may leave out folders and the suffix where that is plain, or begin with folders above this one.
        """
        parts = tuple(p for p in PurePosixPath(one_form(name.strip().replace("\\", "/"))).parts if p not in (".", "/"))
        if not parts:
            return None
        endings = [str(PurePosixPath(*parts[start:])) for start in range(len(parts))]
        whole = next((self._by_path[ending] for ending in endings if ending in self._by_path), None)
        return whole or self._by_ending.get(endings[0]) or None

    def find(self, name: str, beside: Path) -> Path | None:
        """The file that a table in the folder ``beside`` calls ``name``; None where there is none."""
        direct = beside / name
        if direct.is_file():
            return direct
        found = self.find_name(name)
        return self.folder / found if found else None
