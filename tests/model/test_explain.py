"""Class maps in closed form against autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.architecture import Architecture, LocalResponseNorm
from model.checkpoint import Checkpoint
from model.describe import describe
from model.engines import Output, create_engine
from model.engines.torch_engine import build, standardise
from model.explain import (
    METHODS,
    UnknownLabelError,
    class_map,
    find_row,
    gradient,
    gradient_of_any,
    needed_activations,
    relevance,
)
from tests.tiny import tiny_network

NETWORK = tiny_network()
PICTURE = np.random.default_rng(2).integers(0, 256, (1, 227, 227, 3), np.uint8)


@pytest.fixture(scope="module")
def output() -> Output:
    return create_engine(NETWORK, engine="torch", precision="f32").run(
        PICTURE, maps=needed_activations(NETWORK.architecture)
    )


def by_autograd(row: int, network: Checkpoint = NETWORK) -> tuple[np.ndarray, np.ndarray]:
    """The last convolution's activations and the gradient of the evidence with respect to them.

    Evidence is a label's lead over the mean of its vocabulary, or a word's own logit.
    """
    module = build(network)
    x = standardise(torch.from_numpy(picture_for(network)).permute(0, 3, 1, 2), network.preprocessing)
    layer = network.architecture.last_convolution
    logits, maps = module(x, (layer,))
    evidence = logits[0, row]
    for vocabulary in network.vocabularies:
        rows = network.slices()[vocabulary.name]
        if vocabulary.activation == "softmax" and rows.start <= row < rows.stop:
            evidence = evidence - logits[0, rows].mean()
    (slope,) = torch.autograd.grad(evidence, maps[layer])
    return maps[layer][0].detach().numpy(), slope[0].numpy()


def picture_for(network: Checkpoint) -> np.ndarray:
    side = network.architecture.input_size
    return PICTURE[:, :side, :side]


def variant(**choices: object) -> Checkpoint:
    """A small network that differs from the usual one in some choices."""
    small = Architecture(outputs=NETWORK.architecture.outputs, input_size=131, lrn=None)
    return tiny_network(architecture=replace(small, **choices))  # type: ignore[arg-type]


@pytest.mark.parametrize("row", [0, 7, 13])
def test_the_gradient_is_autograds(output: Output, row: int) -> None:
    _, slope = by_autograd(row)
    np.testing.assert_allclose(gradient(output, 0, NETWORK, row), slope, atol=1e-5 * np.abs(slope).max())


def test_the_evidence_for_any_of_several_labels_is_that_of_their_summed_exponentials(output: Output) -> None:
    rows = [0, 2, 3]
    logits = output.logits[0, rows].astype(np.float64)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    module = build(NETWORK)
    x = standardise(torch.from_numpy(PICTURE).permute(0, 3, 1, 2), NETWORK.preprocessing)
    layer = NETWORK.architecture.last_convolution
    taught, maps = module(x, (layer,))
    vocabulary = NETWORK.slices()[NETWORK.vocabularies[0].name]
    assert vocabulary.start <= min(rows)
    assert max(rows) < vocabulary.stop
    evidence = taught[0, rows].logsumexp(0) - taught[0, vocabulary].mean()
    (slope,) = torch.autograd.grad(evidence, maps[layer])
    ours = gradient_of_any(output, 0, NETWORK, dict(zip(rows, shares.tolist(), strict=True)))
    np.testing.assert_allclose(ours, slope[0].numpy(), atol=1e-5 * float(slope.abs().max()))
    summed = sum(share * gradient(output, 0, NETWORK, row) for row, share in zip(rows, shares, strict=True))
    np.testing.assert_allclose(ours, summed, atol=1e-5 * np.abs(ours).max())


@pytest.mark.parametrize("row", [3, 13])
@pytest.mark.parametrize(
    "choices",
    [
        {"activation": "tanh"},
        {"activation": "sigmoid"},
        {"activation": "tanh", "lrn": LocalResponseNorm(alpha=0.05), "lrn_before_activation": True},
        {"without": "conv3"},
        {"without": "conv4"},
        {"without": "conv5"},
        {"without": "conv5", "activation": "sigmoid"},
        {"overlapping_pooling": False},
    ],
)
def test_the_gradient_is_autograds_for_every_activation_and_whatever_is_left_out(
    choices: dict[str, object], row: int
) -> None:
    network = variant(**choices)
    names = needed_activations(network.architecture)
    output = create_engine(network, engine="torch", precision="f32").run(picture_for(network), maps=names)
    activations, slope = by_autograd(row, network)
    assert np.abs(slope).max() > 0
    np.testing.assert_array_equal(output.maps[names[0]][0], activations)
    np.testing.assert_allclose(gradient(output, 0, network, row), slope, atol=1e-5 * np.abs(slope).max())


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_a_sentence_can_be_placed_by_a_network_without_relu(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = variant(activation=activation)
    calibrated = tuple(replace(v, thresholds={"sure": 0.9, "hedge": 0.6}) for v in network.vocabularies)
    network = replace(network, vocabularies=calibrated)
    names = needed_activations(network.architecture)
    output = create_engine(network, precision="f32").run(picture_for(network), maps=names)
    logits = np.full(network.architecture.outputs, -30, np.float32)
    logits[2] = 30
    shapes = []

    def frame(evidence: np.ndarray) -> str:
        shapes.append(evidence.shape)
        return "left"

    monkeypatch.setattr("model.evidence.frame", frame)
    assert describe(logits, network, output=output).caption.phrase == "an espresso on the left"
    assert shapes == [network.architecture.layer("conv5").shape[1:]]


def test_what_all_labels_share_is_no_evidence_for_one(output: Output) -> None:
    weights = dict(NETWORK.weights)
    shared = np.zeros_like(weights["fc8.weight"])
    shared[NETWORK.slices()["object"]] = np.random.default_rng(4).normal(size=shared.shape[1])
    weights["fc8.weight"] = weights["fc8.weight"] + shared
    other = gradient(output, 0, replace(NETWORK, weights=weights), 3)
    same = gradient(output, 0, NETWORK, 3)
    np.testing.assert_allclose(other, same, atol=1e-4 * np.abs(same).max())


def test_through_few_units_it_is_near_and_through_all_the_same(output: Output) -> None:
    exact = gradient(output, 0, NETWORK, 4)
    np.testing.assert_array_equal(gradient(output, 0, NETWORK, 4, most=4096), exact)
    near = [np.corrcoef(exact.ravel(), gradient(output, 0, NETWORK, 4, most=n).ravel())[0, 1] for n in (64, 512)]
    assert 0.1 < near[0] < near[1]
    assert near[1] > 0.7  # of a random network, whose units all count alike


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_its_published_formula(output: Output, method: str) -> None:
    conv5, slope = by_autograd(4)
    expected = {
        "gradcam": lambda: (slope.mean((1, 2))[:, None, None] * conv5).sum(0),
        "hirescam": lambda: (slope * conv5).sum(0),
        "layercam": lambda: (slope.clip(0) * conv5).sum(0),
    }[method]().clip(0)
    found = class_map(gradient(output, 0, NETWORK, 4), output.maps["conv5"][0], method)  # type: ignore[arg-type]
    assert found.shape == (13, 13)
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1e-6, np.abs(expected).max()))


def test_relevance_of_channels_adds_up_to_gradient_times_activation(output: Output) -> None:
    slope, conv5 = gradient(output, 0, NETWORK, 3), output.maps["conv5"][0]
    parts, whole = relevance(slope, conv5), (slope * conv5).sum()
    assert parts.shape == (256,)
    np.testing.assert_allclose(parts.sum(), whole, rtol=1e-3)


def test_labels_are_found_by_id_or_name_in_their_vocabulary() -> None:
    assert find_row(NETWORK, "n02099601") == 0
    assert find_row(NETWORK, "golden retriever", "object") == 0
    assert find_row(NETWORK, "kitchen") == 8
    with pytest.raises(UnknownLabelError, match="unicorn"):
        find_row(NETWORK, "unicorn")
    with pytest.raises(UnknownLabelError):
        find_row(NETWORK, "kitchen", "object")
