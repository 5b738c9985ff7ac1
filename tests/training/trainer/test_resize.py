"""A network at another picture size answers as before, and its optimisers go on."""

from dataclasses import replace

import pytest
import torch

from model.engines.alexnet import AlexNet
from training.recipes import smoke
from training.trainer.resize import resize_fc6, resize_input


def test_fc6_is_interpolated_and_all_other_weights_are_kept() -> None:
    assert resize_fc6(torch.randn(4, 2 * 4), 2, 6).shape == (4, 2 * 36)
    assert torch.equal(resize_fc6(torch.ones(1, 3 * 4), 2, 3), torch.ones(1, 3 * 9))
    small = AlexNet(smoke().architecture(5, 99)).initialise("fan_in")
    large = resize_input(small, 131)
    assert large.architecture.input_size == 131
    torch.testing.assert_close(large.get_parameter("fc7.weight"), small.get_parameter("fc7.weight"))


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_resized_network_answers_the_same_for_an_even_picture(batch_norm: bool) -> None:
    recipe = replace(smoke(), batch_norm=batch_norm)
    small = AlexNet(recipe.architecture(3, 99)).initialise("fan_in", torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        small.get_parameter("fc6.bias").uniform_(-1, 1)
        if batch_norm:
            small.get_buffer("fc6_norm.running_mean").uniform_(-1, 1)
    large = resize_input(small, 227).eval()
    cells = torch.rand(4, 256, 1, 1)

    def after_pool5(network: AlexNet) -> torch.Tensor:
        side = network.architecture.layer("pool5").shape[1]
        x = cells.expand(-1, -1, side, side)
        for row in network.architecture.layers[-3:]:
            x = network.step(row, x)
        return x

    torch.testing.assert_close(after_pool5(large), after_pool5(small), rtol=1e-3, atol=1e-4)
