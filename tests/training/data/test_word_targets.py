"""The word targets of object and scene pictures."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray

from model.language.phrases import label_for
from model.vocabulary import Label
from training.data.word_targets import word_targets


def reviewed(vocabulary: str) -> tuple[Label, ...]:
    text = files("model.language").joinpath("tables", f"{vocabulary}s.json").read_text("utf-8")
    return tuple(label_for(vocabulary, row["id"]) for row in json.loads(text))


WORDS = reviewed("word")
LABELS = {name: reviewed(name) for name in ("object", "scene")}
TARGETS: dict[str, NDArray[np.float32]] = {n: word_targets(labels, WORDS, n) for n, labels in LABELS.items()}
PEOPLE = ("man", "woman", "boy", "girl", "child", "baby", "people")


def target(vocabulary: str, name: str, word: str) -> float:
    row = [label.name for label in LABELS[vocabulary]].index(name)
    return float(TARGETS[vocabulary][row, [w.id for w in WORDS].index(word)])


@pytest.mark.parametrize("vocabulary", ["object", "scene"])
def test_targets_are_absent_certain_or_open(vocabulary: str) -> None:
    targets = TARGETS[vocabulary]
    assert targets.shape == (len(LABELS[vocabulary]), len(WORDS))
    assert targets.dtype == np.float32
    assert bool(np.all(np.isnan(targets) | (targets == 0) | (targets == 1)))


def test_objects_rule_out_most_words_and_every_object_some() -> None:
    absent = TARGETS["object"] == 0
    assert absent.mean() > 0.5
    assert absent.sum(axis=1).min() >= 30


def test_every_scene_rules_out_something() -> None:
    assert (TARGETS["scene"] == 0).sum(axis=1).min() >= 9


@pytest.mark.parametrize("word", ["dog", "man", "running", "ocean", "horse", "bike"])
def test_an_espresso_is_a_picture_without(word: str) -> None:
    assert target("object", "espresso", word) == 0


def test_dog_breeds_teach_dog_and_no_other_creature() -> None:
    for label in LABELS["object"]:
        if "dog" in label.ancestors:
            assert target("object", label.name, "dog") == 1
            assert all(target("object", label.name, w) == 0 for w in ("cat", "bird", "horse", "cow"))
        else:
            assert target("object", label.name, "dog") == 0


@pytest.mark.parametrize(
    "name",
    [
        "academic gown",
        "apron",
        "bikini",
        "cardigan",
        "kimono",
        "miniskirt",
        "military uniform",
        "backpack",
        "rugby ball",
        "snorkel",
        "golden retriever",
    ],
)
def test_people_stay_open_where_they_may_well_be(name: str) -> None:
    assert all(np.isnan(target("object", name, word)) for word in PEOPLE)


def test_people_stay_open_in_scenes() -> None:
    for label in LABELS["scene"]:
        assert all(np.isnan(target("scene", label.name, word)) for word in PEOPLE), label


def test_colours_stay_open() -> None:
    columns = [i for i, word in enumerate(WORDS) if word.role == "attribute"]
    assert all(np.isnan(targets[:, columns]).all() for targets in TARGETS.values())


@pytest.mark.parametrize("word", ["ocean", "snow", "surfboard", "ski", "horse"])
def test_a_bedroom_rules_out_the_open_country(word: str) -> None:
    assert target("scene", "bedroom", word) == 0


@pytest.mark.parametrize(
    ("vocabulary", "name", "word"),
    [
        ("object", "tabby cat", "cat"),
        ("object", "school bus", "bus"),
        ("object", "sombrero", "hat"),
        ("object", "pizza", "food"),
        ("scene", "river", "water"),
        ("scene", "ski slope", "snow"),
        ("scene", "bedroom", "room"),
    ],
)
def test_some_words_are_certain(vocabulary: str, name: str, word: str) -> None:
    assert target(vocabulary, name, word) == 1


def test_other_vocabularies_stay_open() -> None:
    labels = (Label(id="mug", name="mug", phrase="a mug"),)
    assert np.isnan(word_targets(labels, WORDS, "mugs")).all()


def test_words_may_come_in_any_order_and_number() -> None:
    few = (WORDS[8], WORDS[0])
    np.testing.assert_array_equal(word_targets(LABELS["object"], few, "object"), TARGETS["object"][:, [8, 0]])


@pytest.mark.parametrize(
    ("name", "word", "wrong"),
    [
        ("ox", "cow", 0),
        ("bighorn sheep", "cow", 0),
        ("dragonfly", "air", 0),
        ("bee", "air", 0),
        ("lakeside", "beach", 1),
    ],
)
def test_surface_forms_are_respected(name: str, word: str, wrong: int) -> None:
    assert target("object", name, word) != wrong
