"""What a few photos teach: who is who, how surely it may be said, and what is held back really is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.describe import gate_of, probabilities, strengths
from model.language.hedging import NEVER
from model.teaching.examples import MOST_NAMES, Examples, ExamplesError
from model.teaching.fitting import OUTSIDE_SHARE, Fitted, fit
from model.teaching.linear import Samples, candidates, nearest_mean, ridge
from tests.model.teaching.drawn import NETWORK, SIZE, cloud, examples, nothing, photos


def answers(fitted: Fitted, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, K) probabilities of the names, as an answer has them."""
    logits = (points @ fitted.weight.T + fitted.bias).astype(np.float32)
    vocabulary = fitted.vocabulary
    gates = gate_of(strengths(logits, [vocabulary]), vocabulary)
    return np.asarray(probabilities(logits, vocabulary) * gates[:, None])


def samples(*numbers: int, outside: int = 12) -> Samples:
    points = np.concatenate([cloud(seed, number, spread=1.0) for seed, number in enumerate(numbers)])
    owners = np.repeat(np.arange(len(numbers)), numbers)
    return Samples(points.astype(np.float64), owners, nothing(outside).astype(np.float64), len(numbers))


@pytest.mark.parametrize("numbers", [(6, 4), (9, 30, 5)])  # fewer rows than numbers in a row, and more
def test_ridge_answers_a_held_back_photo_as_if_it_had_never_seen_it(numbers: tuple[int, ...]) -> None:
    given = samples(*numbers)
    spread = float(((rows := np.concatenate([given.embeddings, given.outside])) - rows.mean(0)).__pow__(2).sum())
    for held in range(len(given.owners)):
        kept = np.arange(len(given.owners)) != held
        fewer = replace(given, embeddings=given.embeddings[kept], owners=given.owners[kept])
        rest = np.concatenate([fewer.embeddings, fewer.outside])
        rest_spread = float(((rest - rest.mean(0)) ** 2).sum())
        # The same penalty, though it is measured in units of what is there.
        strength = 1.0 * (spread / len(rows)) / (rest_spread / len(rest))
        without = ridge(fewer, strength)
        answer = without.weight @ given.embeddings[held] + without.bias
        assert ridge(given, 1.0).held_out[held] == pytest.approx(answer, abs=1e-8)


def test_the_nearest_mean_of_a_held_back_photo_is_without_it() -> None:
    given = samples(6, 4)
    held_out = nearest_mean(given).held_out
    for held in range(len(given.owners)):
        kept = np.arange(len(given.owners)) != held
        fewer = replace(given, embeddings=given.embeddings[kept], owners=given.owners[kept])
        without = nearest_mean(fewer)
        own = given.owners[held]
        answer = without.weight[own] @ given.embeddings[held] + without.bias[own]
        assert held_out[held, own] == pytest.approx(answer, abs=1e-8)


def test_rows_are_linear_in_the_embedding() -> None:
    given = samples(5, 5, 5)
    for linear in candidates(given):
        assert linear.weight.shape == (3, SIZE)
        right = (given.embeddings @ linear.weight.T + linear.bias).argmax(1) == given.owners
        assert right.mean() > 0.8


def test_things_that_lie_apart_are_told_apart_and_from_nothing() -> None:
    fitted = fit(examples(my_mug=cloud(1, 10), my_cat=cloud(2, 10)), nothing())
    mug, cat = answers(fitted, cloud(1, 50)[10:]), answers(fitted, cloud(2, 50)[10:])
    threshold = fitted.vocabulary.thresholds["think"]
    assert (mug.argmax(1) == 0).all()
    assert (cat.argmax(1) == 1).all()
    assert (mug.max(1) >= threshold).mean() > 0.8
    others = np.random.default_rng(5).standard_normal((400, SIZE)).astype(np.float32)
    assert (answers(fitted, others).max(1) >= threshold).mean() <= 2 * OUTSIDE_SHARE
    names = [(one["photos"], one["tested"], one["right"]) for one in fitted.figures["names"]]
    assert names == [(10, 10, 10), (10, 10, 10)]
    assert fitted.figures["outside"] == 40
    assert fitted.figures["outside_called"] == 0


