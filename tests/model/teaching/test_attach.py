"""A network and what it was taught, as one: its answers stay, and taught rows are rows of fc8 like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from model import checkpoint as checkpoints
from model.architecture import Architecture
from model.checkpoint import Checkpoint, CheckpointError, Preprocessing, expected_shapes
from model.describe import describe
from model.engines.openvino_engine import OpenVinoEngine
from model.explain import class_map, find_row, gradient, needed_activations
from model.language.phrases import label_for
from model.teaching.attach import base_of, taught_logits, teach
from model.teaching.embedding import SIZE, embedding_of, network_name
from model.teaching.examples import Examples, Photos
from model.teaching.outside_photos import outside_pictures
from model.vocabulary import Consent, Vocabulary
from tests.model.teaching.drawn import shas
from tests.tiny import tiny_network

MANY = Vocabulary(
    name="object", activation="softmax", labels=tuple(label_for("object", f"thing {i}") for i in range(SIZE + 44))
)
WORDS = Vocabulary(
    name="word",
    activation="sigmoid",
    labels=(label_for("word", "man"),),
    consent={"man": Consent(weights=(0.1,) * (len(MANY) + 1), constant=0.0, least=0.5)},
)


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    """A network of more rows than an embedding has numbers, at a small size."""
    architecture = Architecture(outputs=len(MANY) + 1, input_size=99, lrn=None)
    random = np.random.default_rng(0)
    weights = {
        name: random.standard_normal(shape, np.float32) * np.float32((2 / np.prod(shape[1:])) ** 0.5)
        for name, shape in expected_shapes(architecture).items()
    }
    network = tiny_network(99)
    return replace(
        network,
        architecture=architecture,
        vocabularies=(MANY, WORDS),
        weights=weights,
        preprocessing=Preprocessing(mean=(120.0, 115.0, 105.0), scale=1 / 60),
    )


@pytest.fixture(scope="module")
def small_file(base: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network in its shipped form, with whole-number weights."""
    path = tmp_path_factory.mktemp("small") / "base.safetensors"
    checkpoints.save(path, base, small=True)
    return path


def pictures(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (number, 99, 99, 3), np.uint8)


def taught(base: Checkpoint) -> tuple[Checkpoint, OpenVinoEngine]:
    engine = OpenVinoEngine(base, precision="f32")
    embedding = embedding_of(base)
    embedded = embedding.of(engine.run(pictures(6), maps=("fc7",)).maps["fc7"]).astype(np.float16)
    things = {"my mug": Photos(shas("m", 3), embedded[:3]), "my cat": Photos(shas("c", 3), embedded[3:])}
    outside = embedding.of(engine.run(outside_pictures(engine.architecture)[:8], maps=("fc7",)).maps["fc7"])
    return teach(base, embedding, Examples(embedding.network, embedding.size, things), outside), engine


@pytest.mark.parametrize("small", [False, True])
def test_an_engine_of_the_taught_network_answers_as_numpy_does(base: Checkpoint, small_file: Path, small: bool) -> None:
    network = checkpoints.load(small_file) if small else base
    learned, engine = taught(network)
    run = engine.run(pictures(5), maps=("fc7",))
    mine = taught_logits(run.logits, run.maps["fc7"], learned)
    theirs = OpenVinoEngine(learned, precision="f32").run(pictures(5)).logits
    assert mine.shape == theirs.shape == (5, len(MANY) + 3)
    assert np.allclose(mine, theirs, atol=1e-3 * np.abs(theirs).max())
    assert np.array_equal(mine[:, : len(MANY) + 1], run.logits)


def test_what_was_taught_comes_off_again(base: Checkpoint) -> None:
    learned, _ = taught(base)
    again = base_of(learned)
    assert again.architecture == base.architecture
    assert again.vocabularies == base.vocabularies
    assert network_name(again) == network_name(base)
    assert base_of(base) is base


def test_numbers_of_a_picture_seen_otherwise_are_another_networks(base: Checkpoint) -> None:
    coarse = replace(base, architecture=replace(base.architecture, input_detail=64))
    assert network_name(coarse) != network_name(base)


def test_a_taught_network_is_described_and_explained(base: Checkpoint) -> None:
    learned, engine = taught(base)
    run = engine.run(pictures(1), maps=needed_activations(base.architecture))
    logits = taught_logits(run.logits, run.maps["fc7"], learned)
    description = describe(logits[0], learned, top_k=20)
    assert "taught" in description.gates
    assert {scored.label.name for scored in describe(logits[0], learned, vocabulary="taught").labels} == {
        "my mug",
        "my cat",
    }
    row = find_row(learned, "my mug")
    assert learned.vocabulary_at(row)[0].taught
    slope = gradient(run, 0, learned, row)
    assert class_map(slope, run.maps["conv5"][0]).shape == run.maps["conv5"].shape[2:]
    assert np.abs(slope).max() > 0


