"""The word targets of object and scene pictures: mostly that something is not there.

Caption pictures nearly all hold people or dogs, so words learned from them alone are seen everywhere. The reviewed
table ``word_targets.json`` says which words a class rules out or brings along; all others stay open.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import Label


def word_targets(labels: Sequence[Label], words: Sequence[Label], vocabulary: str) -> NDArray[np.float32]:
    """(classes, words): 0 where a class rules the word out, 1 where it brings it along, NaN where the word stays open.

    ``vocabulary`` names that of the labels; without a table for it all words stay open.
    """
    table: dict[str, Any] = json.loads(files(__package__).joinpath("word_targets.json").read_text("utf-8"))
    column = {word.id: i for i, word in enumerate(words)}
    targets = np.full((len(labels), len(words)), np.nan, np.float32)
    for row, label in zip(targets, labels, strict=True):
        for word in _ruled_out(label, table, vocabulary) & column.keys():
            row[column[word]] = 0.0
        for word in _brought_along(label, words, table):
            row[column[word]] = 1.0
    return targets


def _ruled_out(label: Label, table: dict[str, Any], vocabulary: str) -> set[str]:
    nodes = {label.name, *label.ancestors}
    words: set[str] = set()
    for rule in table.get(vocabulary, ()):
        if (rule["of"] == ["*"] or nodes & set(rule["of"])) and not nodes & set(rule.get("except", ())):
            for name in rule["never"]:
                words.update(table["groups"].get(name, [name]))
    return words


def _brought_along(label: Label, words: Sequence[Label], table: dict[str, Any]) -> set[str]:
    # Forms of car and of beach, but not every vehicle is a car nor every shore a beach.
    names = {label.name, *label.ancestors, *label.forms} - {"vehicle", "shore"}
    named = {word.id for word in words if word.role != "attribute" and names & {word.id, *word.forms}}
    listed = set(table["always"].get(label.id, ()))
    return named | (listed & {word.id for word in words})