def test_a_single_name_is_told_from_nothing() -> None:
    fitted = fit(examples(my_mug=cloud(1, 8)), nothing())
    assert np.median(answers(fitted, cloud(1, 40)[8:])) > 0.7
    assert np.median(answers(fitted, nothing(80)[40:])) < 0.2


def test_names_that_nothing_tells_apart_are_never_claimed() -> None:
    fitted = fit(examples(one=cloud(1, 12), other=cloud(1, 24)[12:]), nothing())
    assert "think" not in fitted.vocabulary.thresholds
    assert fitted.vocabulary.thresholds


def test_a_name_like_anything_is_never_claimed() -> None:
    anything = np.random.default_rng(7).standard_normal((20, SIZE)).astype(np.float32)
    fitted = fit(examples(stuff=anything), nothing())
    assert fitted.vocabulary.thresholds == {"hedge": NEVER}
    assert fitted.figures["tiers"] == {}


def test_one_photo_promises_nothing_and_two_at_most_a_hedge() -> None:
    one, two = (fit(examples(my_mug=cloud(1, number)), nothing()) for number in (1, 2))
    assert one.vocabulary.thresholds == {"hedge": NEVER}
    assert answers(one, cloud(1, 5)).max() < 0.5
    assert set(two.vocabulary.thresholds) == {"hedge"}


def test_more_photos_allow_a_surer_tier() -> None:
    few = fit(examples(my_mug=cloud(1, 4)), nothing(400))
    many = fit(examples(my_mug=cloud(1, 60)), nothing(400))
    assert set(few.vocabulary.thresholds) == {"hedge"}
    assert "sure" in many.vocabulary.thresholds


def test_the_surer_tier_never_asks_for_less() -> None:
    thresholds = fit(examples(a=cloud(1, 40, spread=0.9), b=cloud(2, 40, spread=0.9)), nothing()).vocabulary.thresholds
    ordered = [thresholds[tier] for tier in ("sure", "think", "hedge") if tier in thresholds]
    assert ordered == sorted(ordered, reverse=True)


def test_a_photo_of_the_thing_among_those_of_nothing_is_left_out() -> None:
    points = cloud(1, 10)
    fitted = fit(examples(my_mug=points), np.concatenate([nothing(), points[:2] * np.float32(1.01)]))
    assert fitted.figures["outside"] == 40


def test_photos_of_other_things_that_people_give_count() -> None:
    given = replace(examples(my_mug=cloud(1, 10)), outside=photos("outside", cloud(8, 20)))
    fitted = fit(given, nothing())
    assert fitted.figures["outside"] == 60
    assert np.median(answers(fitted, cloud(8, 40)[20:])) < 0.2


def test_without_anything_outside_a_single_name_is_still_learned() -> None:
    fitted = fit(examples(a=cloud(1, 5), b=cloud(2, 5)), nothing(0))
    assert (answers(fitted, cloud(2, 9)).argmax(1) == 1).all()


def test_ten_thousand_photos_are_taught() -> None:
    things = {f"thing {i}": photos(f"t{i}", cloud(i, 500)) for i in range(20)}
    fitted = fit(Examples(NETWORK, SIZE, things), nothing())
    assert fitted.figures["photos"] == 10_000
    assert sum(one["right"] for one in fitted.figures["names"]) > 9_500


def test_the_same_examples_teach_the_same() -> None:
    first, second = (fit(examples(a=cloud(1, 9), b=cloud(2, 9)), nothing()) for _ in range(2))
    assert np.array_equal(first.weight, second.weight)
    assert first.vocabulary == second.vocabulary


def test_examples_without_a_name_teach_nothing() -> None:
    with pytest.raises(ExamplesError, match="There is no name"):
        fit(Examples(NETWORK, SIZE, {}), nothing())


def test_the_most_names_there_may_be_are_taught() -> None:
    things = {f"thing {i}": photos(f"t{i}", cloud(i, 3)) for i in range(MOST_NAMES)}
    figures = fit(Examples(NETWORK, SIZE, things), nothing()).figures
    assert len(figures["names"]) == MOST_NAMES
