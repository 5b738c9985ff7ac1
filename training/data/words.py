"""What a half teaches: its vocabulary, from classes or from words people said, and the target of each picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.language.phrases import label_for
from model.vocabulary import Label, Vocabulary
from training.data.errors import DataError
from training.data.split import Half

TOKEN = re.compile(r"[a-z0-9'-]+")
"""A word of a caption in lower case."""


def vocabulary_of(name: str, folder: Path, half: Half) -> Vocabulary:
    """Its classes; or the words of ``words.txt``, else all common ones. Raises DataError."""
    if not half.captions:
        return Vocabulary(name=name, activation="softmax", labels=tuple(label_for(name, c) for c in half.classes))
    words = folder / "words.txt"
    forms = _read_words(words) if words.is_file() else _common_words(half.captions)
    if not forms:
        raise DataError(f"{folder} teaches no word: none is said of one picture in a hundred, or {words} is empty.")
    return Vocabulary(
        name=name, activation="sigmoid", labels=tuple(label_for(name, w, forms=f) for w, f in forms.items())
    )


def targets_of(folder: Path, half: Half, vocabulary: Vocabulary) -> NDArray[np.float32] | NDArray[np.int64]:
    """(N,) rows of ``vocabulary``, or (N, words): the share of people who said each word.

    Raises DataError for a class that the vocabulary lacks.
    """
    if half.captions:
        return _shares(half.captions, vocabulary.labels)
    rows = {label: row for row, label in enumerate(vocabulary.ids)}
    lacking = [c for c in half.classes if c not in rows]
    if lacking:
        raise DataError(f"{folder} holds a class that the vocabulary {vocabulary.name!r} lacks: {lacking[0]!r}.")
    return np.array([rows[c] for c in half.classes], np.int64)[half.labels]


def _read_words(path: Path) -> dict[str, tuple[str, ...]]:
    forms = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            word, tab, said = line.partition("\t")
            if not tab:
                raise DataError(f"Line {number} of {path} is not a word, a tab and the forms that count as saying it.")
            forms[word] = tuple(said.split())
    return forms


def _common_words(captions: list[list[str]]) -> dict[str, tuple[str, ...]]:
    """Every word said of at least one picture in a hundred, by anybody."""
    said = Counter(word for five in captions for word in {w for c in five for w in TOKEN.findall(c.lower())})
    return {word: (word,) for word, n in sorted(said.items()) if n >= len(captions) / 100 and len(word) > 2}


def _shares(captions: list[list[str]], words: Sequence[Label]) -> NDArray[np.float32]:
    shares = np.zeros((len(captions), len(words)), np.float32)
    index: dict[str, list[int]] = {}
    for i, word in enumerate(words):
        for form in {word.id, *word.forms}:
            index.setdefault(form, []).append(i)
    for row, five in zip(shares, captions, strict=True):
        for caption in five:
            row[list({i for token in TOKEN.findall(caption.lower()) for i in index.get(token, ())})] += 1 / len(five)
    return shares
