"""The reviewed tables: complete, unambiguous, and sayable at every tier."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from model.language import sentence
from model.language.beliefs import Belief
from model.language.phrases import kind_forms, kind_phrase, label_for, with_article
from model.language.sentence import Caption, caption
from model.vocabulary import Label, Vocabulary
from tests.model.language.grammar import check_grammar

SIZES = {"object": 284, "scene": 100, "word": 113}
ROLES = {
    "object": {"subject", "thing"},
    "scene": {"place"},
    "word": {"subject", "action", "thing", "place", "attribute"},
}
# Tables are read by people, so each entry is one line.
ROWS: dict[str, list[dict[str, Any]]] = {
    name: json.loads(files("model.language").joinpath("tables", f"{name}s.json").read_text("utf-8")) for name in SIZES
}
LABELS = {name: [label_for(name, row["id"]) for row in rows] for name, rows in ROWS.items()}
PHRASES = sorted({label.phrase for name in ("object", "scene") for label in LABELS[name]})


def alone(label: Label, probability: float) -> Caption:
    thresholds = {"sure": 0.95, "think": 0.85, "hedge": 0.65}
    vocabulary = Vocabulary(name="object", activation="softmax", labels=(label,), thresholds=thresholds)
    return caption([Belief(vocabulary, np.array([probability], np.float32))])


@pytest.mark.parametrize("name", SIZES)
def test_every_class_is_there_once_with_a_name_of_its_own(name: str) -> None:
    labels = LABELS[name]
    assert len(labels) == SIZES[name]
    assert len({label.id for label in labels}) == len({label.name for label in labels}) == SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_every_entry_is_one_line(name: str) -> None:
    lines = files("model.language").joinpath("tables", f"{name}s.json").read_text("utf-8").splitlines()
    assert len(lines) == SIZES[name] + 2


@pytest.mark.parametrize("name", SIZES)
def test_roles_forms_and_spelling(name: str) -> None:
    for label in LABELS[name]:
        assert label.role in ROLES[name], label
        assert label.forms, label
        assert all(form == form.lower() for form in label.forms), label
        assert len(set(label.forms)) == len(label.forms), label
        for text in (label.name, label.phrase, label.gloss, label.where, *label.ancestors):
            assert "_" not in text, label
            assert text == text.strip(), label
            assert not text.endswith("."), label


def test_object_ids_are_wordnet_offsets() -> None:
    assert all(re.fullmatch(r"n\d{8}", label.id) for label in LABELS["object"])


@pytest.mark.parametrize("name", ["object", "scene"])
def test_objects_and_scenes_have_ancestors_and_short_glosses(name: str) -> None:
    for label in LABELS[name]:
        assert label.ancestors, label
        assert label.name not in label.ancestors, label
        assert len(set(label.ancestors)) == len(label.ancestors), label
        assert 1 <= len(label.gloss.split()) <= 8, label


@pytest.mark.parametrize("name", ["object", "scene"])
def test_no_two_chains_of_ancestors_disagree_about_what_is_broader(name: str) -> None:
    order = {
        (low, high)
        for label in LABELS[name]
        for chain in [(label.name, *label.ancestors)]
        for i, low in enumerate(chain)
        for high in chain[i + 1 :]
    }
    assert not {pair for pair in order if pair[::-1] in order}


@pytest.mark.parametrize("phrase", PHRASES)
def test_articles_agree_with_the_sound(phrase: str) -> None:
    article, _, noun = phrase.partition(" ")
    if article in ("a", "an"):  # whether it is a plural is the table's own knowledge
        assert with_article(noun) in (phrase, noun)


def test_creatures_are_subjects_and_only_they() -> None:
    for label in LABELS["object"]:
        if label.role == "subject":
            assert label.ancestors[-1] == "animal", label


def test_every_ancestor_of_a_scene_has_a_phrase_and_forms_of_its_own() -> None:
    kinds = json.loads(files("model.language").joinpath("tables", "kinds.json").read_text("utf-8"))
    assert set(kinds) == {ancestor for label in LABELS["scene"] for ancestor in label.ancestors}
    for name, kind in kinds.items():
        check_grammar(f"It's {kind['phrase']}.")
        assert kind_phrase(name) == kind["phrase"]
        assert kind_forms(name)
    assert (kind_phrase("bird"), kind_forms("bird")) == ("some kind of bird", ())


def test_pairs_that_are_never_said_are_of_words_in_the_table() -> None:
    apart = json.loads(files("model.language").joinpath("tables", "apart.json").read_text("utf-8"))
    names = {label.name for label in LABELS["word"]}
    assert {name for one, others in apart.items() for name in (one, *others)} <= names
    assert all(one < other for one, others in apart.items() for other in others)


def test_every_scene_says_where() -> None:
    for label in LABELS["scene"]:
        assert re.match(r"(in|on|at|by|near|in front of) ", label.where), label


def test_the_wordings_begin_with_the_attested_ones() -> None:
    assert [openings[0].format(phrase="a mop") for openings in sentence._OPENINGS.values()] == [
        "I'm pretty sure it's a mop.",
        "I think it's a mop.",
        "I'm not really confident, but I think it's a mop.",
        "I really can't describe the picture. My best guess is a mop, and it's probably wrong.",
    ]


def test_the_grammar_check_itself_catches_faults() -> None:
    for fault in (
        "i think so.",
        "I think it's a a dog.",
        "I think it's a dog",
        "I think. It's a dog.",
        "I think it's an dog.",
        "I think it's a the dog.",
    ):
        with pytest.raises(AssertionError):
            check_grammar(fault)
    assert sentence.__doc__


@pytest.mark.parametrize(
    ("noun", "phrase"),
    [
        ("hourglass", "an hourglass"),
        ("unicycle", "a unicycle"),
        ("uniform", "a uniform"),
        ("iPod", "an iPod"),
        ("umbrella", "an umbrella"),
        ("school bus", "a school bus"),
        ("scissors", "scissors"),
        ("sunglasses", "sunglasses"),
        ("cups", "cups"),
    ],
)
def test_unknown_nouns_get_their_article(noun: str, phrase: str) -> None:
    assert with_article(noun) == phrase


@pytest.mark.parametrize(
    ("class_id", "name", "phrase"),
    [
        ("my_red-mug", "my red mug", "my red mug"),
        ("coffee_mug", "coffee mug", "a coffee mug"),
        ("church/outdoor", "church (outdoor)", "an outdoor church"),
    ],
)
def test_unknown_classes_are_cleaned(class_id: str, name: str, phrase: str) -> None:
    label = label_for("mugs", class_id)
    assert (label.id, label.name, label.phrase) == (class_id, name, phrase)


@pytest.mark.parametrize(
    ("class_id", "phrase"),
    [
        ("n99999999", "n99999999"),
        ("x-ray", "an x ray"),
        ("SUV", "an SUV"),
        ("8-ball", "an 8 ball"),
        ("ukulele", "a ukulele"),
        ("mantis", "a mantis"),
    ],
)
def test_hard_articles(class_id: str, phrase: str) -> None:
    assert label_for("object", class_id).phrase == phrase
