"""Drafts the object table from WordNet 3.0, to be read and corrected by a person. Uses the standard library only.

    python training/tables/make_objects.py --wordnet /usr/share/wordnet --ids ids.txt > drafts.json

``ids.txt`` holds one WordNet id a line (``n02099601``: the noun at offset 02099601 of ``data.noun``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAX_WORDS = 8  # in a gloss


@dataclass(frozen=True)
class Synset:
    """One noun of WordNet, with its names and its gloss."""

    lemmas: tuple[str, ...]
    parents: tuple[str, ...]
    """The offsets of its hypernyms."""
    gloss: str


def read_nouns(path: Path) -> dict[str, Synset]:
    """All nouns of a ``data.noun`` file, keyed by their eight-digit offset."""
    lines = path.read_text("latin-1").splitlines()
    return dict(_parse(line) for line in lines if not line.startswith("  "))


def draft(class_id: str, nouns: dict[str, Synset]) -> dict[str, object]:
    """A row of the table with the words of WordNet. Raises KeyError for an id that WordNet does not hold."""
    synset = nouns[class_id.removeprefix("n")]
    name = synset.lemmas[0]
    chain = [parent.lemmas[0] for parent in _ancestors(synset, nouns)]
    return {
        "id": class_id,
        "name": name,
        "phrase": f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}",
        "gloss": " ".join(synset.gloss.split(";")[0].split()[:_MAX_WORDS]),
        "role": "subject" if "animal" in chain else "thing",
        "ancestors": chain,
        "forms": [name.lower()],
    }


def _parse(line: str) -> tuple[str, Synset]:
    """Parse one line: offset, file, type, word count (hex), words, pointer count, pointers, gloss."""
    data, _, gloss = line.partition(" | ")
    fields = data.split()
    words = int(fields[3], 16)
    lemmas = tuple(fields[4 + 2 * i].replace("_", " ") for i in range(words))
    start = 5 + 2 * words
    pointers = [fields[start + 4 * i : start + 4 * i + 3] for i in range(int(fields[start - 1]))]
    parents = [offset for sign, offset, word_class in pointers if sign in ("@", "@i") and word_class == "n"]
    return fields[0], Synset(lemmas, tuple(parents), gloss.strip())


def _ancestors(synset: Synset, nouns: dict[str, Synset]) -> Iterator[Synset]:
    while synset.parents:
        synset = nouns[synset.parents[0]]
        yield synset


def main() -> None:
    """Print the drafts as one JSON list, one row a line."""
    parser = argparse.ArgumentParser(description="Draft the object table from WordNet.")
    parser.add_argument("--wordnet", type=Path, required=True, help="folder that holds data.noun")
    parser.add_argument("--ids", type=Path, required=True, help="file of WordNet ids, one a line")
    options = parser.parse_args()
    nouns = read_nouns(options.wordnet / "data.noun")
    rows = [json.dumps(draft(i, nouns), ensure_ascii=False) for i in options.ids.read_text("utf-8").split()]
    sys.stdout.write("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    main()
