"""Which files at some addresses are pictures; told as in a folder, by :mod:`model.picture_files`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.captioning.buckets.stores import StoredFile, open_store, reason_of
from app.inference.offline.paths import printable
from app.settings import SettingsError
from model.picture_files import passed_over_as


@dataclass(frozen=True)
class StoredPicture:
    """A picture to caption, as its store lists it."""

    name: str
    """Its address, as answers name it; a byte that is not UTF-8 is written ``\\xff``."""
    path: str
    """Where its store has it."""
    size: int
    """How many bytes it has, as the listing told."""
    address: str
    """The address, as it was given, whose store it lies in."""


@dataclass(frozen=True)
class StoredPictures:
    """The pictures at the addresses of a command, and what else lies there."""

    pictures: list[StoredPicture]
    """Sorted by name, each of them once."""
    passed_over: Counter[str]
    """Kind of a file or name of a folder -> how many are not looked at."""


def find_pictures(addresses: Iterable[str]) -> StoredPictures:
    """Find the files at the addresses, and all pictures below the folders there; a file is taken whatever its suffix.

    Raises SettingsError where an address leads nowhere, or its store cannot be asked.
    """
    pictures: dict[str, StoredPicture] = {}
    passed_over: Counter[str] = Counter()
    for address in addresses:
        store, path = open_store(address)
        try:
            files = store.files(path)
        except OSError as error:
            raise SettingsError(printable(f"{address} cannot be listed: {reason_of(error)}.")) from error
        if files is None:
            raise SettingsError(printable(f"There is no {address}."))
        for file in files:
            if kind := _passed_over_as(file, path):
                passed_over[kind] += 1
            else:
                name = os.fsencode(store.name(file.path)).decode("utf-8", "backslashreplace")
                pictures[name] = StoredPicture(name, file.path, file.size, address)
    return StoredPictures([pictures[name] for name in sorted(pictures)], passed_over)


def _passed_over_as(file: StoredFile, folder: str) -> str:
    """What to count a file as; empty for a picture, and for a file that was named itself."""
    within = file.path.removeprefix(folder).strip("/")
    return passed_over_as(within.split("/")) if within else ""
