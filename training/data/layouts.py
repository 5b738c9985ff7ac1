"""How a set lies on disk: finds its splits, whatever form they have, and reads the one that is asked for.

docs/data.md shows the layouts that are understood.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from model.picture_files import describe, files_in, list_pictures, subfolders
from training.data.errors import DataError, UnlabelledError
from training.data.folders import ClassFolders, find_class_folders, names_classes, read_class_folders
from training.data.shards import read_shards
from training.data.split import Split, SplitName, hold_out
from training.data.split_names import Role, are_split_names, is_named_split, role_of, splits_among
from training.data.tables import Table, find_tables, read_table
from training.data.tars import read_tars

_MAX_DEPTH = 3  # folders above the shards of a cloned repository: refs/convert has CONFIG/SPLIT/0000.parquet
_MAX_FOLDERS = 200  # in which shards are looked for
Reader = Callable[[], Split]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The splits of a set, found but not read yet."""

    folder: Path
    readers: dict[Role, list[tuple[str, Reader]]]
    """For each kind of split its name and how it is read; more than one is an error only where it is needed."""
    whole: Reader | None = None
    """How a set is read that has no splits."""
    notes: tuple[str, ...] = ()
    """What a person should know of how it was found."""

    def read(self, role: Role) -> Split:
        """Read one split. Raises DataError where two folders claim to be it, or where it cannot be used."""
        if len(self.readers[role]) > 1:
            names = " and ".join(name for name, _ in self.readers[role])
            raise DataError(f"{self.folder} holds two splits for {role}, {names}: leave one there.")
        return self.readers[role][0][1]()

    def name(self, role: Role) -> str:
        """What the split is called on disk."""
        return self.readers[role][0][0]


def read_split(folder: Path, split: SplitName) -> Split:
    """A split of a set, whatever its layout; no picture is read yet.

    Where a set has no validation split its test split is one, and where it has neither a tenth of each class is held
    out. Raises DataError.
    """
    layout = find_layout(folder)
    if split == "evaluation" and layout.whole and is_named_split(folder):
        note = f"all pictures of {folder} are measured, as its name is that of a split"
        return layout.whole().noted((*layout.notes, note))
    measured = _measured(layout)
    if split == "train":
        return _training(layout, measured).noted(layout.notes)
    notes = layout.notes if split == "evaluation" else ()
    if measured is None:
        return _held_out(layout, split).noted(notes)
    role, read = measured
    if role == "test":
        notes = (*notes, f"{layout.name(role)} is what is measured, as there is no validation split")
    others = [name for other, found in layout.readers.items() if other != role for name, _ in found]
    if split == "evaluation" and others:
        notes = (*notes, f"left out: {', '.join(sorted(others))}")
    return read.noted(notes)


def read_whole(folder: Path, flag: str) -> Split:
    """All pictures of a folder that is in no split, with their classes: photos to measure on, none to learn from.

    Raises DataError, which names the ``flag`` that asked for the folder, where it has splits or no classes.
    """
    layout = find_layout(folder)
    if layout.whole is None:
        raise DataError(f"{folder} is divided into splits: {flag} takes one folder of class folders, or one split.")
    split = layout.whole()
    if not split.classes:
        raise DataError(f"{folder} holds no classes: {flag} takes pictures with classes.")
    return split


def _measured(layout: Layout) -> tuple[Role, Split] | None:
    """The split that is measured: validation, else test where its pictures have classes."""
    if "validation" in layout.readers:
        return "validation", layout.read("validation")
    if "test" in layout.readers:
        try:
            return "test", layout.read("test")
        except UnlabelledError:
            return None
    return None


def _training(layout: Layout, measured: tuple[Role, Split] | None) -> Split:
    if measured is not None and "train" in layout.readers:
        return layout.read("train")
    split = hold_out(_pool(layout), "train", str(layout.folder))
    if layout.whole and is_named_split(layout.folder):
        note = f"{layout.folder} is named as one split of a set: a tenth is held out, yet `evaluate` measures all of it"
        return split.noted([note])
    return split


def _held_out(layout: Layout, split: SplitName) -> Split:
    pool = _pool(layout)
    held_out = hold_out(pool, split, str(layout.folder))
    if split == "validation":  # the training split has said how the pool was found
        held_out = replace(held_out, notes=())
    count, total = len(held_out.pictures), len(pool.pictures)
    note = f"{count:,} of {total:,} pictures, a tenth of each class, are held out"
    return held_out.noted([f"{note}; the other {total - count:,} are the training split"])


def _pool(layout: Layout) -> Split:
    """The pictures that are divided where there is no split to measure."""
    if layout.whole:
        return layout.whole()
    if "train" in layout.readers:
        return layout.read("train")
    names = ", ".join(name for found in layout.readers.values() for name, _ in found)
    raise DataError(
        f"{layout.folder} holds a split to measure ({names}) and none for training, such as train: add it, or put all "
        "pictures into one folder for each class, and a tenth of each is held out."
    )


def find_layout(folder: Path) -> Layout:
    """Find the splits of a set: shards, class folders, or pictures with a table. Raises DataError for none of these."""
    if shards := _shards_in(folder):
        return _layout_of_shards(folder, shards)
    found = find_class_folders(folder)
    places = [found.root / name for names in found.splits.values() for name in names] or [found.root]
    are_classes = any(map(names_classes, places)) and (found.splits or not are_split_names(subfolders(found.root)))
    if not are_classes and (layout := _layout_of_tables(folder, found.root)):
        return layout
    if found.splits:
        return _layout_of_splits(folder, found)
    if not are_classes and (shards := list(_shards_below(folder))):
        return _layout_of_shards(folder, shards)
    _refuse_several_sets(found.root)
    return Layout(folder=folder, readers={}, whole=partial(read_class_folders, folder, found.root), notes=found.notes)


