"""A plan is complete when it is made, and is not changed afterwards."""

from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from model.checkpoint import Preprocessing
from tests.training.trainer.small_plan import CPU, small_plan, thing_set, word_set
from training.recipes import smoke
from training.trainer.augment import Colours, colours_of
from training.trainer.plan import UNIT_SPREAD, build_plan
from training.trainer.timing import seconds_per_step


def test_a_plan_has_its_steps_from_the_epochs_of_the_largest_set() -> None:
    plan = build_plan(replace(smoke(), epochs=2.0), [thing_set(), word_set()], [], CPU)
    assert plan.pictures_per_step == 8
    assert plan.steps_per_epoch == 24 // plan.sources[0].pictures_per_step
    assert plan.steps == 2 * plan.steps_per_epoch
    assert small_plan(smoke(), steps=5).steps == 5


def test_a_plan_knows_the_rows_of_each_vocabulary() -> None:
    plan = small_plan(smoke(), thing_set(), word_set())
    assert [vocabulary.name for vocabulary in plan.vocabularies] == ["thing", "word"]
    assert [source.rows for source in plan.sources] == [slice(0, 3), slice(3, 5)]
    assert (plan.outputs, plan.word_rows) == (5, slice(3, 5))
    assert small_plan(smoke()).word_rows is None


def test_colours_and_preprocessing_are_measured_unless_they_are_given() -> None:
    measured = colours_of(torch.from_numpy(thing_set().sample(24)))
    assert small_plan(smoke()).colours == measured
    assert small_plan(smoke()).preprocessing == UNIT_SPREAD
    assert small_plan(replace(smoke(), centred=True)).preprocessing == Preprocessing(mean=measured.mean)
    colours = Colours(mean=(1.0, 2.0, 3.0), values=(0.1, 0.2, 0.3), vectors=())
    given = build_plan(smoke(), [thing_set()], [], CPU, colours=colours, preprocessing=Preprocessing(scale=0.5))
    assert given.colours == colours
    assert given.preprocessing.scale == 0.5


def test_a_plan_is_not_changed_afterwards() -> None:
    plan = small_plan(smoke())
    with pytest.raises(FrozenInstanceError):
        plan.steps = 1  # type: ignore[misc]


def test_trial_steps_are_timed_at_every_size_of_the_recipe() -> None:
    assert 0 < seconds_per_step(small_plan(smoke())) < 60