def test_a_taught_network_is_one_file(small_file: Path, tmp_path: Path) -> None:
    network = checkpoints.load(small_file)
    learned, _ = taught(network)
    file = tmp_path / "mugs.safetensors"
    checkpoints.save_taught(file, learned, small_file)
    again = checkpoints.load(file)
    assert again.vocabularies == learned.vocabularies
    assert again.examples is not None
    assert again.examples.to_bytes() == learned.examples.to_bytes()  # type: ignore[union-attr]
    assert again.measured["taught"] == learned.measured["taught"]
    assert np.allclose(again.weights["fc8.weight"], learned.weights["fc8.weight"], atol=1e-6)
    assert network_name(base_of(again)) == network_name(network)
    assert file.stat().st_size < small_file.stat().st_size + 200_000
    assert checkpoints.weights_digest(file) == checkpoints.weights_digest(small_file)
    # Taught once more, the file is that of the network itself with the newer names.
    twice = tmp_path / "twice.safetensors"
    checkpoints.save_taught(twice, learned, file)
    assert checkpoints.load(twice).vocabularies == again.vocabularies


def test_a_file_whose_taught_rows_do_not_fit_is_refused(small_file: Path, tmp_path: Path) -> None:
    learned, _ = taught(checkpoints.load(small_file))
    file = tmp_path / "mugs.safetensors"
    checkpoints.save_taught(file, learned, small_file)
    tensors = load_file(file)
    with safe_open(file, framework="numpy") as opened:
        metadata = opened.metadata()
    for change in ({"taught.weight": tensors["taught.weight"][:1]}, {"taught.bias": tensors["taught.bias"] * np.nan}):
        save_file({**tensors, **change}, file, metadata=metadata)
        with pytest.raises(CheckpointError):
            checkpoints.load(file)


def test_what_is_measured_and_calibrated_later_leaves_what_was_taught_alone(small_file: Path, tmp_path: Path) -> None:
    learned, _ = taught(checkpoints.load(small_file))
    file = tmp_path / "mugs.safetensors"
    checkpoints.save_taught(file, learned, small_file)
    loaded = checkpoints.load(file)
    own = tuple(replace(v, temperature=3.0) for v in base_of(loaded).vocabularies)
    checkpoints.note_measured(file, {**loaded.measured, "object": {"top1": 0.5, "n": 4}}, own)
    again = checkpoints.load(file)
    assert base_of(again).vocabularies == own
    assert again.vocabularies[-1] == loaded.vocabularies[-1]
    assert again.measured == {"object": {"top1": 0.5, "n": 4}, "taught": loaded.measured["taught"]}


def test_the_small_form_of_a_taught_network_is_that_of_the_network_itself(small_file: Path, tmp_path: Path) -> None:
    learned, _ = taught(checkpoints.load(small_file))
    file = tmp_path / "small.safetensors"
    checkpoints.save(file, learned, small=True)
    again = checkpoints.load(file)
    assert [v.name for v in again.vocabularies] == ["object", "word"]
    assert again.examples is None
    assert "taught" not in again.measured


def test_directions_are_orthonormal_and_the_same_each_time(base: Checkpoint) -> None:
    first, second = embedding_of(base), embedding_of(base)
    assert first.directions is not None
    assert second.directions is not None
    assert np.array_equal(first.directions, second.directions)
    assert np.allclose(first.directions.T @ first.directions, np.eye(SIZE), atol=1e-5)
    row = np.random.default_rng(0).standard_normal((2, SIZE)).astype(np.float32)
    fc7 = np.random.default_rng(1).standard_normal((3, 4096)).astype(np.float32)
    assert np.allclose(fc7 @ first.to_fc7(row).T, first.of(fc7) @ row.T, atol=1e-2)


def test_a_network_of_few_rows_embeds_into_fc7() -> None:
    embedding = embedding_of(tiny_network(99))
    assert embedding.directions is None
    assert embedding.size == 4096


def test_the_bundled_photos_are_forty() -> None:
    shown = outside_pictures(Architecture(input_size=67))
    assert shown.shape == (40, 67, 67, 3)
    assert len({one.tobytes() for one in shown}) == 40
