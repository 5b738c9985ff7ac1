"""Calibration on drawn logits whose truth is known."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import checkpoint
from model.describe import Strengths, gate_of, probabilities
from model.language.beliefs import platt_scaled
from model.language.hedging import Tree
from model.language.phrases import label_for
from model.vocabulary import Label, Vocabulary
from tests.tiny import tiny_network
from tests.training.made import folders
from training import __main__ as cli
from training.evaluation.beyond import NOTHING_BEYOND
from training.evaluation.calibrate_checkpoint import calibrate_checkpoint
from training.evaluation.caption_match import nodes_mentioned
from training.evaluation.label_thresholds import MIN_CLAIMS, NodePredictions, choose_nodes, fit_label_thresholds
from training.evaluation.predictions import Predictions, is_for_fitting
from training.evaluation.probability_fit import fit_logistic, fit_platt, fit_temperature
from training.evaluation.reliability import expected_calibration_error, tier_row
from training.evaluation.statistics import wilson_interval
from training.evaluation.word_pictures import WordPictures, word_pictures
from training.evaluation.word_thresholds import (
    additions_right,
    false_claim_rate,
    fit_addition,
    fit_word_thresholds,
    judge_sentences,
)

RANDOM = np.random.default_rng(0)
LABELS = tuple(Label(id=f"{n}", name=f"{n}", phrase=f"a {n}", ancestors=(f"kind {n // 4}",)) for n in range(16))
VOCABULARY = Vocabulary(name="number", activation="softmax", labels=LABELS)


def drawn(number: int, temperature: float, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and classes drawn from what they mean at that temperature and with those biases."""
    logits = RANDOM.normal(0, 3, (number, 16)).astype(np.float32)
    meant = probabilities(logits, replace(VOCABULARY, temperature=temperature, bias=tuple(bias)))
    return logits, np.array([RANDOM.choice(16, p=p / p.sum()) for p in meant.astype(float)])


