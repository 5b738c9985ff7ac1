"""How a class is said: the reviewed tables first, the cleaned class name else."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from model.vocabulary import Label

_TABLES = {"object": "objects.json", "scene": "scenes.json", "word": "words.json"}
_SOUNDS_LIKE_CONSONANT = re.compile(r"(uni|eu|use|ufo|one\b|once\b)", re.IGNORECASE)
_PLURAL_OR_MASS = re.compile(r"(?<![su])s$|(?:scissors|glasses|pants|shorts)$")


def label_for(vocabulary: str, class_id: str, *, forms: tuple[str, ...] = ()) -> Label:
    """The reviewed label of ``class_id`` in the table of that vocabulary, else one made from the class name.

    ``forms``, where given, replace the surface forms of the table.
    """
    record = _table(vocabulary).get(class_id) if vocabulary in _TABLES else None
    if record is None:
        return Label(id=class_id, forms=forms, **_said(class_id))
    return Label(
        id=class_id, name=record["name"], phrase=record["phrase"], gloss=record["gloss"], role=record["role"],
        where=record.get("where", ""), ancestors=tuple(record["ancestors"]), forms=forms or tuple(record["forms"]),
    )  # fmt: skip


def with_article(noun: str) -> str:
    """``an hourglass``, ``a unicycle``; plural-looking nouns stay bare."""
    if _PLURAL_OR_MASS.search(noun):
        return noun
    first = noun.lower()
    silent = first.startswith(("hour", "honest", "honour", "heir"))
    vowel = silent or (first[:1] in "aeiou" and not _SOUNDS_LIKE_CONSONANT.match(first))
    return f"{'an' if vowel else 'a'} {noun}"


@cache
def _table(vocabulary: str) -> dict[str, dict[str, list[str] | str]]:
    text = files(__package__).joinpath("tables", _TABLES[vocabulary]).read_text("utf-8")
    return {record["id"]: record for record in json.loads(text)}


def _said(class_id: str) -> dict[str, str]:
    """Name and phrase from a folder's name: ``my_red-mug`` is a my red mug no more, but "my red mug"."""
    noun, _, kind = (" ".join(part.split()) for part in re.sub(r"[_\-.]+", " ", class_id).partition("/"))
    if not noun:
        return {"name": class_id, "phrase": class_id}
    owned = noun.lower().split()[0] in ("my", "our", "your", "his", "her", "their", "the", "a", "an")
    whole = f"{kind} {noun}".strip()
    return {"name": f"{noun} ({kind})" if kind else noun, "phrase": whole if owned else with_article(whole)}
