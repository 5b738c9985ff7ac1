"""Both engines run one layer table; they must give one answer."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from PIL import Image
from skimage import data

from model import checkpoint
from model.architecture import Architecture, LocalResponseNorm
from model.checkpoint import Checkpoint
from model.describe import believe
from model.engines import Precision, create_engine, openvino_engine
from model.preprocess import prepare
from model.weights import quantised
from tests.tiny import tiny_network

ROOT = Path(__file__).resolve().parents[2]
PRECISIONS: tuple[Precision, Precision] = ("f32", "bf16")
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 131, 131, 3), np.uint8)


def has_bf16() -> bool:
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def network(**choices: object) -> Checkpoint:
    small = tiny_network(131)
    return replace(small, architecture=replace(small.architecture, **choices))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"lrn": LocalResponseNorm()},
        {"lrn": LocalResponseNorm(alpha=0.05), "lrn_before_activation": True},
        {"activation": "tanh"},
        {"activation": "sigmoid"},
    ],
)
def test_openvino_and_torch_agree_in_f32(choices: dict[str, object]) -> None:
    tried = network(**choices)
    names = tried.architecture.activation_names
    ours = create_engine(tried, engine="openvino", precision="f32").run(PICTURES, maps=names)
    theirs = create_engine(tried, engine="torch", precision="f32").run(PICTURES, maps=names)
    for name in names:
        biggest = np.abs(theirs.maps[name]).max()
        assert np.abs(ours.maps[name] - theirs.maps[name]).max() <= 1e-4 * biggest, name
    assert np.abs(ours.logits - theirs.logits).max() <= 1e-4 * np.abs(theirs.logits).max()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """In the shipped form, whose weights are whole numbers."""
    path = tmp_path_factory.mktemp("small") / "small.safetensors"
    checkpoint.save(path, network(), small=True)
    return checkpoint.load(path)


def test_engines_agree_on_whole_numbers(small: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    assert quantised(small.weights, "fc6.weight") is not None
    theirs = create_engine(small, engine="torch", precision="f32").run(PICTURES).logits
    rounded = create_engine(small, engine="openvino", precision="f32").run(PICTURES).logits
    # Where a processor has VNNI, OpenVINO rounds what such weights are multiplied by to 8 bits, unless told not to.
    compile_model = ov.Core.compile_model

    def exactly(core: ov.Core, graph: ov.Model, device: str, settings: dict[str, object]) -> ov.CompiledModel:
        return compile_model(core, graph, device, {**settings, "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"})

    monkeypatch.setattr(ov.Core, "compile_model", exactly)
    exact = create_engine(small, engine="openvino", precision="f32").run(PICTURES).logits
    assert np.abs(exact - theirs).max() <= 1e-4 * np.abs(theirs).max()
    assert np.abs(rounded - theirs).max() <= 1e-2 * np.abs(theirs).max()


def test_bf16_changes_scores_but_little() -> None:
    tried = network()
    exact = create_engine(tried, engine="torch", precision="f32").run(PICTURES).logits
    rough = create_engine(tried, engine="torch", precision="bf16").run(PICTURES).logits
    assert 0 < np.abs(exact - rough).max() < 0.05 * np.abs(exact).max()


def test_a_processor_without_bf16_says_that_it_computes_in_float32(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(openvino_engine, "_BF16", "a format that no processor has")
    openvino_engine._warn_of_float32.cache_clear()
    with caplog.at_level(logging.WARNING, logger="glassbot"):
        engine = create_engine(network(), engine="openvino", precision="bf16")
    assert engine.name == "openvino-cpu-f32"
    assert "does not multiply in bf16: that is computed in float32" in caplog.text


@pytest.mark.skipif(not has_bf16(), reason="this processor does not compute in bf16")
def test_bf16_on_a_cpu_says_what_f32_says_of_real_photos() -> None:
    shipped = checkpoint.load(checkpoint.PRETRAINED)
    names = ("astronaut", "camera", "chelsea", "coffee", "rocket")
    photos = [Image.fromarray(getattr(data, name)()).convert("RGB") for name in names]
    seen = np.stack([prepare(photo, shipped.architecture)[0] for photo in photos])
    exact, rough = (
        believe(create_engine(shipped, engine="openvino", precision=precision).run(seen).logits, shipped.vocabularies)
        for precision in PRECISIONS
    )
    for one, other in zip(exact, rough, strict=True):
        for f32, bf16 in zip(one, other, strict=True):
            best = {int(row) for row in np.argsort(-f32.probabilities)[:5]}
            assert len(best & {int(row) for row in np.argsort(-bf16.probabilities)[:5]}) >= 4
            assert np.abs(f32.probabilities - bf16.probabilities).max() < 0.05


def test_batch_norm_folds_into_the_weights_without_a_trace() -> None:
    from model.checkpoint import expected_shapes
    from model.engines.torch_engine import build, standardise

    with_norm = replace(tiny_network(99).architecture, batch_norm=True)
    raw = tiny_network(99, architecture=with_norm)
    random = np.random.default_rng(5)
    weights = {
        n: random.uniform(0.5, 1.5, s).astype(np.float32) if "_norm" in n else raw.weights[n]
        for n, s in expected_shapes(with_norm).items()
    }
    raw = replace(raw, weights=weights)
    import torch

    x = standardise(torch.from_numpy(PICTURES[:, :99, :99]).permute(0, 3, 1, 2), raw.preprocessing)
    with torch.no_grad():
        before, after = build(raw)(x), build(raw.folded())(x)
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("form", "precision"), [("dense", "f32"), ("small", "f32"), ("small", "auto")])
def test_answers_depend_neither_on_neighbours_in_the_batch_nor_on_the_maps_asked_for(
    form: str, precision: Precision, small: Checkpoint
) -> None:
    engine = create_engine(small if form == "small" else network(), engine="openvino", precision=precision)
    many = np.concatenate([PICTURES] * 3)[:8]
    together = engine.run(many, maps=engine.architecture.activation_names)
    for number in (1, 2, 3, 5):
        few = engine.run(many[:number], maps=("fc6",))
        np.testing.assert_array_equal(few.logits, together.logits[:number])
        np.testing.assert_array_equal(few.maps["fc6"], together.maps["fc6"][:number])


@pytest.mark.parametrize("name", ["openvino", "torch"])
def test_pictures_of_another_shape_are_refused(name: str) -> None:
    engine = create_engine(network(), engine=name)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="131, 131"):
        engine.run(np.zeros((1, 99, 99, 3), np.uint8))


def test_the_default_engine_names_what_it_runs_on() -> None:
    assert create_engine(network()).name.split("-")[0] in ("openvino", "torch")
    assert isinstance(create_engine(network()).architecture, Architecture)


def test_openvino_needs_no_home_and_leaves_no_trace_in_one() -> None:
    program = (
        "import pathlib, sys\n"
        "def home(*_): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "import model.engines.openvino_engine\n"
        "sys.exit(sys.modules['openvino_telemetry'] is not None)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
