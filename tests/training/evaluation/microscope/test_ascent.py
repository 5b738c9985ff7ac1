"""Synthetic pictures excite their units more than real ones; a cell alone is the cell of the whole network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.architecture import Architecture, LocalResponseNorm
from model.checkpoint import Checkpoint
from tests.tiny import tiny_network
from training.evaluation.microscope.ascent import Ascent, ascend
from training.evaluation.microscope.canvas import Canvas
from training.evaluation.microscope.cells import Cell, torch_network
from training.evaluation.microscope.colours import COVARIANCE, mixing
from training.evaluation.microscope.tuning import gratings, tune

CHANNELS = (8, 8, 8, 8, 8)


def small(input_size: int, **more: object) -> Checkpoint:
    architecture = Architecture(outputs=18, input_size=input_size, channels=CHANNELS, **{"lrn": None, **more})  # type: ignore[arg-type]
    return tiny_network(architecture=architecture)


@pytest.fixture(scope="module")
def network() -> Checkpoint:
    return small(115)


def noise(number: int, side: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (number, 3, side, side), generator=torch.Generator().manual_seed(seed)).float()


@pytest.mark.parametrize(
    "more", [{}, {"columns": 1, "lrn": LocalResponseNorm()}, {"conv1_padding": 2, "activation": "tanh"}]
)
@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
def test_a_cell_computed_alone_is_the_cell_of_the_whole_network(layer: str, more: dict[str, object]) -> None:
    network = small(147, **more)
    cell = Cell(network, layer)
    row = network.architecture.layer(layer)
    assert cell.side == row.receptive_field < 147
    at = next(n for n in range(row.shape[1]) if row.start + n * row.jump >= 0)
    corner = row.start + at * row.jump
    whole = noise(2, 147)
    patch = whole[:, :, corner : corner + cell.side, corner : corner + cell.side]
    standardised = (whole - torch.tensor(network.preprocessing.mean).view(1, 3, 1, 1)) * network.preprocessing.scale
    with torch.no_grad():
        _, maps = torch_network(network)(standardised, maps=[layer])
        expected = maps[layer][:, :, at, at]
        torch.testing.assert_close(cell.active(cell.values(patch)), expected, atol=1e-4, rtol=1e-4)


def test_a_cell_that_sees_more_than_the_picture_sees_all_of_it_and_a_label_counts_its_evidence(
    network: Checkpoint,
) -> None:
    cell, label = Cell(network, "conv5"), Cell(network, "fc8")
    assert cell.side == label.side == 115
    pixels = noise(2, 115)
    standardised = (pixels - torch.tensor(network.preprocessing.mean).view(1, 3, 1, 1)) * network.preprocessing.scale
    with torch.no_grad():
        standardised = (
            pixels - torch.tensor(network.preprocessing.mean).view(1, 3, 1, 1)
        ) * network.preprocessing.scale
        logits, maps = torch_network(network)(standardised, maps=["conv5"])
        middle = maps["conv5"].shape[2] // 2
        torch.testing.assert_close(cell.active(cell.values(pixels)), maps["conv5"][:, :, middle, middle])
        evidence = label.values(pixels)
    torch.testing.assert_close(evidence[:, :6], logits[:, :6] - logits[:, :6].mean(1, keepdim=True))
    torch.testing.assert_close(evidence[:, 11:], logits[:, 11:])


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3", "fc8"])
def test_the_ascent_raises_a_unit_above_the_best_of_many_pictures(network: Checkpoint, layer: str) -> None:
    cell = Cell(network, layer)
    made = ascend(cell, cell, range(4), Ascent(steps=32, label_steps=64))
    with torch.no_grad():
        smooth = torch.nn.functional.interpolate(noise(200, 9), size=cell.side, mode="bilinear")
        best = torch.cat([cell.active(cell.values(pictures)) for pictures in (noise(200, cell.side), smooth)]).amax(0)
        again = cell.active(cell.values(torch.from_numpy(made.pixels).permute(0, 3, 1, 2).float()))
    assert made.pixels.shape == (4, cell.side, cell.side, 3)
    assert (made.values > best[:4].numpy()).all()
    np.testing.assert_allclose(again[range(4), range(4)], made.values, rtol=1e-4)


def test_the_pictures_of_conv1_are_its_kernels(network: Checkpoint) -> None:
    made = ascend(Cell(network, "conv1"), Cell(network, "conv1"), range(8), Ascent())
    kernels = np.asarray(network.weights["conv1.weight"]).transpose(0, 2, 3, 1)
    for picture, kernel in zip(made.pixels, kernels, strict=True):
        assert np.corrcoef(picture.ravel(), kernel.ravel())[0, 1] > 0.5  # random kernels, which are all fine detail


def test_a_batch_is_a_function_of_its_units_whatever_ran_before(network: Checkpoint) -> None:
    cell = Cell(network, "conv2")
    how = Ascent(steps=4)
    first = ascend(cell, cell, range(2, 4), how)
    ascend(cell, cell, range(2), how)
    np.testing.assert_array_equal(first.pixels, ascend(cell, cell, range(2, 4), how).pixels)


def test_a_canvas_is_a_picture_in_the_colours_of_photos() -> None:
    canvas = Canvas(64, 32, torch.Generator().manual_seed(0), contrast=9.0)
    with torch.no_grad():
        canvas.coefficients.normal_(generator=torch.Generator().manual_seed(1))
        pixels = canvas.pixels()
        logits = torch.logit(pixels.double() / 255).transpose(0, 1).flatten(1)
        assert logits.square().mean().sqrt() < 9.0
    assert pixels.shape == (64, 3, 32, 32)
    assert pixels.min() >= 0
    assert pixels.max() <= 255
    expected = np.corrcoef(
        np.linalg.cholesky(np.array(COVARIANCE)) @ np.random.default_rng(0).normal(size=(3, 100_000))
    )
    np.testing.assert_allclose(np.corrcoef(logits.numpy()), expected, atol=0.08)
    root = mixing().astype(np.float64)
    np.testing.assert_allclose(
        root @ root.T / (root @ root.T)[0, 0], np.array(COVARIANCE) / COVARIANCE[0][0], rtol=1e-4
    )


def test_a_kernel_of_stripes_is_tuned_to_their_direction_period_and_colour(network: Checkpoint) -> None:
    planted = {0: ((1.0, 1.0, 1.0), 4, 90), 1: ((1.0, 1.0, 1.0), 6, 45), 2: ((1.0, -1.0, 0.0), 4, 0)}
    weights = {name: np.array(network.weights[name]) for name in network.weights}
    for unit, (colour, period, angle) in planted.items():
        weights["conv1.weight"][unit] = gratings(11, colour, period, angle)[0].numpy() / 127.5 - 1
    weights["conv1.weight"][3] = 0
    weights["conv1.bias"][:] = 0
    planted_network = Checkpoint(
        architecture=network.architecture,
        preprocessing=network.preprocessing,
        vocabularies=network.vocabularies,
        weights=weights,
    )
    tuning = tune(Cell(planted_network, "conv1"))
    for unit, (colour, period, angle) in planted.items():
        found = tuning[unit]
        assert found is not None
        assert (found.period, found.angle) == (period, angle)
        assert found.colour == ("grey" if colour[1] > 0 else "red-green")
        assert found.selectivity > 0.3
        assert (found.colour_share > 0.5) == (colour[1] < 0)
