"""Pruning: most weights go, the sums stay, and the file is small."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model import checkpoint
from model.checkpoint import Checkpoint
from tests.tiny import tiny_network
from training.release.prune import prune


@pytest.fixture(scope="module")
def given() -> NDArray[np.float16]:
    """What fc6 might be given: many inputs that go together, as neighbours in a map do."""
    random = np.random.default_rng(5)
    causes = np.maximum(random.normal(size=(2000, 40)), 0)
    return (causes @ np.maximum(random.normal(size=(40, 256)), 0)).astype(np.float16)


def sums(network: Checkpoint, x: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(x @ network.weights["fc6.weight"].T + network.weights["fc6.bias"], np.float32)


def off(network: Checkpoint, other: Checkpoint, x: NDArray[np.floating]) -> float:
    """How far apart their sums in fc6 are, in parts of how far these spread."""
    wanted = sums(network, x)
    return float(np.std(sums(other, x) - wanted) / np.std(wanted))


def test_what_is_left_makes_up_for_what_is_gone(given: NDArray[np.float16]) -> None:
    network = tiny_network(67)
    thin = prune(network, given[:1500], {"fc6": 0.2})
    kept = thin.weights["fc6.weight"] != 0
    assert 0.18 < kept.mean() <= 0.2
    biggest = np.quantile(np.abs(network.weights["fc6.weight"]), 1 - kept.mean())
    weight = network.weights["fc6.weight"] * (np.abs(network.weights["fc6.weight"]) >= biggest)
    plain = replace(network, weights={**network.weights, "fc6.weight": weight})
    unseen = given[1500:].astype(np.float32)
    assert off(network, thin, unseen) < 0.1
    assert off(network, plain, unseen) > 5 * off(network, thin, unseen)
    for name in ("conv5.weight", "fc7.weight", "fc8.bias"):
        assert thin.weights[name] is network.weights[name]


def test_the_next_layer_makes_up_for_what_the_one_before_it_lost(given: NDArray[np.float16]) -> None:
    network, x = tiny_network(67), given[1500:].astype(np.float32)

    def seventh(one: Checkpoint) -> NDArray[np.float32]:
        return np.maximum(sums(one, x), 0) @ one.weights["fc7.weight"].T + one.weights["fc7.bias"]

    wanted = seventh(network)
    lost, mended = (
        float(np.std(seventh(prune(network, given[:1500], keep)) - wanted))
        for keep in ({"fc6": 0.05}, {"fc6": 0.05, "fc7": 0.95})
    )
    assert mended < 0.9 * lost


def test_a_share_of_one_changes_nothing_and_no_share_is_refused(given: NDArray[np.float16]) -> None:
    network = tiny_network(67)
    same = prune(network, given[:100], {"fc6": 1.0, "fc7": 1.0})
    np.testing.assert_array_equal(same.weights["fc7.weight"], network.weights["fc7.weight"])
    with pytest.raises(ValueError, match="above 0"):
        prune(network, given[:100], {"fc6": 0.0})


def test_zeros_stay_zeros_in_the_small_form_and_cost_next_to_nothing(
    given: NDArray[np.float16], tmp_path: Path
) -> None:
    thin = prune(tiny_network(67), given, {"fc6": 0.1})
    checkpoint.save(tmp_path / "small.safetensors", thin, small=True)
    back, sizes = checkpoint.load(tmp_path / "small.safetensors"), checkpoint.sizes(tmp_path / "small.safetensors")
    before, after = thin.weights["fc6.weight"], back.weights["fc6.weight"]
    np.testing.assert_array_equal(after[before == 0], 0)
    np.testing.assert_allclose(after, before, rtol=1e-6)
    assert all(len(np.unique(block)) <= 17 for block in np.split(before, len(before) // 16))
    assert 8 * sizes["fc6.weight"] / before.size < 1.1
    assert 8 * sizes["fc7.weight"] / back.weights["fc7.weight"].size > 3
