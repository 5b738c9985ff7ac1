"""How a class is named in a sentence: from the reviewed tables, else from the cleaned class name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any
from unicodedata import normalize

from model.vocabulary import Label, Vocabulary

_TABLES = {"object": "objects.json", "scene": "scenes.json", "word": "words.json"}
_CONSONANT_SOUND = re.compile(r"uni|uk|eu|use|ufo|u[svt][abv]?\b|one\b|once\b", re.IGNORECASE)
_VOWEL_SOUND = re.compile(r"[aeiou]|hour|honest|honour|heir|8|11\b|18\b", re.IGNORECASE)
# Letters said by their names: "an SUV", "an x ray".
_SPELT_VOWEL = re.compile(r"[AEFHILMNORSX](?:[A-Z0-9]+\b|\b)|[fhlmnrsx]\b")
_PLURAL = re.compile(r"(?:(?<![sui])|ski|taxi|bikini|kiwi)s$")
_DETERMINERS = ("my", "our", "your", "his", "her", "their", "the", "a", "an")
_WORDNET_ID = re.compile(r"n\d{8}")


def label_for(vocabulary: str, class_id: str, *, forms: tuple[str, ...] = ()) -> Label:
    """Return the reviewed label of ``class_id`` from the vocabulary's table, else one made from the class name.

    ``forms``, where given, replace the surface forms of the table.
    """
    record = _table(vocabulary).get(class_id) if vocabulary in _TABLES else None
    if record is None:
        name, phrase = _name_and_phrase(class_id)
        return Label(id=class_id, name=name, phrase=phrase, forms=forms)
    return Label(
        id=class_id,
        name=record["name"],
        phrase=record["phrase"],
        gloss=record["gloss"],
        role=record["role"],
        where=record.get("where", ""),
        ancestors=tuple(record["ancestors"]),
        forms=forms or tuple(record["forms"]),
    )


def label_of_name(name: str) -> Label:
    """Return the label of a name that somebody gave: said as it was written, with an article only where one is missing.

    ``red_mug`` is "red mug", "a red mug"; ``my mug``, ``Mimi``, ``Peter's cup`` and ``24/7`` need none.
    """
    noun = plain_name(name)
    first = noun.split()[0].lower()
    bare = first in _DETERMINERS or "'s " in noun or "’s " in noun or any(c.isupper() or c.isdigit() for c in noun)
    return Label(id=name, name=noun, phrase=noun if bare else with_article(noun))


def plain_name(name: str) -> str:
    """Return a name with spaces for underscores, each of them once, and in one form of Unicode."""
    return " ".join(normalize("NFC", name).replace("_", " ").split()) or name


def reviewed(vocabulary: Vocabulary) -> Vocabulary:
    """Return the vocabulary with the labels of today's tables, where they have them.

    A sigmoid vocabulary keeps its surface forms, because they decided what it was trained on.
    """
    table = _table(vocabulary.name) if vocabulary.name in _TABLES else {}
    keep_forms = vocabulary.activation == "sigmoid"
    labels = [
        label_for(vocabulary.name, label.id, forms=label.forms if keep_forms else ()) if label.id in table else label
        for label in vocabulary.labels
    ]
    return replace(vocabulary, labels=tuple(labels))


def with_article(noun: str) -> str:
    """Return a noun with its article, ``an hourglass``, ``a unicycle``; plural-looking nouns stay bare."""
    if _PLURAL.search(noun):
        return noun
    vowel = _SPELT_VOWEL.match(noun) or (_VOWEL_SOUND.match(noun) and not _CONSONANT_SOUND.match(noun))
    return f"{'an' if vowel else 'a'} {noun}"


def kind_phrase(ancestor: str) -> str:
    """Return how an ancestor is said after "it's": ``some kind of bird``, ``a place by the water``."""
    kind = _read("kinds.json").get(ancestor)
    return str(kind["phrase"]) if kind else f"some kind of {ancestor}"


def kind_forms(ancestor: str) -> tuple[str, ...]:
    """Return the words that count as naming an ancestor of scenes: ``field`` or ``stadium`` for a sports ground."""
    kind = _read("kinds.json").get(ancestor)
    return tuple(kind["forms"]) if kind else ()


def apart_from(word: str) -> frozenset[str]:
    """Return the words of the word table that people do not say of a picture together with ``word``, by name."""
    return _apart().get(word, frozenset())


@cache
def _apart() -> dict[str, frozenset[str]]:
    """Return the pairs of the table in both directions; the table has each pair once."""
    apart: dict[str, set[str]] = {}
    for word, others in _read("apart.json").items():
        for other in others:
            apart.setdefault(word, set()).add(other)
            apart.setdefault(other, set()).add(word)
    return {word: frozenset(others) for word, others in apart.items()}


@cache
def _table(vocabulary: str) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in _read(_TABLES[vocabulary])}


@cache
def _read(name: str) -> Any:
    return json.loads(files(__package__).joinpath("tables", name).read_text("utf-8"))


def _name_and_phrase(class_id: str) -> tuple[str, str]:
    """Return name and phrase from a folder's name: ``red_mug`` is "red mug", "a red mug"; ``my_mug`` stays "my mug"."""
    noun, _, kind = (" ".join(part.split()) for part in re.sub(r"[_\-.]+", " ", class_id).partition("/"))
    if not noun or _WORDNET_ID.fullmatch(noun):
        return class_id, class_id
    owned = noun.lower().split()[0] in _DETERMINERS
    whole = f"{kind} {noun}".strip()
    return (f"{noun} ({kind})" if kind else noun), (whole if owned else with_article(whole))
