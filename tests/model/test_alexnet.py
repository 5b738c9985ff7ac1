"""The torch module against written-out arithmetic."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model.architecture import Architecture, LocalResponseNorm
from model.engines.alexnet import AlexNet, local_response_norm


def lrn_by_the_loop(a: Tensor, norm: LocalResponseNorm) -> Tensor:
    """The formula of section 3.3, one cell at a time."""
    b = torch.empty_like(a)
    channels = a.shape[1]
    for i in range(channels):
        low, high = max(0, i - norm.size // 2), min(channels - 1, i + norm.size // 2)
        squares = sum((a[:, j] ** 2 for j in range(low, high + 1)), torch.zeros_like(a[:, 0]))
        b[:, i] = a[:, i] / (norm.k + norm.alpha * squares) ** norm.beta
    return b


@pytest.mark.parametrize("norm", [LocalResponseNorm(), LocalResponseNorm(alpha=0.1, beta=0.5, k=1.0)])
def test_lrn_is_the_formula_of_the_paper(norm: LocalResponseNorm) -> None:
    a = torch.randn(2, 9, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 30
    torch.testing.assert_close(local_response_norm(a, norm), lrn_by_the_loop(a, norm), rtol=1e-12, atol=1e-12)


def test_lrn_agrees_with_pytorch_whose_alpha_is_divided_by_n() -> None:
    a = torch.randn(2, 12, 5, 5, dtype=torch.float64) * 20
    theirs = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)(a)
    torch.testing.assert_close(local_response_norm(a, LocalResponseNorm()), theirs)


def test_the_module_has_the_papers_parameters() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in AlexNet(Architecture()).parameters()) == 60_965_224


def test_activations_have_the_tables_shapes() -> None:
    architecture = Architecture(outputs=7, batch_norm=True)
    network = AlexNet(architecture).initialise("fan_in").eval()
    names = tuple(row.name for row in architecture.layers)
    with torch.no_grad():
        _, maps = network(torch.randn(1, 3, 227, 227), names)
    assert {name: tuple(maps[name].shape[1:]) for name in names} == {r.name: r.shape for r in architecture.layers}


def test_initialisation_has_the_papers_statistics() -> None:
    network = AlexNet(Architecture()).initialise("paper", torch.Generator().manual_seed(3))
    for name in ("conv1", "conv3", "conv5", "fc6", "fc8"):
        weight = network.get_parameter(f"{name}.weight").detach()
        assert abs(float(weight.std()) - 0.01) < 2e-4
        assert abs(float(weight.mean())) < 2e-4
    ones = {
        n
        for n in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
        if network.get_parameter(f"{n}.bias").detach().unique().tolist() == [1.0]
    }
    assert ones == {"conv2", "conv4", "conv5", "fc6", "fc7"}
    program = AlexNet(Architecture(outputs=5)).initialise("source_2012", torch.Generator().manual_seed(3))
    assert abs(float(program.get_parameter("conv4.weight").detach().std()) - 0.03) < 5e-4


def test_two_columns_do_not_see_each_other_in_conv2() -> None:
    network = AlexNet(Architecture(outputs=3)).initialise("fan_in").eval()
    x = torch.randn(1, 96, 27, 27)
    changed = x.clone()
    changed[:, :48] += 1
    conv2 = network.get_submodule("conv2")
    assert torch.equal(conv2(x)[:, 128:], conv2(changed)[:, 128:])
    assert not torch.equal(conv2(x)[:, :128], conv2(changed)[:, :128])


def test_a_convolution_is_the_talks_correlation() -> None:
    """z_i' = sum_i w_i x_(i'+i-1): what deep learning calls a convolution does not flip."""
    x, w = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0])
    z = [sum(w[i] * x[start + i] for i in range(2)) for start in range(2)]
    theirs = nn.functional.conv1d(torch.from_numpy(x).view(1, 1, 3), torch.from_numpy(w).view(1, 1, 2)).flatten()
    assert z == [14.0, 23.0] == theirs.tolist()
    assert np.convolve(x, w[::-1], "valid").tolist() == z