def pictures_of(numbers: np.ndarray, temperature: float, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and classes, so many pictures of each: the logits are right at that temperature and with those biases."""
    classes = RANDOM.permutation(np.repeat(np.arange(16), numbers))
    shown = 2 * np.eye(16)[classes] + RANDOM.normal(0, 1, (len(classes), 16))
    return (temperature * (2 * shown - bias)).astype(np.float32), classes


def test_temperature_and_biases_are_found_again() -> None:
    bias = np.linspace(-1, 1, 16)
    fitted = fit_temperature(*pictures_of(np.full(16, 250), 1.7, bias), VOCABULARY)
    assert fitted.temperature == pytest.approx(1.7, rel=0.1)
    assert np.corrcoef(fitted.bias, bias)[0, 1] > 0.95
    logits, classes = pictures_of(np.full(16, 250), 1.7, bias)
    assert (
        expected_calibration_error(probabilities(logits, fitted), classes)
        < 0.03
        < expected_calibration_error(probabilities(logits, VOCABULARY), classes)
    )


def test_a_class_is_not_more_probable_because_there_are_more_pictures_of_it() -> None:
    numbers = np.where(np.arange(16) < 8, 40, 800)
    fitted = fit_temperature(*pictures_of(numbers, 1.0, np.zeros(16)), VOCABULARY)
    assert abs(np.mean(fitted.bias[:8]) - np.mean(fitted.bias[8:])) < 0.3  # the frequencies differ by 3


def test_the_calibration_error_by_hand() -> None:
    scores = np.tile(np.array([[0.8, 0.2]], np.float32), (30, 1))
    truth = np.array([0] * 15 + [1] * 15)
    assert expected_calibration_error(scores, truth) == pytest.approx(
        (2 * 7 * 0.2 + 2 * 7 * 0.8 + 2 * 0.3) / 30, abs=0.02
    )


def test_a_gate_tells_what_is_foreign() -> None:
    inside, outside = (RANDOM.normal(mean, 1, (800, 2)).astype(np.float32) for mean in ((2, 0), (0, 1)))
    names = ("number", "other")
    gate = fit_logistic([inside], [outside], names)
    assert gate["number"] > 0 > gate["other"]
    vocabulary = replace(VOCABULARY, gate=gate)
    opened = [gate_of(Strengths(names, energy), vocabulary).mean() for energy in (inside, outside)]
    assert opened[0] > 0.75 > 0.25 > opened[1]


def test_platt_scaling_finds_slope_and_shift_again() -> None:
    p = RANDOM.uniform(0.02, 0.98, 20_000)
    slope, shift = fit_platt(p, RANDOM.uniform(size=len(p)) < platt_scaled(p, (0.5, 1.0)))
    assert (slope, shift) == pytest.approx((0.5, 1.0), abs=0.06)


def node_predictions(number: int) -> NodePredictions:
    tree = Tree(LABELS)
    logits, classes = drawn(number, 1.0, np.zeros(16))
    return NodePredictions(tree.posterior(probabilities(logits, VOCABULARY)), tree.matrix[:, classes].T > 0)


def test_thresholds_keep_their_promise_on_pictures_they_never_saw() -> None:
    tree = Tree(LABELS)
    thresholds = fit_label_thresholds(node_predictions(6000), tree)
    assert sorted(thresholds.values(), reverse=True) == list(thresholds.values())
    fresh = node_predictions(6000)
    node = choose_nodes(fresh, tree, "sure", thresholds["sure"])
    said = node >= 0
    assert fresh.correct[said, node[said]].mean() > 0.94


def test_a_tier_of_few_pictures_is_not_offered() -> None:
    few = node_predictions(MIN_CLAIMS - 1)
    assert fit_label_thresholds(few, Tree(LABELS)) == {}


def test_people_say_a_thing_by_any_of_its_names() -> None:
    labels = tuple(label_for("object", i) for i in ("n02099601", "n02123045", "n07920052"))
    tree = Tree((*labels, *LABELS))
    said = nodes_mentioned(
        [["A Golden Retriever runs ."], ["two dogs play"], ["a man reads"]], tree, (*labels, *LABELS)
    )
    golden = next(i for i, node in enumerate(tree.nodes) if node.name == "golden retriever")
    espresso = next(i for i, node in enumerate(tree.nodes) if node.name == "espresso")
    assert said[:, golden].tolist() == [True, True, False]
    assert said[:, espresso].tolist() == [False, False, False]


WORDS = Vocabulary(
    name="word", activation="sigmoid", labels=tuple(label_for("word", w) for w in ("man", "dog", "woman"))
)


def described(number: int) -> Predictions:
    """Pictures of a man or of a dog, and logits that know which, more or less."""
    who = RANDOM.integers(0, 2, number)
    shares = np.zeros((number, 3), np.float32)
    shares[np.arange(number), who] = 0.8
    logits = (shares * 5 - 2.5 + RANDOM.normal(0, 1, shares.shape)).astype(np.float32)
    return Predictions(
        name="words",
        vocabulary=WORDS,
        logits=logits,
        targets=shares,
        captions=[["x"]] * number,
        fitting=np.ones(number, bool),
    )


def test_words_are_said_where_people_would_and_not_of_what_rules_them_out() -> None:
    things = Vocabulary(name="object", activation="softmax", labels=(label_for("object", "n07920052"),))
    espressos = Predictions(
        name="espressos",
        vocabulary=things,
        logits=np.full((300, 3), -1.0, np.float32),
        targets=np.zeros(300, np.int64),
        captions=[],
        fitting=np.ones(300, bool),
    )
    sets = word_pictures({"word": described(1200), "object": espressos}, NOTHING_BEYOND, WORDS)
    fitted = fit_word_thresholds(WORDS, [WORDS], sets)
    assert fitted.thresholds
    (fresh,) = word_pictures({"word": described(500)}, NOTHING_BEYOND, WORDS)
    judged = [j for j in judge_sentences(fresh, fresh.beliefs(fitted, (fitted,))) if j is not None]
    assert len(judged) > 250
    assert np.mean([j.correct for j in judged]) > 0.85
    assert fit_word_thresholds(fitted, [fitted], sets) == fitted
    assert fit_word_thresholds(replace(fitted, least_addition=0.2), [fitted], sets) == fitted
    of_espressos = sets[1]
    assert false_claim_rate(of_espressos, of_espressos.beliefs(fitted, (fitted,))) <= 0.02
    eager = replace(fitted, thresholds={"hedge": 0.01}, consent={})
    assert false_claim_rate(of_espressos, of_espressos.beliefs(eager, (eager,))) == 1.0


def test_what_is_added_with_a_maybe_keeps_the_promise_of_a_hedge() -> None:
    """Dogs that run: the network knows it more or less. Where it knows nothing of running, it adds nothing."""
    dogs = replace(
        WORDS, labels=tuple(label_for("word", word) for word in ("dog", "running")), thresholds={"sure": 0.9}
    )
    runs = RANDOM.uniform(size=1200) < 0.5
    shares = np.stack([np.ones(1200), runs], axis=1).astype(np.float32)
    for sees in (0.0, 1.0):
        logits = np.stack([np.full(1200, 4.0), sees * (2 * runs - 1)], axis=1) + RANDOM.normal(0, 0.8, (1200, 2))
        pictures = WordPictures(name="dogs", logits=logits.astype(np.float32), targets=shares, described=True)
        fitted = fit_addition(dogs, [dogs], [pictures.rows(np.arange(800))])
        fresh = pictures.rows(np.arange(800, 1200))
        additions = additions_right(judge_sentences(fresh, fresh.beliefs(fitted, (fitted,))))
        if sees:
            assert fitted.least_addition is not None
            assert fitted.least_addition >= 0.65
            assert len(additions) > 40
            assert np.mean(additions) > 0.65
        else:
            assert fitted.least_addition is None
            assert additions == []
    # Where the same words are known to be false of other pictures, nothing is added at all.
    still = replace(pictures, logits=logits.astype(np.float32) + 4, targets=0 * shares, described=False)
    assert fit_addition(dogs, [dogs], [pictures, still]).least_addition is None


def test_a_row_of_the_table_by_hand() -> None:
    found = tier_row("think", [True] * 90 + [False] * 10, 400)
    assert (found["promise"], found["coverage"], found["accuracy"], found["n"]) == (0.85, 0.25, 0.9, 100)
    assert (found["low"], found["high"]) == pytest.approx(wilson_interval(90, 100), abs=1e-4)
    assert tier_row("sure", [], 10)["low"] == 0


def test_the_hash_of_a_picture_decides_whether_it_is_fitted_on() -> None:
    bodies = [str(number).encode() for number in range(200)]
    odd = [int(hashlib.sha256(body).hexdigest(), 16) % 2 == 1 for body in bodies]
    assert [is_for_fitting(body) for body in bodies] == odd
    assert 70 < sum(odd) < 130


def test_a_checkpoint_is_calibrated_with_the_labels_of_todays_tables(tmp_path: Path) -> None:
    made = tiny_network(67)
    old = tuple(
        replace(v, labels=tuple(replace(one, name="once", phrase="a once") for one in v.labels))
        for v in made.vocabularies
    )
    path = tmp_path / "old.safetensors"
    checkpoint.save(path, replace(made, vocabularies=old))
    scenes = folders(tmp_path / "scene", {"kitchen": 12, "abbey": 12})
    done = calibrate_checkpoint(path, [str(scenes)])
    kitchen = label_for("scene", "kitchen")
    assert [kitchen in v.labels for v in (done.network.vocabularies[1], done.sets[0].vocabulary)] == [True, True]
    assert "once" in [label.name for label in done.network.vocabularies[1].labels]  # of classes in no table
    assert checkpoint.load(path).vocabularies == old


@pytest.mark.slow
def test_the_command_stores_what_it_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "mugs"
    for half, number in (("train", 8), ("val", 60)):
        folders(data / half, {"red mug": number, "blue mug": number, "green mug": number})
    out = tmp_path / "run"
    train = ["train", "--recipe", "smoke", "--data", str(data), "--out", str(out), "--device", "cpu", "--epochs", "1"]
    assert cli.main(train) == 0
    made = out / "best.safetensors"
    before = checkpoint.load(made)
    assert cli.main(["calibrate", str(made), "--data", str(data)]) == 0
    assert "ece" in capsys.readouterr().out
    after = checkpoint.load(made)
    assert all(v.calibrated for v in after.vocabularies)
    assert after.measured["mugs"]["tiers"] == {}  # of so few pictures no tier can be promised
    assert after.measured["mugs"]["top1"] == before.measured["mugs"]["top1"]
    np.testing.assert_array_equal(after.weights["fc8.weight"], before.weights["fc8.weight"])
