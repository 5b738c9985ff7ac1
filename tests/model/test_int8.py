"""Layers in whole numbers: near float32, probed before they are used, and only where all they need is there."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import checkpoint, int8
from model.architecture import LocalResponseNorm
from model.checkpoint import Checkpoint, CheckpointError
from model.engines import create_engine, openvino_engine
from model.int8 import Int8, probe_pictures, quantised_rows
from tests.tiny import tiny_network

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 131, 131, 3), np.uint8)

vnni = pytest.mark.skipif(not openvino_engine.multiplies_int8(), reason="this processor has no products of 8 bits")


def in_float32(network: Checkpoint) -> np.ndarray:
    return create_engine(network, engine="openvino", precision="f32").run(probe_pictures(131)).logits


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """In the shipped form, with ranges that hold every activation of the pictures."""
    path = tmp_path_factory.mktemp("small") / "small.safetensors"
    checkpoint.save(path, tiny_network(131), small=True)
    network = checkpoint.load(path)
    rows = [*quantised_rows(network.architecture, "conv"), *quantised_rows(network.architecture, "linear")]
    maps = create_engine(network, engine="openvino", precision="f32").run(PICTURES, maps=rows).maps
    ranges = {name: float(maps[name].max()) for name in rows}
    logits = tuple(map(tuple, in_float32(network).tolist()))
    checkpoint.note_int8(path, Int8(ranges=ranges, logits=logits, same={"sentence": 0.99}))
    return checkpoint.load(path)


def test_a_file_keeps_how_its_network_runs_in_whole_numbers(small: Checkpoint, tmp_path: Path) -> None:
    assert small.int8 is not None
    assert set(small.int8.ranges) == {"conv1", "conv2", "conv3", "conv4", "pool5", "fc6", "fc7"}
    checkpoint.save(tmp_path / "again.safetensors", small, small=True)
    assert checkpoint.load(tmp_path / "again.safetensors").int8 == small.int8
    checkpoint.note_int8(tmp_path / "again.safetensors", None)
    assert checkpoint.load(tmp_path / "again.safetensors").int8 is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ranges": {"conv1": -1.0}}, "the range of conv1 is -1"),
        ({"ranges": {"conv1": 1e300}}, "the range of conv1 is 1e"),
        ({"ranges": {}}, "the layer table asks for"),
        ({"ranges": {"no such row": 1.0}}, "the layer table asks for"),
        ({"logits": [[1.0], [1.0]]}, "no logits of 3 probe pictures"),
        ({"logits": [[1.0], [1.0], [1.0, 2.0]]}, "no logits of 3 probe pictures"),
        ({"logits": [[1.0], [1.0], [1.0]]}, "1 logits of a probe picture"),
        ({"logits": None}, "not a record of ranges, logits and shares"),
        ({"ranges": []}, "not a record of ranges, logits and shares"),
    ],
)
def test_what_does_not_belong_to_the_network_is_refused_in_one_sentence(
    small: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], sentence: str
) -> None:
    path = tmp_path / "network.safetensors"
    record = {**(int8.to_json(small.int8) or {}), **change}
    monkeypatch.setattr(int8, "to_json", lambda _: record)
    checkpoint.save(path, small, small=True)
    with pytest.raises(CheckpointError, match=sentence):
        checkpoint.load(path)


def test_whole_numbers_answer_nearly_as_float32_does(small: Checkpoint) -> None:
    names = ("conv5", "pool5", "fc6", "fc7")
    exact = create_engine(small, engine="openvino", precision="f32").run(PICTURES, maps=names)
    engine = create_engine(small, engine="openvino", precision="int8")
    ours = engine.run(PICTURES, maps=names)
    assert engine.name == "openvino-cpu-int8"
    assert 0 < np.abs(ours.logits - exact.logits).max() < 0.05 * exact.logits.std()
    for name, activations in exact.maps.items():
        assert np.abs(ours.maps[name] - activations).max() < 0.05 * activations.max()


@pytest.mark.parametrize("without", [("pool5", "fc6", "fc7"), ("fc6",), ("fc7",)])
def test_linear_layers_that_read_a_row_without_a_range_find_one_themselves(
    small: Checkpoint, without: tuple[str]
) -> None:
    assert small.int8 is not None
    fewer = {name: largest for name, largest in small.int8.ranges.items() if name not in without}
    partly = replace(small.int8, ranges=fewer)
    partly.check(small.architecture, len(partly.logits[0]))
    engine = create_engine(replace(small, int8=partly), engine="openvino", precision="int8")
    alone, together = engine.run(PICTURES[:1]).logits, engine.run(PICTURES).logits
    np.testing.assert_array_equal(alone, together[:1])
    whole = create_engine(small, engine="openvino", precision="int8").run(PICTURES).logits
    assert 0 < np.abs(together - whole).max() < 0.05 * whole.std()


def test_answers_in_whole_numbers_depend_neither_on_neighbours_nor_on_the_maps_asked_for(small: Checkpoint) -> None:
    engine = create_engine(small, engine="openvino", precision="int8")
    together = engine.run(PICTURES, maps=engine.architecture.activation_names)
    for number in (1, 2, 3):
        few = engine.run(PICTURES[:number], maps=("conv5",))
        np.testing.assert_array_equal(few.logits, together.logits[:number])
        np.testing.assert_array_equal(few.maps["conv5"], together.maps["conv5"][:number])


def as_on_an_older_processor(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    flags = folder / "cpuinfo"
    flags.write_text("processor : 0\nflags\t\t: sse4_2 avx2 fma\n")
    monkeypatch.setattr(openvino_engine, "_CPU_FLAGS", flags)


def test_older_processors_compute_the_same_whole_numbers_in_float32(
    small: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = create_engine(small, engine="openvino", precision="int8").run(PICTURES, maps=("conv5",))
    as_on_an_older_processor(monkeypatch, tmp_path)
    openvino_engine._warn_of_float32.cache_clear()
    with caplog.at_level(logging.WARNING, logger="glassbot"):
        there = create_engine(small, engine="openvino", precision="int8").run(PICTURES, maps=("conv5",))
    assert "does not multiply in int8: that is computed in float32" in caplog.text
    exact = create_engine(small, engine="openvino", precision="f32").run(PICTURES, maps=("conv5",))
    for ours, theirs, float32 in (
        (here.logits, there.logits, exact.logits),
        (here.maps["conv5"], there.maps["conv5"], exact.maps["conv5"]),
    ):
        assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.5 * np.sqrt(np.mean((theirs - float32) ** 2))


@vnni
def test_auto_takes_whole_numbers_where_network_and_processor_can(
    small: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert create_engine(small, engine="openvino").name == "openvino-cpu-int8"
    without = create_engine(replace(small, int8=None), engine="openvino").name
    assert without in ("openvino-cpu-bf16", "openvino-cpu-f32")
    dense = tmp_path / "dense.safetensors"
    checkpoint.save(dense, small)
    assert create_engine(checkpoint.load(dense), engine="openvino").name == without
    as_on_an_older_processor(monkeypatch, tmp_path)
    assert create_engine(small, engine="openvino").name == without
    monkeypatch.setattr(openvino_engine, "_CPU_FLAGS", tmp_path / "no such file")
    assert create_engine(small, engine="openvino").name == without


@vnni
def test_where_whole_numbers_answer_wrongly_floats_do_it_and_the_log_says_so(
    small: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    assert small.int8 is not None
    narrow = replace(small, int8=replace(small.int8, ranges=dict.fromkeys(small.int8.ranges, 0.01)))
    with caplog.at_level(logging.WARNING, logger="glassbot"):
        engine = create_engine(narrow, engine="openvino")
    assert engine.name != "openvino-cpu-int8"
    assert "int8 gives other answers on this processor" in caplog.text
    np.testing.assert_array_equal(
        engine.run(PICTURES).logits, create_engine(replace(small, int8=None), engine="openvino").run(PICTURES).logits
    )
    with pytest.raises(ValueError, match="choose another precision"):
        create_engine(narrow, engine="openvino", precision="int8")


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_int8_is_refused_where_it_cannot_be(engine: str) -> None:
    with pytest.raises(ValueError, match="choose another precision"):
        create_engine(tiny_network(131), engine=engine, precision="int8")  # type: ignore[arg-type]


def test_what_becomes_whole_numbers_is_what_each_layer_with_weights_but_the_first_reads() -> None:
    architecture = tiny_network(131).architecture
    assert quantised_rows(architecture, "conv") == ["conv1", "conv2", "conv3", "conv4"]
    assert quantised_rows(architecture, "linear") == ["pool5", "fc6", "fc7"]
    normalised = quantised_rows(replace(architecture, lrn=LocalResponseNorm()), "conv")
    operations = {row.name: row.operation for row in replace(architecture, lrn=LocalResponseNorm()).layers}
    assert [operations[name] for name in normalised] == ["lrn", "lrn", "conv", "conv"]
    for change in ({"activation": "tanh"}, {"conv1_padding": 2}):
        other = replace(architecture, **change)
        assert quantised_rows(other, "conv") == quantised_rows(other, "linear") == []