def _layout_of_splits(folder: Path, found: ClassFolders) -> Layout:
    readers: dict[Role, list[tuple[str, Reader]]] = {
        role: [(f"{name}/", partial(read_class_folders, folder, found.root / name)) for name in names]
        for role, names in found.splits.items()
    }
    names = [name for split in found.splits.values() for name in split]
    others = [name for name in subfolders(found.root) if name not in names]
    flat = [name for name in splits_among(others).get("validation", ()) if "validation" not in readers]
    if flat and "train" in readers:
        raise DataError(
            f"{found.root} holds class folders in {names[0]}/ but none in {flat[0]}/: add them, or put the class "
            f"folders into {folder} itself, and a tenth of each is held out."
        )
    counts = {name: len(list_pictures(found.root / name).pictures) for name in others}
    notes = [f"passed over: {name}/ ({count:,} pictures in no class)" for name, count in counts.items() if count]
    return Layout(folder=folder, readers=readers, notes=(*found.notes, *notes))


def _layout_of_tables(folder: Path, root: Path) -> Layout | None:
    """The layout by tables beside the pictures, or within the folders of the splits; None where there are none."""
    tables = [(table, table.path.stem) for table in find_tables(root)]
    tables = tables or [(table, name) for name in subfolders(root) for table in find_tables(root / name)]
    readers: dict[Role, list[tuple[str, Reader]]] = defaultdict(list)
    whole: list[tuple[str, Reader]] = []
    for table, name in tables:
        for value in _splits_of(table):
            readers_of_split = readers[role] if (role := role_of(value or name)) else whole
            readers_of_split.append(
                (value or str(table.path.relative_to(root)), partial(read_table, folder, table, value))
            )
    if len(whole) > 1:
        listed = ", ".join(name for name, _ in whole)
        raise DataError(f"{root} holds several tables of its pictures ({listed}): leave the one with their classes.")
    if not tables:
        return None
    return Layout(folder=folder, readers=dict(readers), whole=whole[0][1] if whole and not readers else None)


def _splits_of(table: Table) -> list[str]:
    """The splits that a column of a table names, sorted; one empty name where there is no such column."""
    column = table.split_column()
    return sorted({row[column] for row in table.rows}) if column else [""]


def parquet_shards(folder: Path) -> list[Path]:
    """The Parquet shards of a set, of all its splits, sorted; none where it lies in another form. Raises OSError."""
    shards = _shards_in(folder) or _shards_below(folder)
    return sorted(path for path in shards if path.suffix.lower() == ".parquet")


def _shards_in(folder: Path) -> list[Path]:
    """The shards in one folder: Parquet, else tar files that are named as parts or splits of something."""
    parquet = [folder / name for name in files_in(folder, (".parquet",))]
    return parquet or [folder / name for name in files_in(folder, (".tar",))]


def _shards_below(folder: Path) -> Iterator[Path]:
    """The shards below a folder, as in a clone of a repository of the Hugging Face hub."""
    level = [folder]
    left = _MAX_FOLDERS
    for _ in range(_MAX_DEPTH):
        level = [place / name for place in level for name in subfolders(place)][:left]
        left -= len(level)
        for place in level:
            yield from _shards_in(place)


def _layout_of_shards(folder: Path, shards: Sequence[Path]) -> Layout:
    """Group shards by the split that their names, or those of their folders, say."""
    sets = {_set_of(path, folder) for path in shards}
    if len(sets) > 1:
        names = sorted(str(name) for name in sets)
        listed = ", ".join(names)
        raise DataError(f"{folder} holds several sets of shards ({listed}): name one, as {folder / names[0]}.")
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in shards:
        by_name[_split_name(path, folder)].append(path)
    reader = read_shards if shards[0].suffix == ".parquet" else read_tars
    readers: dict[Role, list[tuple[str, Reader]]] = defaultdict(list)
    for name, paths in by_name.items():
        if role := role_of(name):
            readers[role].append((name, partial(reader, paths, folder, role)))
    if not readers:
        return Layout(folder=folder, readers={}, whole=partial(reader, list(shards), folder))
    strays = Counter(path.name for path in by_name.get("", ()))
    notes = (f"passed over, as they name no split: {describe(strays)}",) if strays else ()
    return Layout(folder=folder, readers=dict(readers), notes=notes)


def _split_name(path: Path, folder: Path) -> str:
    """What names the split of a shard: its own name up to its number, else the nearest folder that names one."""
    words = path.stem.split("-")
    if role_of(path.stem):
        return next((word for word in words if role_of(word)), path.stem)
    inner = path.relative_to(folder).parts[:-1]
    return next((part for part in reversed(inner) if role_of(part)), "")


def _set_of(path: Path, folder: Path) -> Path:
    """The folder of a shard's set: without ``data`` and the folders that name splits."""
    parts = [part for part in path.relative_to(folder).parts[:-1] if part != "data" and not role_of(part)]
    return Path(*parts)


def _refuse_several_sets(root: Path) -> None:
    """Raises DataError where the folders in ``root`` are sets themselves, not classes."""
    sets = []
    for name in subfolders(root):
        splits = splits_among(subfolders(root / name)).values()
        is_split = sum(any(subfolders(root / name / split) for split in names) for names in splits) > 1
        if is_split or any(role_of(shard.stem) for shard in _shards_in(root / name)):
            sets.append(name)
    if sets:
        raise DataError(
            f"{root} holds sets of pictures, not the classes of one ({', '.join(sets)}): name one, as {root / sets[0]}."
        )
