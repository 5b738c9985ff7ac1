"""Drafts what holds of things without a name, from WordNet 3.0, to be read and corrected by a person.

    python -m training.tables.make_unnamed --wordnet /usr/share/wordnet --ids ids.txt > drafts.json

``ids.txt`` holds one WordNet id a line. A name of the object table holds of an id that lies below the label of that
name, or below a synset that has the name and lies above a label with that ancestor; all hypernyms count. Ancestors that
are no names of WordNet ("creepy-crawly") stay with the person who reads, and so do synsets that are wider than our word
("device"). The result, read, is ``training/evaluation/unnamed_classes.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from training.tables.make_objects import Synset, read_nouns


def names_that_hold(class_id: str, synsets: Mapping[str, set[str]], nouns: Mapping[str, Synset]) -> list[str]:
    """The names, in the order of ``synsets``, of which a synset is the id or lies above it.

    Raises KeyError for an id that WordNet does not hold.
    """
    above = hypernyms(class_id.removeprefix("n"), nouns)
    return [name for name, offsets in synsets.items() if offsets & above]


def synsets_of_names(objects: list[dict[str, Any]], nouns: Mapping[str, Synset]) -> dict[str, set[str]]:
    """Each name of the object table -> the offsets of the synsets that it stands for; labels first."""
    synsets = {row["name"]: {row["id"].removeprefix("n")} for row in objects}
    for row in objects:
        above = hypernyms(row["id"].removeprefix("n"), nouns)
        for name in row["ancestors"]:
            named = {offset for offset in above if name.lower() in map(str.lower, nouns[offset].lemmas)}
            synsets.setdefault(name, set()).update(named)
    return synsets


def hypernyms(offset: str, nouns: Mapping[str, Synset]) -> set[str]:
    """The offset itself and those of all its hypernyms, by every path."""
    above: set[str] = set()
    waiting = [offset]
    while waiting:
        current = waiting.pop()
        if current not in above:
            above.add(current)
            waiting += nouns[current].parents
    return above


def main() -> None:
    """Print the drafts as one JSON list, one row a line."""
    parser = argparse.ArgumentParser(description="Draft what holds of things without a name.")
    parser.add_argument("--wordnet", type=Path, required=True, help="folder that holds data.noun")
    parser.add_argument("--ids", type=Path, required=True, help="file of WordNet ids, one a line")
    options = parser.parse_args()
    nouns = read_nouns(options.wordnet / "data.noun")
    objects = json.loads(files("model.language").joinpath("tables", "objects.json").read_text("utf-8"))
    synsets = synsets_of_names(objects, nouns)
    rows = []
    for class_id in options.ids.read_text("utf-8").split():
        name = nouns[class_id.removeprefix("n")].lemmas[0]
        record = {"id": class_id, "name": name, "holds": names_that_hold(class_id, synsets, nouns)}
        rows.append(json.dumps(record, ensure_ascii=False))
    sys.stdout.write("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    main()
