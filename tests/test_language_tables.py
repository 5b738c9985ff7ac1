"""The reviewed tables: complete, unambiguous, and sayable at every tier."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any, get_args

import numpy as np
import pytest

from model.language import sentence
from model.language.beliefs import Belief
from model.language.hedging import Tier
from model.language.phrases import label_for, with_article
from model.language.sentence import Caption, caption
from model.vocabulary import Label, Vocabulary

SIZES = {"object": 200, "scene": 100, "word": 113}
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
    vocabulary = Vocabulary(name="object", kind="exclusive", labels=(label,), thresholds=thresholds)
    return caption([Belief(vocabulary, np.array([probability], np.float32))])


def check_grammar(text: str, *, sentences: int = 1) -> None:
    assert text[0].isupper(), text
    assert text.endswith("."), text
    assert text.count(".") == sentences, text
    assert len(text.split()) <= 25, text
    assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text
    assert "  " not in text, text
    assert "_" not in text, text


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


def test_every_scene_says_where() -> None:
    for label in LABELS["scene"]:
        assert re.match(r"(in|on|at|by|near|in front of) ", label.where), label


@pytest.mark.parametrize("tier", get_args(Tier))
@pytest.mark.parametrize("name", ["object", "scene"])
def test_every_phrase_renders_at_every_tier(name: str, tier: Tier) -> None:
    probability = {"sure": 0.97, "think": 0.9, "hedge": 0.7, "pass": 0.01}[tier]
    for label in LABELS[name]:
        said = alone(label, probability)
        assert said.tier == tier, said
        assert label.phrase in said.text
        check_grammar(said.text, sentences=2 if tier == "pass" else 1)
        check_grammar(said.alt_text)


def test_the_wordings_are_the_attested_ones() -> None:
    mop = Label(id="mop", name="mop", phrase="a mop", role="thing")
    assert alone(mop, 0.97).text == "I'm pretty sure it's a mop."
    assert alone(mop, 0.9).text == "I think it's a mop."
    assert alone(mop, 0.7).text == "I'm not really confident, but I think it's a mop."
    assert alone(mop, 0.1).text == (
        "I really can't describe the picture. My best guess is a mop, and it's probably wrong."
    )


def test_the_grammar_check_itself_catches_faults() -> None:
    for fault in ("i think so.", "I think it's a a dog.", "I think it's a dog", "I think. It's a dog."):
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
