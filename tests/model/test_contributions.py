"""What fed what, against autograd, and single numbers against the engine."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.architecture import Architecture, LocalResponseNorm
from model.backward import gradients, input_of
from model.cells import LinearTerm, activate, trace
from model.checkpoint import PRETRAINED, Checkpoint, load
from model.contributions import Connections, connect, flow
from model.engines import Precision, create_engine
from model.engines.openvino_engine import multiplies_int8
from model.engines.torch_engine import build, standardise
from model.explain import relevance
from model.weights import weight_rows
from tests.tiny import OBJECTS, SCENES, WORDS, tiny_network

OUTPUTS = (*OBJECTS, *SCENES, *WORDS)
SMALL: dict[str, Any] = {"outputs": len(OUTPUTS), "input_size": 99, "channels": (8, 12, 10, 8, 12), "lrn": None}
STRONG = LocalResponseNorm(alpha=0.05)
CASES: dict[str, dict[str, Any]] = {
    "two columns": {},
    "one column": {"columns": 1},
    "normalised": {"lrn": STRONG},
    "normalised as in 2012": {"lrn": STRONG, "lrn_before_activation": True},
    "another norm": {"lrn": LocalResponseNorm(size=4, alpha=0.1, beta=0.6), "activation": "tanh"},
    "sigmoid": {"activation": "sigmoid", "lrn": STRONG, "lrn_before_activation": True},
    "without conv3": {"without": "conv3"},
    "without conv4": {"without": "conv4", "activation": "tanh"},
    "without conv5": {"without": "conv5", "overlapping_pooling": False},
    "batch norm": {"batch_norm": True, "conv1_padding": 2, "dropout_at_test": True},
}
ROWS = (3, 13)  # of a softmax and of a sigmoid vocabulary


@lru_cache(maxsize=1)
def network_of(case: str) -> Checkpoint:
    network = tiny_network(seed=3, architecture=Architecture(**SMALL | CASES[case]))
    random = np.random.default_rng(7)
    for name, weight in network.weights.items():
        if "_norm." in name:  # as a trained network has it; a variance is never below zero
            weight[:] = 1 + random.random(weight.shape, np.float32)
    return network.folded()


def picture_of(network: Checkpoint) -> np.ndarray:
    side = network.architecture.input_size
    return np.random.default_rng(5).integers(0, 256, (1, side, side, 3), np.uint8)


@lru_cache(maxsize=1)
def seen(case: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The activations of all layers, and the logits, of one picture."""
    network = network_of(case)
    names = network.architecture.activation_names
    output = create_engine(network, engine="torch", precision="f32").run(picture_of(network), maps=names)
    return {name: output.maps[name][0] for name in names}, output.logits[0]


