"""The vocabulary of a split, from its classes or from the words of its captions, and the target of each picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.language.phrases import label_for
from model.picture_files import one_form
from model.vocabulary import Label, Vocabulary
from training.data.errors import DataError
from training.data.split import Split

TOKEN = re.compile(r"[a-z0-9'-]+")
"""Matches a word of a caption in lower case."""


def vocabulary_of(name: str, folder: Path, split: Split) -> Vocabulary:
    """The classes of a split; or, where it has captions, the words of ``words.txt``, else all common ones.

    Raises DataError where there is no such word.
    """
    if not split.captions:
        return Vocabulary(name=name, activation="softmax", labels=tuple(label_for(name, c) for c in split.classes))
    words = folder / "words.txt"
    forms = _read_words(words) if words.is_file() else _common_words(split.captions)
    if not forms:
        raise DataError(f"{folder} teaches no word: none is said of one picture in a hundred, or {words} is empty.")
    return Vocabulary(
        name=name, activation="sigmoid", labels=tuple(label_for(name, w, forms=f) for w, f in forms.items())
    )


def targets_of(folder: Path, split: Split, vocabulary: Vocabulary) -> NDArray[np.float32] | NDArray[np.int64]:
    """(N,) class numbers in ``vocabulary``, or (N, words): the share of people who said each word.

    Raises DataError for a class that the vocabulary lacks.
    """
    if split.captions:
        return _shares(split.captions, vocabulary.labels)
    rows = {one_form(label): row for row, label in enumerate(vocabulary.ids)}
    lacking = [c for c in split.classes if c not in rows]
    if lacking:
        raise DataError(f"{folder} holds a class that the vocabulary {vocabulary.name!r} lacks: {lacking[0]!r}.")
    return np.array([rows[c] for c in split.classes], np.int64)[split.labels]


def _read_words(path: Path) -> dict[str, tuple[str, ...]]:
    forms = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8: write it again.") from error
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            word, tab, listed = line.partition("\t")
            if not tab:
                raise DataError(f"Line {number} of {path} is not a word, a tab and the forms that count as saying it.")
            forms[word] = tuple(listed.split())
    return forms


def _common_words(captions: list[list[str]]) -> dict[str, tuple[str, ...]]:
    """Every word that a caption of at least one picture in a hundred holds."""
    counts = Counter(word for five in captions for word in {w for c in five for w in TOKEN.findall(c.lower())})
    return {word: (word,) for word, n in sorted(counts.items()) if n >= len(captions) / 100 and len(word) > 2}


def _shares(captions: list[list[str]], words: Sequence[Label]) -> NDArray[np.float32]:
    shares = np.zeros((len(captions), len(words)), np.float32)
    columns: dict[str, list[int]] = {}
    for column, word in enumerate(words):
        for form in {word.id, *word.forms}:
            columns.setdefault(form, []).append(column)
    for row, five in zip(shares, captions, strict=True):
        for caption in five:
            mentioned = {column for token in TOKEN.findall(caption.lower()) for column in columns.get(token, ())}
            row[list(mentioned)] += 1 / len(five)
    return shares
