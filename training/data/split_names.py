"""Which split a name means: ``train``, ``Testing``, ``seg_val``, ``validation-00000-of-00002``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from model.picture_files import subfolders

Role = Literal["train", "validation", "test"]
"""What a split is for, as its name says."""

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("train", "training", "trainset", "trainval", "trn"), "train"),
    **dict.fromkeys(
        ("val", "valid", "validation", "valset", "validate", "dev", "development", "eval", "evaluation"), "validation"
    ),
    **dict.fromkeys(("test", "testing", "tests", "testset", "tst", "holdout"), "test"),
}
_FILLERS = frozenset(
    ("data", "dataset", "folder", "image", "images", "img", "imgs", "photos", "pictures", "set", "split")
)
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def role_of(name: str) -> Role | None:
    """The split that a name of a file or folder means, in any case and among other words; None where it means none."""
    return _parse(name)[0]


def splits_among(names: Iterable[str]) -> dict[Role, list[str]]:
    """Which of the folders in a folder are splits, by what they are for.

    A plain name (``train``, ``test_images``) is a split by itself; one with other words (``seg_train``) only beside
    another of the same words for another split, since ``steam train`` may well be a class.
    """
    families: dict[tuple[str, ...], dict[Role, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        role, others = _parse(name)
        if role:
            families[others][role].append(name)
    found: dict[Role, list[str]] = defaultdict(list)
    for others, family in families.items():
        if not others or ("train" in family and len(family) > 1):
            for role, members in family.items():
                found[role] += members
    return dict(found)


def is_named_split(folder: Path) -> bool:
    """Whether a folder is by its name one split of a set: ``set/test``; ``set/train`` only beside another split."""
    folder = folder.resolve()
    role, others = _parse(folder.name)
    if role is None:
        return False
    beside = splits_among(subfolders(folder.parent))
    return (role != "train" and not others) or (len(beside) > 1 and folder.name in beside.get(role, ()))


def are_split_names(names: Iterable[str]) -> bool:
    """Whether these, taken for classes, are rather splits: two or more that mean different ones."""
    return len(splits_among(names)) > 1


def _parse(name: str) -> tuple[Role | None, tuple[str, ...]]:
    """The split that a name means, and its other words; numbers (``01_train``, ``02_test``) are none."""
    tokens = [token.lower() for token in _TOKEN.findall(name)]
    roles = [token for token in tokens if token in _ROLES]
    if len(roles) != 1:
        return None, ()
    return _ROLES[roles[0]], tuple(t for t in tokens if not (t in _FILLERS or t in roles or t.isdigit()))
