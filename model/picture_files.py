"""What a folder of pictures means: which files in it are pictures, and which folders are no business of ours.

Training, ``inspect``, ``evaluate`` and ``glassbot caption`` all ask here, so that they find the same pictures.
"""

from __future__ import annotations

import errno
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
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
_LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What the system says of a link whose end is not there, or of a ring of links."""


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
    unreadable: dict[str, str]
    """Path of a folder or a link that the system does not let us look at, relative to the folder -> why, in words."""


def list_pictures(folder: Path) -> FolderListing:
    """All pictures below a folder, told by their suffix. Links to folders are not followed."""
    listing = FolderListing(pictures=[], passed_over=Counter(), unreadable={})
    listing.pictures.extend(_walk(str(folder), "", listing))
    listing.pictures.sort(key=lambda path: path.replace(os.sep, "\0"))
    return listing


@dataclass(frozen=True, kw_only=True)
class FoundPictures:
    """The pictures in the paths of a command, and what else lies there."""

    files: list[Path]
    """The pictures, sorted folder by folder and without duplicates."""
    passed_over: Counter[str]
    """Kind of a file or name of a folder -> how many are not looked at."""
    unreadable: dict[Path, str]
    """Folder or link that the system does not let us look at -> why, in words."""


def find_pictures(paths: Iterable[Path]) -> FoundPictures:
    """Find the files in ``paths`` and all pictures below its folders.

    In a folder, pictures are recognised by their suffix; a file in ``paths`` is taken
    whatever its suffix.
    """
    files: set[Path] = set()
    passed_over: Counter[str] = Counter()
    unreadable: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            listing = list_pictures(path)
            files.update(path / name for name in listing.pictures)
            passed_over += listing.passed_over
            unreadable.update({path / name: reason for name, reason in listing.unreadable.items()})
        else:
            files.add(path)
    in_order = sorted(files, key=lambda file: sort_key(file_name(file)))
    return FoundPictures(files=in_order, passed_over=passed_over, unreadable=unreadable)


def file_name(file: Path) -> str:
    """Return the path as text that can be encoded in UTF-8: a byte that is not UTF-8 becomes ``\\xff``."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def sort_key(name: str) -> tuple[str, ...]:
    """Return the key that sorts names folder by folder."""
    return Path(name).parts


def passed_over_as(parts: Sequence[str]) -> str:
    """What to count a file as, by its folders and its name, where no system tells more of it; empty for a picture."""
    foreign = next((folder for folder in parts[:-1] if is_foreign(folder)), None)
    kind = _kind_of(parts[-1]) if foreign is None else f"{foreign}/"
    return "" if kind in suffixes() else kind


def holds_pictures(folder: Path) -> bool:
    """Whether there is any picture below a folder; stops at the first."""
    nothing = FolderListing(pictures=[], passed_over=Counter(), unreadable={})
    return next(_walk(str(folder), "", nothing), None) is not None


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted, those of other systems left out. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if not is_foreign(entry.name) and _is(entry.is_dir))


def files_in(folder: Path, kinds: Iterable[str]) -> list[str]:
    """The names of the files in a folder, not below it, that have one of some suffixes; sorted, none hidden."""
    wanted = frozenset(kinds)
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if _kind_of(entry.name) in wanted and _is(entry.is_file))


def describe(passed_over: Counter[str]) -> str:
    """What was passed over, by kind: ``.txt (12), @eaDir/ (3)``; empty where there is nothing."""
    kinds = [f"{kind} ({count:,})" for kind, count in sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))]
    if len(kinds) > LISTED_KINDS:
        kinds[LISTED_KINDS:] = [f"{len(kinds) - LISTED_KINDS} other kinds"]
    return ", ".join(kinds)


def _walk(folder: str, within: str, listing: FolderListing) -> Iterator[str]:
    """Paths of pictures relative to the folder where the walk began, in no order; what else there is, goes to listing.

    No file and no folder ends the walk, whatever the system says of it: what comes after it would be lost.
    """
    try:
        with os.scandir(folder) as scanned:
            entries = list(scanned)
    except OSError as error:
        listing.unreadable[within.rstrip(os.sep)] = reason_of(error)
        return
    for entry in entries:
        path = within + entry.name
        try:
            kind = _passed_over_as(entry)
        except OSError as error:
            if not is_foreign(entry.name):
                listing.unreadable[path] = reason_of(error)
            continue
        if kind:
            listing.passed_over[kind] += 1
        elif entry.is_dir():
            yield from _walk(entry.path, path + os.sep, listing)
        else:
            yield path


def _passed_over_as(entry: os.DirEntry[str]) -> str:
    """What to count an entry as; empty for a picture, and for a folder to walk through. Raises OSError."""
    try:  # the folder itself tells these two: a million calls of stat would take minutes on a network share
        is_folder, is_file = entry.is_dir(), entry.is_file()
    except OSError as error:
        if error.errno in _LEADS_NOWHERE:
            return "broken links"
        raise
    if is_folder and is_foreign(entry.name):
        return f"{entry.name}/"
    if is_folder:  # a link may lead to a folder above, and so round in a circle
        return "links to folders" if entry.is_symlink() else ""
    if not is_file:  # a pipe would be read forever
        return "broken links" if entry.is_symlink() else "pipes and devices"
    kind = _kind_of(entry.name)
    return "" if kind in suffixes() else kind


def reason_of(error: OSError) -> str:
    """Why the system refused something, in its own words, to be put in brackets."""
    return (error.strerror or str(error)).lower()


def _is(question: Callable[[], bool]) -> bool:
    """The answer of the system; no where it has none, as for a ring of links. :func:`list_pictures` says which."""
    try:
        return question()
    except OSError:
        return False


def _kind_of(file_name: str) -> str:
    """The suffix of a file in lower case; ``._photo.jpg`` looks like a picture, and is hidden."""
    if file_name.startswith("."):
        return "hidden files"
    return Path(file_name).suffix.lower() or "no suffix"
