"""Class folders: each folder is a class, each picture below it one of its pictures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from model.picture_files import (
    FolderListing,
    describe,
    files_in,
    holds_pictures,
    list_pictures,
    one_form,
    subfolders,
    suffixes,
)
from training.data.errors import DataError
from training.data.split import Split
from training.data.split_names import Role, splits_among


class Files:
    """Pictures that lie in files of their own, opened one at a time."""

    blocks = None
    cached_bytes = 0

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._names = names  # not paths: a million of those take half a gigabyte

    def __len__(self) -> int:
        return len(self._names)

    def read(self, index: int) -> bytes:
        """The content of a picture's file. Raises OSError."""
        return (self._root / self._names[index]).read_bytes()

    def name(self, index: int) -> str:
        """A picture's path; bytes of it that are no text become question marks."""
        return str(self._root / self._names[index]).encode(errors="replace").decode()

    def key(self, index: int) -> str:
        """A picture's path within the set."""
        return one_form(self._names[index])


@dataclass(frozen=True, kw_only=True)
class ClassFolders:
    """Where the class folders of a set lie."""

    root: Path
    """The folder that holds them, or that holds the splits."""
    splits: dict[Role, list[str]]
    """The folders in ``root`` that are splits, and by what they are for; none where it holds class folders itself."""
    notes: tuple[str, ...]
    """What a person should know of how they were found."""


def find_class_folders(folder: Path) -> ClassFolders:
    """Find the splits, or the class folders, of a folder or of the one folder in it that holds all pictures."""
    root = _without_wrappers(folder)
    notes = (f"the class folders lie in {root.relative_to(folder)}/",) if root != folder else ()
    names = subfolders(root)
    splits = {role: [n for n in found if subfolders(root / n)] for role, found in splits_among(names).items()}
    return ClassFolders(root=root, splits={role: found for role, found in splits.items() if found}, notes=notes)


def names_classes(root: Path) -> bool:
    """Whether a folder holds two or more folders with pictures."""
    return len(_full_folders(_without_wrappers(root), 2)) > 1


def _full_folders(folder: Path, at_most: int) -> list[str]:
    """The first few folders in a folder that hold pictures."""
    full = (name for name in subfolders(folder) if holds_pictures(folder / name))
    return list(islice(full, at_most))


def _without_wrappers(folder: Path) -> Path:
    """The folder itself, or, while it holds one folder of class folders and nothing else that is seen, that one."""
    while True:
        names = subfolders(folder)
        if any(splits_among(names)) or files_in(folder, suffixes()):
            return folder
        full = _full_folders(folder, 2)
        if len(full) != 1 or not _holds_class_folders(folder / full[0]):
            return folder
        folder = folder / full[0]


def _holds_class_folders(folder: Path) -> bool:
    return bool(_full_folders(folder, 1)) and not files_in(folder, suffixes())


def read_class_folders(folder: Path, root: Path) -> Split:
    """All pictures of the class folders in ``root``, a folder in the set ``folder``.

    Folders whose names differ in nothing but their Unicode form or spaces around them are one class. Raises DataError
    for a class without pictures, and where there is no class.
    """
    root, outer = _without_wrappers(root), root
    folders: dict[str, list[str]] = defaultdict(list)
    for name in subfolders(root):
        folders[one_form(name).strip() or name].append(name)
    beside = _beside(root, [name for forms in folders.values() for name in forms])
    if not folders:
        others = f", only {describe(beside)}" if beside else ""
        raise DataError(f"{root} holds neither Parquet shards nor folders of pictures, one for each class{others}.")
    pictures: list[str] = []
    labels: list[int] = []
    hidden: list[str] = []
    for number, name in enumerate(sorted(folders)):
        found = _list_class(root, folders[name])
        if not found.pictures:
            raise _why_empty(root / name, found)
        pictures += [str((root / path).relative_to(folder)) for path in found.pictures]
        labels += [number] * len(found.pictures)
        beside += found.passed_over
        hidden += [f"{root / path} ({reason})" for path, reason in found.unreadable.items()]
    notes = [f"its class folders lie in {root.relative_to(folder)}/"] if root != outer else []
    notes += [f"cannot be read, and is missing: {', '.join(hidden)}"] if hidden else []
    twice = [name for name, forms in folders.items() if len(forms) > 1]
    notes += [f"{name!r} is written in two forms (Unicode, spaces), and is one class" for name in twice]
    notes += _alike(root, [form for forms in folders.values() for form in forms])
    notes += [f"passed over in {root}: {describe(beside)}"] if beside else []
    return Split(
        pictures=Files(folder, pictures),
        classes=tuple(sorted(folders)),
        labels=np.array(labels, np.int64),
        captions=[],
        notes=tuple(notes),
    )


def _list_class(root: Path, forms: Sequence[str]) -> FolderListing:
    """What lies in the folders of one class, which are called alike; paths are relative to ``root``."""
    merged = FolderListing(pictures=[], passed_over=Counter(), unreadable={})
    for form in forms:
        listing = list_pictures(root / form)
        merged.pictures.extend(str(Path(form, path)) for path in listing.pictures)
        merged.passed_over.update(listing.passed_over)
        merged.unreadable.update({str(Path(form, path)): reason for path, reason in listing.unreadable.items()})
    return merged


def _why_empty(folder: Path, listing: FolderListing) -> DataError:
    if listing.unreadable:
        path, reason = next(iter(listing.unreadable.items()))
        return DataError(f"{folder.parent / path} cannot be read ({reason}): let this user read it.")
    return DataError(f"The class folder {folder} holds no pictures: add some, or remove the folder.")


def _alike(root: Path, classes: Sequence[str]) -> list[str]:
    """A note where the class folders all hold the same folders: then those may be the classes, or splits."""
    inner = subfolders(root / classes[0])
    if len(classes) < 2 or len(inner) < 2 or any(subfolders(root / name) != inner for name in classes[1:]):
        return []
    outside, inside = (", ".join(names[:3]) + " …" * (len(names) > 3) for names in (classes, inner))
    return [
        f"{outside} are its classes, and all hold the same folders ({inside}), whose pictures count together: if that "
        "is not meant, put train/ and test/ outside and a folder for each class into both"
    ]


def _beside(root: Path, classes: Sequence[str]) -> Counter[str]:
    """What lies in ``root`` beside the class folders; pictures among it have no class."""
    beside: Counter[str] = Counter()
    for entry in root.iterdir():
        if entry.name in classes or entry.name == "words.txt":
            continue
        if entry.is_dir():
            beside[f"{entry.name}/"] += 1
        elif entry.suffix.lower() in suffixes() and not entry.name.startswith("."):
            beside["pictures in no class folder"] += 1
        else:
            beside["hidden files" if entry.name.startswith(".") else entry.suffix.lower() or "no suffix"] += 1
    return beside
