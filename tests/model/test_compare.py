"""Why one label came out above another, against autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.compare import compare
from model.engines.torch_engine import TorchEngine, build, standardise
from model.explain import find_row, needed_activations
from tests.tiny import tiny_network

NETWORK = tiny_network().folded()
PIXELS = np.random.default_rng(3).integers(0, 256, (1, 227, 227, 3), np.uint8)
OUTPUT = TorchEngine(NETWORK, precision="f32", device="cpu").run(PIXELS, maps=needed_activations(NETWORK.architecture))


@pytest.mark.parametrize("label", ["n02123045", "beach"])
def test_the_parts_of_a_lead_are_those_of_autograd(label: str) -> None:
    found = compare(OUTPUT, NETWORK, find_row(NETWORK, label))
    assert found.against is not None
    network, layer = build(NETWORK), NETWORK.architecture.last_convolution
    x = standardise(torch.from_numpy(PIXELS).permute(0, 3, 1, 2), NETWORK.preprocessing)
    logits, maps = network(x, (layer,))
    lead = logits[0, found.against.row] - logits[0, found.label.row]
    (gradient,) = torch.autograd.grad(lead, maps[layer])
    parts_CHW = (gradient * maps[layer])[0].detach().numpy()
    assert found.lead == pytest.approx(lead.item(), abs=1e-4)
    assert np.allclose(found.cells, parts_CHW.sum(0), atol=1e-4)
    assert np.allclose(found.channels, parts_CHW.sum((1, 2)), atol=1e-4)


def test_the_parts_add_up_to_the_lead() -> None:
    row = find_row(NETWORK, "n02123045")
    found = compare(OUTPUT, NETWORK, row)
    assert found.against is not None
    assert found.cells.sum() + found.elsewhere == pytest.approx(found.lead, abs=1e-4)
    biases = NETWORK.weights["fc8.bias"]
    bias = biases[found.against.row] - biases[row]
    assert found.values @ found.weights + bias == pytest.approx(found.lead, abs=1e-3)


def test_the_winner_is_compared_with_the_runner_up() -> None:
    found = compare(OUTPUT, NETWORK, find_row(NETWORK, "n02123045"))
    assert found.against is not None
    best = found.label if found.label.rank == 1 else found.against
    assert best.rank == 1
    again = compare(OUTPUT, NETWORK, best.row)
    assert again.against is not None
    assert (again.label.rank, again.against.rank) == (1, 2)
    assert again.lead < 0


def test_a_word_has_no_rival() -> None:
    row = find_row(NETWORK, "dog", "word")
    found = compare(OUTPUT, NETWORK, row)
    assert found.against is None
    assert found.lead == pytest.approx(float(OUTPUT.logits[0, row]))
    assert found.label.of == len(NETWORK.vocabulary_at(row)[0])
    with pytest.raises(IndexError):
        NETWORK.vocabulary_at(1000)
