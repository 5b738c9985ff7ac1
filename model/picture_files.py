"""What a folder of pictures means: which files in it are pictures, and which folders are no business of ours.

Training, ``inspect``, ``evaluate`` and ``glassbot caption`` all ask here, so that they find the same pictures.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from PIL import Image

from model.pictures.kinds import READ_FORMATS
from model.pictures.opening import configure_pillow

_BROWSERS_SUFFIXES = (".pjp", ".pjpeg")  # under which browsers save JPEG, and which Pillow does not know
LISTED_KINDS = 8
"""Kinds of passed-over files that a sentence names; the others are counted."""
_FOREIGN_FOLDERS = (
    ".*",  # hidden: .git, .Trash-1000, .ipynb_checkpoints, .thumbnails, .AppleDouble
    "@*",  # network storage: @eaDir, @Recycle, @tmp, @__thumb
    "#recycle",
    "#snapshot",
    "~snapshot",
    "$recycle.bin",
    "$windows.~*",
    "__macosx",
    "__pycache__",
    "_vti_*",
    "found.[0-9][0-9][0-9]",
    "lost.dir",
    "lost+found",
    "network trash folder",
    "recycled",
    "recycler",
    "system volume information",
    "temporary items",
    "thevolumesettingsfolder",
)
"""Folders of operating systems, file managers, archives and storage devices, in lower case, as patterns."""


@cache
def suffixes() -> frozenset[str]:
    """The suffixes, in lower case and with their dot, that Pillow's registry holds for the formats that are read."""
    configure_pillow()
    registered = (suffix for suffix, name in Image.registered_extensions().items() if name in READ_FORMATS)
    return frozenset((*registered, *_BROWSERS_SUFFIXES))


def is_foreign(folder_name: str) -> bool:
    """Whether a folder of this name belongs to another system: a thumbnail cache, a bin, a checkpoint."""
    return any(fnmatch(folder_name.casefold(), pattern) for pattern in _FOREIGN_FOLDERS)


def one_form(name: str) -> str:
    """A name in the one Unicode form (NFC) in which names are compared; file systems keep either form."""
    return unicodedata.normalize("NFC", name)


@dataclass(frozen=True, kw_only=True)
class FolderListing:
    """The pictures below a folder, and what else lies there."""

    pictures: list[str]
    """Paths of the pictures, relative to the folder, sorted folder by folder."""
    passed_over: Counter[str]
    """Kind of a file or name of a folder -> how many are not looked at; :func:`describe` puts it into words."""


def list_pictures(folder: Path) -> FolderListing:
    """All pictures below a folder, told by their suffix. Links to folders are not followed."""
    passed_over: Counter[str] = Counter()
    pictures = list(_walk(str(folder), "", passed_over))
    pictures.sort(key=lambda path: path.replace(os.sep, "\0"))
    return FolderListing(pictures=pictures, passed_over=passed_over)


def holds_pictures(folder: Path) -> bool:
    """Whether there is any picture below a folder; stops at the first."""
    return next(_walk(str(folder), "", Counter()), None) is not None


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted, those of other systems left out. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not is_foreign(entry.name))


def files_in(folder: Path, kinds: Iterable[str]) -> list[str]:
    """The names of the files in a folder, not below it, that have one of some suffixes; sorted, none hidden."""
    wanted = frozenset(kinds)
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_file() and _kind_of(entry.name) in wanted)


def describe(passed_over: Counter[str]) -> str:
    """What was passed over, by kind: ``.txt (12), @eaDir/ (3)``; empty where there is nothing."""
    kinds = [f"{kind} ({count:,})" for kind, count in sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))]
    if len(kinds) > LISTED_KINDS:
        kinds[LISTED_KINDS:] = [f"{len(kinds) - LISTED_KINDS} other kinds"]
    return ", ".join(kinds)


def _walk(folder: str, within: str, passed_over: Counter[str]) -> Iterator[str]:
    """Paths of pictures relative to the folder where the walk began, in no order; counts what is passed over."""
    try:
        with os.scandir(folder) as scanned:
            entries = list(scanned)
    except OSError as error:
        passed_over[f"{Path(folder).name}/, {(error.strerror or str(error)).lower()}"] += 1
        return
    for entry in entries:
        path = within + entry.name
        if entry.is_dir():
            if is_foreign(entry.name):
                passed_over[f"{entry.name}/"] += 1
            elif entry.is_symlink():  # it may lead to a folder above, and so round in a circle
                passed_over["links to folders"] += 1
            else:
                yield from _walk(entry.path, path + os.sep, passed_over)
        elif _kind_of(entry.name) in suffixes() and entry.is_file():
            yield path
        else:
            is_lost = entry.is_symlink() and not entry.is_file()
            passed_over["links that lead nowhere" if is_lost else _kind_of(entry.name)] += 1


def _kind_of(file_name: str) -> str:
    """The suffix of a file in lower case; ``._photo.jpg`` looks like a picture, and is hidden."""
    if file_name.startswith("."):
        return "hidden files"
    return Path(file_name).suffix.lower() or "no suffix"
