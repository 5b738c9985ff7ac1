"""Evened out channels give the same answers, and ranges that are fitted nearer ones than those of the peaks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import checkpoint
from model.architecture import LocalResponseNorm
from model.checkpoint import Checkpoint
from model.engines import create_engine
from model.int8 import Int8, probe_pictures, quantised_rows
from tests.tiny import tiny_network
from training.release import int8
from training.release.int8 import equalise, fit_ranges, measured_same

PICTURES = np.random.default_rng(0).integers(0, 256, (8, 131, 131, 3), np.uint8)


@pytest.fixture(scope="module")
def uneven() -> Checkpoint:
    """A network some of whose channels reach a hundred times as high as others."""
    network = tiny_network(131)
    weights = dict(network.weights)
    for name in ("conv1", "conv2", "conv3", "conv4"):
        factor = np.geomspace(0.1, 10, len(weights[f"{name}.bias"]), dtype=np.float32)
        weights[f"{name}.weight"] = weights[f"{name}.weight"] * factor[:, None, None, None]
        weights[f"{name}.bias"] = weights[f"{name}.bias"] * factor
    return replace(network, weights=weights)


def spread(network: Checkpoint) -> float:
    """How many times as high the highest channel of conv1 to conv4 reaches as the median one, at most."""
    rows = quantised_rows(network.architecture, "conv")
    maps = create_engine(network, engine="openvino", precision="f32").run(PICTURES, maps=rows).maps
    peaks = [maps[name].max((0, 2, 3)) for name in rows]
    return max(float(peak.max() / np.median(peak)) for peak in peaks)


def test_evened_out_channels_give_the_same_answers(uneven: Checkpoint) -> None:
    even = equalise(uneven, PICTURES)
    before, after = (
        create_engine(one, engine="openvino", precision="f32").run(PICTURES, maps=("conv5",)) for one in (uneven, even)
    )
    np.testing.assert_allclose(after.logits, before.logits, atol=1e-4 * np.abs(before.logits).max())
    np.testing.assert_allclose(after.maps["conv5"], before.maps["conv5"], atol=1e-4 * before.maps["conv5"].max())
    assert spread(even) < 0.4 * spread(uneven)


def test_a_network_that_normalises_or_does_not_rectify_stays_as_it_is() -> None:
    network = tiny_network(131)
    for change in ({"lrn": LocalResponseNorm()}, {"activation": "tanh"}):
        other = replace(network, architecture=replace(network.architecture, **change))
        assert equalise(other, PICTURES) is other
        assert fit_ranges(other, PICTURES) is None


def test_fitted_ranges_are_nearer_to_float32_than_those_of_the_peaks(uneven: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, uneven, small=True)
    small = checkpoint.load(path)
    pictures = np.concatenate([PICTURES, probe_pictures(131)])
    fitted = fit_ranges(small, pictures)
    assert fitted is not None
    exact = create_engine(small, engine="openvino", precision="f32").run(pictures, maps=[*fitted.ranges])
    peaks = {name: float(activations.max()) for name, activations in exact.maps.items()}

    def error(ranges: dict[str, float]) -> float:
        trial = replace(small, int8=replace(fitted, ranges=ranges, logits=()))
        logits = create_engine(trial, engine="openvino", precision="int8").run(pictures).logits
        return float(np.square(logits - exact.logits).mean())

    assert error(dict(fitted.ranges)) < error(peaks)


def test_linear_layers_that_lose_too_much_get_no_range(
    uneven: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, uneven, small=True)
    pictures = probe_pictures(131)
    monkeypatch.setattr(int8, "_FACTORS", (1.0,))
    monkeypatch.setattr(int8, "_FINER", (1.0,))
    for most, kept in ((1.0, {"pool5", "fc6", "fc7"}), (0.0, set())):
        monkeypatch.setattr(int8, "_MOST_ERROR", most)
        fitted = fit_ranges(checkpoint.load(path), pictures)
        assert fitted is not None
        assert set(fitted.ranges) == {"conv1", "conv2", "conv3", "conv4"} | kept


def test_what_is_said_in_both_arithmetics_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, tiny_network(131), small=True)
    small = checkpoint.load(path)
    rows = quantised_rows(small.architecture, "conv")
    maps = create_engine(small, engine="openvino", precision="f32").run(PICTURES, maps=rows).maps
    ranges = {name: float(activations.max()) for name, activations in maps.items()}
    same = measured_same(replace(small, int8=Int8(ranges=ranges, logits=(), same={})), PICTURES)
    assert set(same) == {"sentence", *(v.name for v in small.vocabularies if v.activation == "softmax")}
    assert all(share > 0.5 for share in same.values())
    blind = measured_same(replace(small, int8=Int8(ranges=dict.fromkeys(rows, 1e-6), logits=(), same={})), PICTURES)
    assert min(blind.values()) < min(same.values())
