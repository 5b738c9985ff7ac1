"""Effects of units on labels and on one another: equal to autograd and to the sums of the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.engines import Output
from model.explain import gradient, needed_activations, relevance
from tests.tiny import tiny_network
from training.evaluation.microscope.cells import torch_network
from training.evaluation.microscope.effects import BATCH, Effects, joined, sums

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def network() -> Checkpoint:
    return tiny_network(architecture=Architecture(outputs=18, input_size=67, channels=(8, 8, 8, 8, 8), lrn=None))


def measure_effects(network: Checkpoint, pictures_NHWC: Pixels, *, directions: int) -> Effects:
    """The effects over some pictures, batch by batch, as the microscope takes them."""
    batches = [pictures_NHWC[start : start + BATCH] for start in range(0, len(pictures_NHWC), BATCH)]
    return joined([sums(network, batch, directions=directions) for batch in batches])


@pytest.fixture(scope="module")
def pictures() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (11, 67, 67, 3), np.uint8)


def test_effects_are_gradient_times_activation_where_a_unit_is_active(network: Checkpoint, pictures: Pixels) -> None:
    effects = measure_effects(network, pictures, directions=18)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2) - torch.tensor(network.preprocessing.mean).view(1, 3, 1, 1)
    with torch.no_grad():
        logits, maps = torch_network(network)(
            x * network.preprocessing.scale, maps=needed_activations(network.architecture)
        )
    output = Output(logits.numpy(), {name: map_.numpy() for name, map_ in maps.items()})
    for row in (0, 8, 17):
        parts = [
            relevance(gradient(output, picture, network, row), output.maps["conv5"][picture]) for picture in range(11)
        ]
        active = output.maps["conv5"].max((2, 3)) > 0
        expected = np.stack(parts).sum(0) / np.maximum(active.sum(0), 1)
        np.testing.assert_allclose(effects.on_labels["conv5"][:, row], expected, atol=1e-3)
    assert {name: effect.shape for name, effect in effects.on_labels.items()} == {
        f"conv{n}": (8, 18) for n in range(1, 6)
    }


def test_a_few_directions_hold_most_of_it(network: Checkpoint, pictures: Pixels) -> None:
    exact = measure_effects(network, pictures, directions=18).on_labels["conv3"]
    close = measure_effects(network, pictures, directions=12).on_labels["conv3"]
    assert np.linalg.norm(close - exact) < 0.5 * np.linalg.norm(exact)


def test_what_feeds_a_unit_adds_up_to_its_strongest_cell(network: Checkpoint, pictures: Pixels) -> None:
    fed_by = measure_effects(network, pictures[:1], directions=1).fed_by
    x = torch.from_numpy(pictures[:1]).permute(0, 3, 1, 2).float()
    x = (x - torch.tensor(network.preprocessing.mean).view(1, 3, 1, 1)) * network.preprocessing.scale
    with torch.no_grad():
        _, maps = torch_network(network)(x, maps=[f"conv{n}" for n in range(1, 6)])
    assert set(fed_by) == {f"conv{n}" for n in range(2, 6)}
    for name, parts in fed_by.items():
        strongest = maps[name][0].amax((1, 2)).numpy()
        sums = parts.sum(1) + network.weights[f"{name}.bias"]
        on = strongest > 0
        np.testing.assert_allclose(sums[on], strongest[on], rtol=1e-3, atol=1e-3)
    assert not fed_by["conv2"][:4, 4:].any()  # the other column