class Autograd:
    """The same network in torch, whose sums and activations keep their gradients."""

    def __init__(self, network: Checkpoint, row: int) -> None:
        self.module = build(network).requires_grad_(requires_grad=False)
        self.inputs: dict[str, Tensor] = {}
        self.sums: dict[str, Tensor] = {}
        self.activations: dict[str, Tensor] = {}
        self._known_parts: dict[tuple[str, int], Tensor] = {}
        x = standardise(torch.from_numpy(picture_of(network)).permute(0, 3, 1, 2), network.preprocessing)
        x.requires_grad_()
        for layer in network.architecture.layers:
            self.inputs[layer.name] = x
            if not layer.weight_shape:
                x = self.module.step(layer, x)
            else:
                x = self.module.get_submodule(layer.name)(x.flatten(1) if layer.operation == "linear" else x)
                x.retain_grad()
                self.sums[layer.name] = x
                function = {"relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, None: lambda same: same + 0}
                x = function[layer.activation](x)  # type: ignore[operator]
            x.retain_grad()
            self.activations[layer.name] = x
        evidence = x[0, row]
        for vocabulary in network.vocabularies:
            rows = network.slices()[vocabulary.name]
            if vocabulary.activation == "softmax" and rows.start <= row < rows.stop:
                evidence = evidence - x[0, rows].mean()
        evidence.backward()
        self.evidence = float(evidence.detach())

    def relevance(self, name: str) -> np.ndarray:
        x = self.activations[name]
        assert x.grad is not None
        return np.asarray((x * x.grad)[0].detach().flatten(1).sum(1) if x.ndim == 4 else (x * x.grad)[0].detach())

    @torch.no_grad()
    def edge(self, target: tuple[str, int], source: int) -> float:
        """The layer run on one channel of its input, times the gradient of the sum that the target makes."""
        slope = self.sums[target[0]].grad
        assert slope is not None
        return float((self._parts(target[0], source)[0, target[1]] * slope[0, target[1]]).sum())

    def _parts(self, target: str, source: int) -> Tensor:
        """What one channel of a layer's input adds to all of its sums."""
        if (target, source) not in self._known_parts:
            layer, x = self.module.get_submodule(target), self.inputs[target]
            alone = torch.zeros_like(x)
            alone[:, source] = x[:, source]
            if isinstance(layer, torch.nn.Linear):
                alone = alone.flatten(1)
            self._known_parts[target, source] = layer(alone) - layer(torch.zeros_like(alone))
        return self._known_parts[target, source]


def connections_of(case: str, row: int, per_layer: int = 12) -> Connections:
    maps, logits = seen(case)
    return connect(maps, logits, network_of(case), row, per_layer=per_layer)


@pytest.mark.parametrize("case", CASES)
def test_relevances_and_edges_are_those_of_autograd(case: str) -> None:
    for row in ROWS:
        check_against_autograd(case, row)


def check_against_autograd(case: str, row: int) -> None:
    torch_side, found = Autograd(network_of(case), row), connections_of(case, row)
    names = [column.layer.name for column in found.columns]
    assert names == [layer.name for layer in network_of(case).architecture.layers if layer.weight_shape]
    for column in found.columns[:-1]:
        expected = torch_side.relevance(column.layer.name)
        scale = float(np.abs(expected).max())
        assert scale > 0
        numbers = [channel.number for channel in column.channels]
        shown = [channel.relevance for channel in column.channels]
        np.testing.assert_allclose(shown, expected[numbers], atol=1e-4 * scale)
        assert np.sort(np.abs(expected))[::-1][: len(numbers)] == pytest.approx(np.abs(shown), abs=1e-4 * scale)
        assert column.share == pytest.approx(np.abs(shown).sum() / np.abs(expected).sum(), rel=1e-3)
    assert found.columns[-1].channels[0].relevance == pytest.approx(torch_side.evidence, rel=1e-4, abs=1e-5)
    largest: dict[str, float] = {}
    for edge in found.edges:
        largest[edge.target[0]] = max(largest.get(edge.target[0], 0), abs(edge.weight))
    assert set(largest) == set(names[1:])
    for edge in (edge for edge in found.edges if edge.target[0] != "fc8"):
        assert edge.weight == pytest.approx(
            torch_side.edge(edge.target, edge.source[1]), abs=1e-4 * largest[edge.target[0]]
        )


@pytest.mark.parametrize("case", ["two columns", "one column", "without conv3", "without conv5"])
def test_all_that_flows_from_a_channel_is_its_relevance(case: str) -> None:
    network, (maps, _) = network_of(case), seen(case)
    slopes = gradients(maps, network, {ROWS[0]: 1.0}, down_to="conv1")
    found = connections_of(case, ROWS[0])
    convolutions = [column for column in found.columns if column.layer.operation == "conv"]
    for column, following in pairwise(convolutions):
        for channel in column.channels:
            source = (column.layer.name, channel.number)
            flowing = sum(edge.weight for edge in found.edges if edge.source == source)
            scale = max(abs(channel.relevance) for channel in column.channels)
            assert flowing == pytest.approx(channel.relevance, abs=1e-4 * scale), (source, following.layer.name)
    for name, before in (("fc6", convolutions[-1].layer.name), ("fc7", "fc6")):
        layer = network.architecture.layer(name)
        x = input_of(layer, maps, network.architecture)
        weight = weight_rows(network.weights, f"{name}.weight", range(4096))
        gradient = slopes[name] * (maps[name] > 0)
        through = flow(layer, gradient, x, weight, sources=range(len(x))).sum(0)
        expected = relevance(slopes[before], maps[before])
        np.testing.assert_allclose(through, expected, atol=1e-4 * np.abs(expected).max())
    answer = sum(edge.weight for edge in found.edges if edge.target[0] == "fc8")
    assert answer == pytest.approx(sum(channel.relevance for channel in found.columns[-2].channels), rel=1e-4)


def test_no_edge_joins_two_columns_of_the_network_that_do_not_see_each_other() -> None:
    for edge in connections_of("two columns", ROWS[0]).edges:
        if edge.target[0] == "conv2":
            assert edge.source[1] // 4 == edge.target[1] // 6


def test_only_the_channels_that_matter_most_are_shown() -> None:
    every, few = connections_of("normalised", ROWS[1]), connections_of("normalised", ROWS[1], per_layer=3)
    for all_of_it, part in zip(every.columns, few.columns, strict=True):
        assert part.channels == all_of_it.channels[:3]
        assert part.share <= all_of_it.share
    kept = {(column.layer.name, channel.number) for column in few.columns for channel in column.channels}
    assert {edge.source for edge in few.edges} | {edge.target for edge in few.edges} <= kept


@pytest.mark.parametrize("case", CASES)
def test_every_number_is_the_sum_that_is_spelled_out(case: str) -> None:
    network, (maps, logits) = network_of(case), seen(case)
    random = np.random.default_rng(1)
    pixels = picture_of(network)[0]
    for layer in network.architecture.layers:
        if not layer.weight_shape:
            continue
        shape = (*layer.shape, 1, 1)[:3]
        places = [(0, 0, 0), tuple(size - 1 for size in shape), *(tuple(random.integers(shape)) for _ in range(6))]
        for place in places:
            cell = trace(maps, logits, pixels, network, layer, place)
            kept = logits[place[0]] if layer.name == "fc8" else maps[layer.name].reshape(shape)[place]
            assert cell.kept == kept
            assert cell.value == pytest.approx(kept, abs=1e-4)
            assert cell.sum == pytest.approx(sum(term.sum for term in cell.terms) + cell.others[1] + cell.bias)
            for term in cell.terms:
                if isinstance(term, LinearTerm):
                    assert term.input == input_of(layer, maps, network.architecture)[term.place]
                else:
                    assert term.sum == pytest.approx((term.inputs.astype(float) * term.weights).sum())
                    assert term.inputs.shape == (layer.kernel, layer.kernel)
            sizes = [abs(term.sum) for term in cell.terms]
            assert sizes == sorted(sizes, reverse=True)
            assert len(sizes) <= 12


@pytest.mark.parametrize("case", ["two columns", "normalised", "normalised as in 2012", "without conv5"])
def test_what_follows_leads_to_what_the_next_layer_reads(case: str) -> None:
    network, (maps, logits) = network_of(case), seen(case)
    steps: set[str] = set()
    for name, pooled in (("conv1", "pool1"), ("conv2", "pool2"), (network.architecture.last_convolution, "pool5")):
        layer = network.architecture.layer(name)
        side = layer.shape[1]
        for row, column in ((0, 0), (side // 2, side // 2), (side // 2 + 1, 2)):
            cell = trace(maps, logits, picture_of(network)[0], network, layer, (1, row, column))
            last, pooling = cell.after[-1], next(step for step in cell.after if step.name == "pool")
            assert pooling.place is not None
            assert pooling.window is not None
            assert pooling.value == pooling.window.max()
            y, x = pooling.place
            pool = network.architecture.layer(pooled)
            assert 0 <= row - y * pool.stride < pool.kernel
            assert 0 <= column - x * pool.stride < pool.kernel
            assert last.value == pytest.approx(maps[pooled][1, y, x], abs=1e-4)
            before = cell.after[0].value if cell.after[0].name == "lrn" else cell.kept
            assert pooling.window[row - y * pool.stride, column - x * pool.stride] == pytest.approx(before, abs=1e-4)
            steps.update(step.name for step in cell.after)
    assert steps == {"pool"} | ({"lrn"} if "norm" in case else set()) | ({"relu"} if "2012" in case else set())


@pytest.mark.parametrize(("layer", "place"), [("conv2", (12, 0, 0)), ("conv2", (0, -1, 0)), ("fc7", (0, 1, 0))])
def test_a_place_outside_the_layer_is_an_index_error(layer: str, place: tuple[int, int, int]) -> None:
    network, (maps, logits) = network_of("two columns"), seen("two columns")
    with pytest.raises(IndexError):
        trace(maps, logits, picture_of(network)[0], network, network.architecture.layer(layer), place)


def test_an_activation_function_is_that_of_torch() -> None:
    for value in (-1.5, 0.0, 2.0):
        assert activate(value, None) == value
        assert activate(value, "relu") == float(torch.relu(torch.tensor(value)))
        assert activate(value, "tanh") == pytest.approx(float(torch.tanh(torch.tensor(value))), rel=1e-6)
        assert activate(value, "sigmoid") == pytest.approx(float(torch.sigmoid(torch.tensor(value))), rel=1e-6)


@pytest.mark.parametrize(("precision", "most"), [("f32", 0.005), ("bf16", 0.005), ("int8", 0.15)])
def test_the_shipped_network_runs_as_its_sums_say_in_the_precision_of_its_engine(
    precision: Precision, most: float
) -> None:
    network = load(PRETRAINED)
    if precision == "int8" and not (network.int8 and multiplies_int8()):
        pytest.skip("the network has no ranges for int8, or this processor none of its instructions")
    names = network.architecture.activation_names
    picture = picture_of(network)
    output = create_engine(network, engine="openvino", precision=precision).run(picture, maps=names)
    maps, logits = {name: output.maps[name][0] for name in names}, output.logits[0]
    random = np.random.default_rng(2)
    for layer in (layer for layer in network.architecture.layers if layer.weight_shape):
        shape = (*layer.shape, 1, 1)[:3]
        for _ in range(100):
            cell = trace(maps, logits, picture[0], network, layer, tuple(int(n) for n in random.integers(shape)))  # type: ignore[arg-type]
            assert abs(cell.value - cell.kept) < most * np.abs(maps.get(layer.name, logits)).max()
