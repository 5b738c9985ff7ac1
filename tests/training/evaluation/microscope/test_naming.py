"""A name is found where it is planted, with an interval that holds, and none among chances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.vocabulary import Label, Vocabulary
from training.evaluation.accuracy import average_precision
from training.evaluation.microscope.compare import compare
from training.evaluation.microscope.naming import LIFT, average_precisions, name_units
from training.evaluation.microscope.responses import Responses, active_share, best_of, pooled
from training.evaluation.statistics import logit_interval


def responses(values: NDArray[Any], targets: NDArray[Any], vocabulary: Vocabulary) -> Responses:
    choosing = np.random.default_rng(5).random(len(values)) < 0.5
    return Responses(
        vocabulary=vocabulary, targets=targets, choosing=choosing, values={"conv1": values.astype(np.float32)}
    )


def things(number: int) -> Vocabulary:
    labels = tuple(
        Label(id=f"thing {n}", name=f"thing {n}", phrase=f"a thing {n}", ancestors=("tool",) if n < 4 else ())
        for n in range(number)
    )
    return Vocabulary(name="object", activation="softmax", labels=labels)


def test_names_are_found_where_they_are_planted_and_chance_is_not_rewarded() -> None:
    random = np.random.default_rng(0)
    targets = random.integers(0, 40, 4000)
    values = random.standard_normal((4000, 60))
    values[:, 0] += 3 * (targets == 7)
    values[:, 1] += 3 * (targets < 4)
    words = Vocabulary(
        name="word", activation="sigmoid", labels=tuple(Label(id=w, name=w, phrase=w) for w in ("red", "snow"))
    )
    said = (random.random((1000, 2)) < 0.2) * 0.6
    word_values = random.standard_normal((1000, 60))
    word_values[:, 2] += 4 * (said[:, 1] > 0)
    sets = [responses(values, targets, things(40)), responses(word_values, said.astype(np.float32), words)]
    label, kind, word, *others = name_units(sets, "conv1")
    assert label is not None
    assert kind is not None
    assert word is not None
    assert (label.id, label.vocabulary, label.kind) == ("thing 7", "object", False)
    assert (kind.id, kind.vocabulary, kind.kind) == ("tool", "object", True)
    assert (word.id, word.vocabulary, word.kind) == ("snow", "word", False)
    for name in (label, kind, word):
        assert LIFT * name.base <= name.low < name.precision < name.high
    assert others == [None] * 57
    assert name_units(sets, "conv1", shuffled=True) == [None] * 60


def test_the_interval_holds_the_true_value_nearly_always() -> None:
    random = np.random.default_rng(1)
    truth = random.random(200_000) < 0.05
    values = (random.standard_normal(200_000) + 1.5 * truth).astype(np.float32)
    true = float(average_precisions(values[:, None], truth[:, None])[0, 0])
    held = 0
    for part in range(100):
        rows = slice(2000 * part, 2000 * part + 2000)
        precision = float(average_precisions(values[rows, None], truth[rows, None])[0, 0])
        low, high = logit_interval(precision, int(truth[rows].sum()))
        held += low <= true <= high
    assert held >= 90


def test_the_interval_by_hand() -> None:
    low, high = logit_interval(0.5, 100)
    assert (low, high) == pytest.approx((0.4032, 0.5968), abs=1e-3)
    with pytest.raises(ValueError, match="positive"):
        logit_interval(0.5, 0)


def test_average_precisions_are_those_of_evaluation() -> None:
    random = np.random.default_rng(2)
    values, truth = random.standard_normal((50, 3)).astype(np.float32), random.random((50, 4)) < 0.3
    found = average_precisions(values, truth)
    for unit in range(3):
        for candidate in range(4):
            expected = average_precision(values[:, unit], truth[:, candidate])
            assert found[unit, candidate] == pytest.approx(expected, rel=1e-5)


def test_a_unit_that_ties_everywhere_is_not_named_by_the_order_of_the_files() -> None:
    targets = np.arange(4000) // 100  # as class folders lie
    values = np.zeros((4000, 2))
    assert name_units([responses(values, targets, things(40))], "conv1") == [None, None]


def test_sets_of_one_vocabulary_are_one_and_dead_units_answer_nothing() -> None:
    values = np.array([[0, 1], [0, 3]], np.float32)
    two = [
        responses(values, np.array([0, 1]), things(2)),
        responses(values + np.array([0, 5]), np.array([1, 1]), things(2)),
    ]
    (both,) = pooled(two)
    assert both.values["conv1"].shape == (4, 2)
    assert best_of(two, "conv1", 1000)[0].tolist() == [0, 8]
    assert best_of(two, "conv1", 1000)[1] == 4
    assert active_share(two, "conv1").tolist() == [0, 1]


def test_units_of_two_networks_are_matched_by_what_they_answer_to() -> None:
    random = np.random.default_rng(3)
    targets = random.integers(0, 40, 4000)
    values = random.standard_normal((4000, 6))
    values[:, 0] += 4 * (targets == 7)
    values[:, 1] += 4 * (targets == 9)
    order = np.array([3, 1, 0, 5, 4, 2])
    others = values[:, order] + 0.3 * random.standard_normal((4000, 6))
    others[:, 4] = random.standard_normal(4000)  # has no counterpart
    found = compare([responses(values, targets, things(40))], [responses(others, targets, things(40))], "conv1")
    assert (found.pairs, found.named, found.same) == (5, 2, 2)
    with pytest.raises(ValueError, match="saw different pictures"):
        compare([responses(values, targets, things(40))], [], "conv1")
