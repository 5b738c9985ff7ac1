"""Whatever may be said, in whatever combination, is English."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import combinations, product
from typing import get_args

import numpy as np
import pytest

from model.language.beliefs import Belief, Claim
from model.language.hedging import Tier
from model.language.phrases import apart_from, label_of_name
from model.language.sentence import Caption, Frame, Tone, caption, fullest
from model.vocabulary import Vocabulary
from tests.model.language.grammar import check_answer, check_grammar
from tests.model.language.test_language_tables import LABELS, alone

COMBINATIONS = int(os.environ.get("GLASSBOT_SENTENCES", "4000"))
PROBABLE: dict[Tier, float] = {"sure": 0.97, "think": 0.9, "hedge": 0.7, "pass": 0.01}
MODIFIERS = list(product(get_args(Tone), get_args(Frame)))
THRESHOLDS = {"sure": 0.95, "think": 0.85, "hedge": 0.65}
WORDS = Vocabulary(name="word", activation="sigmoid", labels=tuple(LABELS["word"]), thresholds=THRESHOLDS)
OBJECTS, SCENES = (
    Vocabulary(name=name, activation="softmax", labels=tuple(LABELS[name]), thresholds=THRESHOLDS)
    for name in ("object", "scene")
)
ROW = {label.id: row for row, label in enumerate(WORDS.labels)}


def words(*said: str, probability: float = 0.97) -> Belief:
    held = np.full(len(WORDS), 0.01, np.float32)
    held[[ROW[word] for word in said]] = probability
    return Belief(WORDS, held)


def as_sentence(caption: str) -> str:
    return f"{caption[0].upper()}{caption[1:]}."


@pytest.mark.parametrize(("tone", "frame"), MODIFIERS)
@pytest.mark.parametrize("vocabulary", [OBJECTS, SCENES], ids=lambda v: str(v.name))
def test_every_label_at_every_tier_takes_every_modifier(vocabulary: Vocabulary, tone: Tone, frame: Frame) -> None:
    for label, (tier, probability) in product(vocabulary.labels, PROBABLE.items()):
        one = Vocabulary(name=vocabulary.name, activation="softmax", labels=(label,), thresholds=THRESHOLDS)
        said = caption([Belief(one, np.array([probability], np.float32))], tone, lambda _: frame)
        assert said.tier == ("pass" if tone == "blank" else tier)
        assert label.phrase in said.text
        check_answer(said)


@pytest.mark.parametrize(("tone", "frame"), MODIFIERS)
def test_every_word_takes_every_modifier(tone: Tone, frame: Frame) -> None:
    for label in WORDS.labels:
        check_answer(caption([words(label.id)], tone, lambda _: frame))


@pytest.mark.parametrize("subject", ["man", "dog"])
def test_every_pair_of_words_joins_somebody(subject: str) -> None:
    for one, other in combinations([label.id for label in WORDS.labels if label.id != subject], 2):
        belief = [words(subject, one, other)]
        check_answer(caption(belief))
        check_grammar(as_sentence(fullest(belief).text))


def test_every_word_joins_every_subject() -> None:
    subjects = [label.id for label in WORDS.labels if label.role == "subject"]
    for subject, other in product(subjects, ROW):
        check_answer(caption([words(*{subject, other})]))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_whole_pictures_of_any_kind_are_spoken_of_in_english(part: int) -> None:
    """GLASSBOT_SENTENCES=100000 in the long form."""
    random = np.random.default_rng(part)
    for _ in range(COMBINATIONS // 8):
        said = whole(random)
        check_answer(said)
        nodes = [claim.node for claim in said.said if claim.vocabulary == "word"]
        assert not any(one in apart_from(other) for one, other in combinations(nodes, 2))


def whole(random: np.random.Generator) -> Caption:
    """A picture with a few likely words, one likely thing and one likely place, or none."""
    vocabulary = replace(WORDS, least_addition=0.2 if random.uniform() < 0.5 else None)
    told = Belief(vocabulary, (random.uniform(size=len(WORDS)) ** random.uniform(1, 30)).astype(np.float32))
    classes = [
        Belief(v, random.dirichlet(np.full(len(v), 10 ** random.uniform(-3, 0))).astype(np.float32), random.uniform())
        for v in (OBJECTS, SCENES)
    ]
    tone, frame = random.choice(get_args(Tone)), random.choice(get_args(Frame))
    beliefs = [told, *classes]
    check_grammar(as_sentence(fullest(beliefs).text))
    return caption(beliefs, tone, lambda _: frame)


def test_the_same_picture_gets_the_same_sentence_and_different_ones_different_openings() -> None:
    said = {label.id: alone(label, 0.9).text for label in LABELS["object"]}
    assert said == {label.id: alone(label, 0.9).text for label in LABELS["object"]}
    assert len({text.split(" it's ")[0] for text in said.values()}) > 1


def test_black_and_white_dark_close_left_and_right() -> None:
    dog = LABELS["object"][[label.name for label in LABELS["object"]].index("German shepherd")]
    one = [
        Belief(
            Vocabulary(name="object", activation="softmax", labels=(dog,), thresholds=THRESHOLDS),
            np.array([0.97], np.float32),
        )
    ]
    assert caption(one, "grey").phrase == f"a black and white photo of {dog.phrase}"
    assert caption(one, "dark").phrase == f"a dark picture of {dog.phrase}"
    assert caption(one, "plain", lambda _: "close").phrase == f"a close up of {dog.phrase}"
    assert caption(one, "grey", lambda _: "left").phrase == f"a black and white photo of {dog.phrase} on the left"


def test_of_one_colour_nothing_is_claimed_however_sure_the_network_is() -> None:
    desert = SCENES.ids.index("desert/sand")
    sure = [words("man"), Belief(SCENES, np.eye(len(SCENES), dtype=np.float32)[desert])]
    said = caption(sure, "blank")
    assert (caption(sure).tier, caption(sure).blank) == ("sure", False)
    assert said.text == "I see nothing but one colour. My best guess is a desert, and it's probably wrong."
    assert said.alt_text == "Nothing but one colour."
    assert (said.tier, said.blank, said.said, said.threshold) == ("pass", True, (), None)


def test_no_sentence_grows_beyond_25_words() -> None:
    full = [words("girl", "yellow", "dress", "holding", "ball", "beach", probability=0.96)]
    assert caption(full, "dark").phrase == "a dark picture of a girl in a yellow dress holding a ball on a beach"
    bold = replace(WORDS, thresholds={"hedge": 0.4})
    shy = replace(SCENES, thresholds={"hedge": 0.9})
    temple = Belief(shy, 0.6 * np.eye(1, len(SCENES), shy.ids.index("temple/east_asia"), dtype=np.float32)[0])
    said = caption([replace(full[0], vocabulary=bold), temple], "dark")
    assert said.phrase == "a girl in a yellow dress holding a ball in front of a temple"


def test_a_grey_photo_shows_no_colour() -> None:
    girl = [words("girl", "yellow", "dress")]
    assert caption(girl).phrase == "a girl in a yellow dress"
    assert caption(girl, "grey").phrase == "a black and white photo of a girl in a dress"


@pytest.mark.parametrize("tier", ["hedge", "pass"])
def test_no_map_is_asked_for_a_hedge_and_nothing_is_added_to_a_pass(tier: Tier) -> None:
    def asked(_: Claim) -> Frame:
        raise AssertionError

    said = caption([Belief(OBJECTS, np.eye(1, len(OBJECTS), 3, dtype=np.float32)[0] * PROBABLE[tier])], "grey", asked)
    assert said.tier == tier
    assert ("black and white" in said.text) == (tier == "hedge")


def test_what_people_never_say_together_is_not_joined() -> None:
    assert "dog" in apart_from("surfboard")
    assert "surfboard" in apart_from("dog")
    assert "surfboard" not in caption([words("dog", "riding", "surfboard")]).text
    assert "surfboard" in caption([words("man", "riding", "surfboard")]).text


def test_an_animal_has_a_coat_and_a_person_clothes() -> None:
    assert caption([words("dog", "brown")]).phrase == "a brown dog"
    assert caption([words("girl", "red", "dress")]).phrase == "a girl in a red dress"
    assert caption([words("man", "brown")]).phrase == "a man"


def maybe(*said: str, subject: str, probability: float = 0.8) -> Belief:
    """A subject that is sure, and words that are only likely, of a network that adds them with a "maybe"."""
    held = words(*said, probability=probability).probabilities
    held[ROW[subject]] = 0.97
    return Belief(replace(WORDS, thresholds={"sure": 0.95}, least_addition=0.6), held)


@pytest.mark.parametrize(
    ("subject", "said", "phrase"),
    [
        ("dog", ["running", "grass"], "a dog, maybe running in the grass"),
        ("dog", ["brown"], "a dog, maybe a brown one"),
        ("dog", ["brown", "running"], "a dog, maybe a brown one running"),
        ("man", ["red", "shirt"], "a man, maybe in a red shirt"),
        ("people", ["beach"], "people, maybe on a beach"),
        ("dog", [], "a dog"),
    ],
)
def test_what_is_likely_is_added_with_a_maybe(subject: str, said: list[str], phrase: str) -> None:
    one = caption([maybe(*said, subject=subject)])
    assert (one.phrase, one.tier) == (phrase, "sure")
    assert {claim.node for claim in one.additions} == set(said)
    assert one.said == one.claims + one.additions
    assert one.confidence == pytest.approx(0.97, abs=0.01)
    check_answer(one)


def test_nothing_is_added_that_is_less_likely_than_the_network_promises_or_where_it_promises_nothing() -> None:
    assert caption([maybe("running", subject="dog", probability=0.55)]).additions == ()
    mute = maybe("running", subject="dog")
    assert caption([replace(mute, vocabulary=replace(mute.vocabulary, least_addition=None))]).additions == ()
    unsure = caption([maybe("running", subject="dog")], "grey")
    assert unsure.phrase == "a black and white photo of a dog, maybe running"
    assert caption([maybe("brown", subject="dog")], "grey").additions == ()
    guess = replace(mute, vocabulary=replace(mute.vocabulary, thresholds={"sure": 0.99}))
    assert (caption([guess]).tier, caption([guess]).said) == ("pass", ())


def test_no_place_of_another_vocabulary_no_coat_after_an_aside_and_nothing_to_a_hedge_is_added() -> None:
    beach = Belief(SCENES, np.eye(len(SCENES), dtype=np.float32)[SCENES.ids.index("ski_slope")] * np.float32(0.8))
    assert "maybe" not in caption([maybe(subject="dog"), beach]).text
    golden = next(row for row, label in enumerate(OBJECTS.labels) if label.name == "golden retriever")
    retriever = Belief(OBJECTS, np.eye(len(OBJECTS), dtype=np.float32)[golden] * np.float32(0.6))
    said = caption([maybe("black", "running", subject="dog"), retriever])
    assert said.phrase == "a dog, probably a golden retriever, maybe running"
    unsure = maybe("running", subject="dog")
    hedged = replace(unsure.vocabulary, thresholds={"hedge": 0.9})
    assert caption([replace(unsure, vocabulary=hedged)]).additions == ()


def test_every_word_is_added_in_english() -> None:
    subjects = [label.id for label in WORDS.labels if label.role == "subject"]
    for subject, other in product(subjects, ROW):
        for tone in get_args(Tone):
            check_answer(caption([maybe(other, subject=subject)], tone, lambda _: "left"))


def test_the_fullest_guess_says_what_the_honest_sentence_keeps_to_itself() -> None:
    unsure = [words("man", "riding", "bike", "street", probability=0.4)]
    assert caption(unsure).tier == "pass"
    assert fullest(unsure).text == "a man is riding a bike on a street"
    assert fullest([words("people", "grass", probability=0.4)]).text == "a group of people in the grass"
    assert fullest([words("people", "running", probability=0.4)]).text == "a group of people are running"
    assert fullest([words("man", "guitar", probability=0.4)]).text == "a man with a guitar"
    slope = Belief(SCENES, np.eye(len(SCENES), dtype=np.float32)[SCENES.ids.index("ski_slope")])
    assert fullest([words("man", probability=0.4), slope]).text == "a man"
    dressed = [words("girl", "red", "dress", "running", "beach", probability=0.4)]
    assert fullest(dressed).text == "a girl in a red dress is running on a beach"


@pytest.mark.parametrize(
    ("given", "name", "phrase"),
    [
        ("red_mug", "red mug", "a red mug"),
        ("  old   umbrella ", "old umbrella", "an old umbrella"),
        ("my mug", "my mug", "my mug"),
        ("the_big_one", "the big one", "the big one"),
        ("Mimi", "Mimi", "Mimi"),
        ("die Tasse", "die Tasse", "die Tasse"),
        ("Peter's cup", "Peter's cup", "Peter's cup"),
        ("grandma's cup", "grandma's cup", "grandma's cup"),
        ("HP/LJ 5", "HP/LJ 5", "HP/LJ 5"),
        ("24/7", "24/7", "24/7"),
        ("scissors", "scissors", "scissors"),
        ("cafe\u0301", "caf\u00e9", "a caf\u00e9"),
        ("__proto__", "proto", "a proto"),
    ],
)
def test_a_name_that_somebody_gave_is_said_as_they_wrote_it(given: str, name: str, phrase: str) -> None:
    label = label_of_name(given)
    assert (label.id, label.name, label.phrase) == (given, name, phrase)
