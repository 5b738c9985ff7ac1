"""Photos by name, as class folders hold them: on disk, or in a ZIP, which is never unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from app.embeddings.photos import Photo, photo_at
from app.startup import StartError
from model.picture_files import describe, is_foreign, list_pictures, one_form, subfolders, suffixes

MOST_ZIPPED_BYTES = 50_000_000
"""Bytes of the largest photo in a ZIP; a larger one is named, and left out."""


@dataclass(frozen=True)
class Classes:
    """The photos of some class folders."""

    photos: Mapping[str, list[Photo]]
    """Name -> its photos; the name is that of the folder."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with them, a sentence each."""
    passed_over: str = ""
    """What else lies there, by kind; empty where there is nothing."""


def in_folder(folder: Path) -> Classes:
    """Return the photos of a folder of class folders, or of a single folder of photos, whose name is its own."""
    listing = list_pictures(folder)
    found, strays = _by_name(listing.pictures, folder.resolve().name)
    problems = [f"{folder / path} cannot be read ({reason})." for path, reason in listing.unreadable.items()]
    unreadable = {Path(path).parts[0] for path in listing.unreadable if path}
    empty = [] if "" in listing.unreadable else subfolders(folder)
    problems += [
        f"{folder / name} holds no photo." for name in empty if one_form(name) not in found and name not in unreadable
    ]
    problems += _about_strays(str(folder), strays)
    photos = {name: [photo_at(folder / path) for path in paths] for name, paths in found.items()}
    return Classes(photos, problems, describe(listing.passed_over))


def in_zip(path: Path, opened: ExitStack) -> Classes:
    """Return the photos of class folders in a ZIP, which stays open until ``opened`` is closed.

    A folder around all class folders is passed through. Raises StartError for a file that is no whole ZIP.
    """
    try:
        archive = opened.enter_context(ZipFile(path))
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise StartError(f"{path} is not a whole ZIP file ({error}).") from error
    entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
    unsafe = [name for name in entries if _leads_out(name)]
    problems = [f"{path} holds {name!r}, which leads out of it, and was left out." for name in unsafe]
    pictures = [name for name in sorted(entries) if not _leads_out(name) and _is_picture(name)]
    around = _around(pictures)
    found, strays = _by_name([name.removeprefix(around) for name in pictures], path.stem)
    problems += _about_strays(str(path), strays)
    photos = {name: [_zipped(path, archive, entries[around + one]) for one in paths] for name, paths in found.items()}
    return Classes(photos, problems)


def _by_name(paths: Iterable[str], own: str) -> tuple[dict[str, list[str]], list[str]]:
    """Return paths by the first folder of each, and those that lie in none; all by ``own`` where there is no folder."""
    found: dict[str, list[str]] = {}
    strays = []
    for path in paths:
        parts = Path(path).parts
        if len(parts) > 1:
            found.setdefault(one_form(parts[0]), []).append(path)
        else:
            strays.append(path)
    return (found, strays) if found or not strays else ({one_form(own): strays}, [])


def _about_strays(place: str, strays: list[str]) -> list[str]:
    if not strays:
        return []
    some = f"the photo {strays[0]}" if len(strays) == 1 else f"{len(strays):,} photos, such as {strays[0]}"
    return [f"{place} holds {some}, beside its folders of photos: whose name it shows is not known."]


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts


def _is_picture(name: str) -> bool:
    *folders, file = PurePosixPath(name).parts
    known = Path(file).suffix.lower() in suffixes() and not file.startswith(".")
    return known and not any(map(is_foreign, folders))


def _around(names: list[str]) -> str:
    """Return the folder, with its slash, that holds all class folders; empty where there is none."""
    parts = [PurePosixPath(name).parts for name in names]
    if parts and len({one[0] for one in parts}) == 1 and all(len(one) > 2 for one in parts):
        return parts[0][0] + "/"
    return ""


def _zipped(path: Path, archive: ZipFile, entry: ZipInfo) -> Photo:
    return Photo(f"{path}/{entry.filename}", PurePosixPath(entry.filename).name, partial(_read, archive, entry))


def _read(archive: ZipFile, entry: ZipInfo) -> bytes:
    """Return the bytes of one entry. Raises OSError for one that is damaged, encrypted or too large."""
    try:
        with archive.open(entry) as file:
            body = file.read(MOST_ZIPPED_BYTES + 1)  # what the header says of its size may be a lie
    except (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise OSError(f"the ZIP does not give it: {error}") from error
    if len(body) > MOST_ZIPPED_BYTES:
        raise OSError(f"it is larger than {MOST_ZIPPED_BYTES // 1_000_000} MB")
    return body
