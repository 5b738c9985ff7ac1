"""The sentence says what the network knows, and no more."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest

from model.language.beliefs import Belief
from model.language.phrases import label_for
from model.language.sentence import Caption, caption
from model.vocabulary import Vocabulary

GOLDEN, LABRADOR, BEE, ESPRESSO = "n02099601", "n02099712", "n02206856", "n07920052"
GOOSE, STORK, ALBATROSS, FOUNTAIN = "n01855672", "n02002724", "n02058221", "n03388043"


def say(
    objects: dict[str, float] | None = None,
    scenes: dict[str, float] | None = None,
    words: dict[str, float] | None = None,
    *,
    calibrated: bool = True,
) -> Caption:
    thresholds = {"sure": 0.95, "think": 0.85, "hedge": 0.65} if calibrated else {}
    chosen = (("object", objects), ("scene", scenes), ("word", words))
    return caption([belief(kind, found, thresholds) for kind, found in chosen if found])


def belief(kind: str, found: dict[str, float], thresholds: dict[str, float]) -> Belief:
    vocabulary = Vocabulary(
        name=kind,
        activation="sigmoid" if kind == "word" else "softmax",
        labels=tuple(label_for(kind, key) for key in found),
        thresholds=thresholds,
    )
    return Belief(vocabulary, np.array(list(found.values()), np.float32))


def test_a_certain_object_is_said_alone() -> None:
    said = say({ESPRESSO: 0.97})
    assert (said.tier, said.phrase) == ("sure", "an espresso")
    assert said.text.endswith("sure it's an espresso.")
    assert [claim.node for claim in said.claims] == ["espresso"]
    assert said.confidence == pytest.approx(0.97)


def test_it_backs_off_to_a_safe_ancestor() -> None:
    said = say({GOOSE: 0.25, STORK: 0.25, ALBATROSS: 0.2, BEE: 0.1})
    assert (said.tier, said.phrase) == ("hedge", "some kind of water bird")
    assert said.claims[0].probability == pytest.approx(0.7)


def test_nothing_safe_is_a_pass_with_the_best_guess() -> None:
    said = say({ESPRESSO: 0.2, BEE: 0.1})
    assert said.tier == "pass"
    assert said.text.endswith(". My best guess is an espresso, and it's probably wrong.")
    assert "espresso" not in said.alt_text


def with_my_mug(mug: float, espresso: float, words: dict[str, float] | None = None) -> Caption:
    """What is said where somebody taught their mug; the taught name has no surer tier than ``think``."""
    thresholds = {"sure": 0.95, "think": 0.85, "hedge": 0.65}
    mine = Vocabulary(
        name="taught",
        activation="softmax",
        labels=(label_for("taught", "my_mug"),),
        thresholds={"think": 0.7},
        taught=True,
    )
    beliefs = [belief("object", {ESPRESSO: espresso}, thresholds), belief("word", words or {"snow": 0.1}, thresholds)]
    return caption([*beliefs, Belief(mine, np.ones(1, np.float32), mug)])


def test_what_somebody_taught_is_said_before_what_is_as_sure() -> None:
    assert with_my_mug(0.75, 0.9).text == "I think it's my mug."
    assert with_my_mug(0.75, 0.97).phrase == "an espresso"  # said more surely
    assert with_my_mug(0.6, 0.7).phrase == "an espresso"
    assert with_my_mug(0.75, 0.5, {"man": 0.86}).phrase == "my mug"


def test_a_taught_name_that_is_not_likely_enough_is_a_guess_at_most() -> None:
    assert with_my_mug(0.6, 0.1).tier == "pass"
    assert with_my_mug(0.6, 0.1).text.endswith("My best guess is my mug, and it's probably wrong.")


def test_a_scene_alone_is_said() -> None:
    assert say(scenes={"kitchen": 0.9}).phrase == "a kitchen"


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ({"man": 0.9, "riding": 0.9, "bike": 0.9}, "it's a man riding a bike."),
        ({"dog": 0.9, "running": 0.9, "grass": 0.9}, "it's a dog running in the grass."),
        ({"people": 0.9, "soccer": 0.9}, "it's people playing soccer."),
        ({"man": 0.9, "riding": 0.9}, "it's a man."),
    ],
)
def test_words_say_who_does_what_where(words: dict[str, float], end: str) -> None:
    assert say(words=words).text.endswith(end)


def test_man_or_woman_backs_off_to_a_person() -> None:
    said = say(words={"man": 0.45, "woman": 0.45})
    assert "it's a person" in said.text
    assert said.claims[0].node == "person"


def test_a_sure_object_silences_a_word_about_somebody_else() -> None:
    for word in ("man", "dog"):
        assert say({ESPRESSO: 0.9}, words={word: 0.6}).phrase == "an espresso"


@pytest.mark.parametrize("probability", [0.99, 0.9, 0.7])
def test_an_uncalibrated_network_says_at_most_hedge(probability: float) -> None:
    assert say({ESPRESSO: probability}, calibrated=False).tier == "hedge"


def test_alt_text_is_a_hedged_phrase() -> None:
    assert say(words={"man": 0.9, "riding": 0.9, "bike": 0.9}, calibrated=False).alt_text == (
        "Possibly a man riding a bike."
    )
    assert say({ESPRESSO: 0.9}).alt_text == "Probably an espresso."


def test_no_guesses_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="at least one belief"):
        caption([])


def test_the_confidence_is_the_product_of_its_claims() -> None:
    said = say(words={"man": 0.95, "riding": 0.9, "bike": 0.85})
    assert said.confidence == pytest.approx(0.95 * 0.9 * 0.85)


def random_picture(seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    keys = {
        "objects": [GOLDEN, LABRADOR, BEE, ESPRESSO, GOOSE, STORK, ALBATROSS],
        "scenes": ["kitchen", "coast", "church/outdoor", "mountain"],
        "words": ["man", "woman", "dog", "riding", "bike", "soccer", "beach", "snow", "holding", "ball"],
    }
    return {kind: {key: rng.random() ** 3 for key in rng.sample(names, 4)} for kind, names in keys.items()}


@pytest.mark.parametrize("seed", range(200))
def test_any_picture_gives_one_short_sentence_and_always_the_same(seed: int) -> None:
    said = say(**random_picture(seed))
    assert said == say(**random_picture(seed))
    assert said.text.count(".") == (2 if said.tier == "pass" else 1)
    assert said.text.endswith(".")
    assert len(said.text.split()) <= 25
    assert not re.search(r"\b(\w+) \1\b", said.text)
    assert 0 <= said.confidence <= 1


def test_a_hedge_keeps_its_promise() -> None:
    said = say(words={"man": 0.5, "riding": 0.5, "bike": 0.5, "beach": 0.5})
    assert said.tier == "pass" or said.confidence >= 0.65


def test_a_thing_gets_no_invented_place() -> None:
    assert say({ESPRESSO: 0.97}, {"kitchen": 0.6}).phrase == "an espresso"


def test_nothing_stands_beside_itself() -> None:
    said = say({FOUNTAIN: 0.97}, {"fountain": 0.6})
    assert said.text.count("fountain") == 1


def test_agreeing_vocabularies_sharpen_each_other() -> None:
    said = say({GOLDEN: 0.6, LABRADOR: 0.3}, words={"dog": 0.95})
    assert "a dog, probably a golden retriever" in said.text


def test_an_agreeing_breed_keeps_the_deed() -> None:
    assert "running" in say({GOLDEN: 0.9}, words={"dog": 0.9, "running": 0.9}).text


def test_the_air_is_no_picture() -> None:
    assert "it's the air" not in say(words={"air": 0.9}).text


def test_an_animal_that_overrules_the_word_does_not_inherit_its_deeds() -> None:
    assert "riding" not in say({GOLDEN: 0.9}, words={"man": 0.9, "riding": 0.9, "bike": 0.9}).text
