"""Several sets teach one vocabulary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.language.phrases import label_for
from model.vocabulary import Activation, Vocabulary
from tests.training.trainer.small_plan import small_plan
from training.data import DataError, InMemory, PictureSet, check_apart, unite
from training.recipes import smoke
from training.trainer.batch import load_batch


def made(name: str, vocabulary: str, labels: list[str], activation: Activation = "softmax") -> PictureSet:
    """Six pictures, two of each of three classes in turn; or half of six people saying each word."""
    pixels = np.random.default_rng(len(name)).integers(0, 256, (6, 72, 72, 3), np.uint8)
    targets = np.arange(6) % len(labels) if activation == "softmax" else np.full((6, len(labels)), 0.5, np.float32)
    names = tuple(label_for(vocabulary, label) for label in labels)
    return PictureSet(
        name=name,
        vocabulary=Vocabulary(name=vocabulary, activation=activation, labels=names),
        pictures=InMemory.of(pixels),
        targets=targets,
    )


def test_sets_of_one_vocabulary_share_its_labels_and_rows() -> None:
    sets = unite([made("a", "thing", ["cup", "bowl"]), made("b", "place", ["sea"]), made("c", "thing", ["dog", "cup"])])
    assert [one.vocabulary.ids for one in sets] == [("cup", "bowl", "dog"), ("sea",), ("cup", "bowl", "dog")]
    assert sets[0].targets.tolist() == [0, 1, 0, 1, 0, 1]
    assert sets[2].targets.tolist() == [2, 0, 2, 0, 2, 0]
    plan = small_plan(smoke(), *sets)
    assert plan.outputs == 4
    assert [source.rows for source in plan.sources] == [slice(0, 3), slice(3, 4), slice(0, 3)]
    assert [vocabulary.name for vocabulary in plan.vocabularies] == ["thing", "place"]
    assert [part.source.vocabulary.name for part in load_batch(plan, 0, 67)] == ["thing", "place", "thing"]


def test_of_caption_sets_a_word_that_one_does_not_ask_for_is_unknown_there() -> None:
    first, second = unite([made("a", "word", ["dog", "cat"], "sigmoid"), made("b", "word", ["cat", "sea"], "sigmoid")])
    assert first.vocabulary.ids == second.vocabulary.ids == ("dog", "cat", "sea")
    np.testing.assert_array_equal(first.targets[0], [0.5, 0.5, np.nan])
    np.testing.assert_array_equal(second.targets[0], [np.nan, 0.5, 0.5])


def test_sets_that_cannot_be_one_are_refused() -> None:
    with pytest.raises(DataError, match="captions are both named 'thing'"):
        unite([made("a", "thing", ["cup", "bowl"]), made("b", "thing", ["cup"], "sigmoid")])
    with pytest.raises(DataError, match="name both 'thing'"):
        unite([made("a", "thing", ["cup", "bowl"]), made("b", "other", ["bowl", "cup"])])


def test_sets_in_folders_of_one_name_could_not_be_told_apart(tmp_path: Path) -> None:
    for name in ("a/train", "b/train", "b/other"):
        (tmp_path / name).mkdir(parents=True)
    check_apart([f"mug={tmp_path}/a/train", f"mug={tmp_path}/b/other"])
    with pytest.raises(DataError, match="2 sets lie in folders called train"):
        check_apart([f"mug={tmp_path}/a/train", f"cup={tmp_path}/b/train"])
