from __future__ import annotations

import json

import numpy as np

from app.http.lesson_view import clearest_stripes, lesson_view
from model.architecture import Architecture
from model.checkpoint import Checkpoint


def test_a_kernel_of_stripes_comes_before_noise_and_noise_before_a_flat_one() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, (3, 11, 11))
    flat = np.zeros((3, 11, 11))
    stripes = np.tile(np.sin(np.arange(11) * 2 * np.pi * 3 / 11), (3, 11, 1))
    assert clearest_stripes(np.stack([flat, noise, stripes])).tolist() == [2, 1, 0]


def test_kernels_that_are_alike_keep_their_order() -> None:
    kernel = np.random.default_rng(1).normal(size=(3, 11, 11))
    assert clearest_stripes(np.stack([kernel] * 4)).tolist() == [0, 1, 2, 3]


def test_the_lessons_show_kernels_of_the_network_that_is_served(network: Checkpoint) -> None:
    view = lesson_view(network, kernels=3)
    weights, biases = network.weights["conv1.weight"], network.weights["conv1.bias"]
    assert len(view.kernels) == 3
    assert len({kernel["number"] for kernel in view.kernels}) == 3
    for kernel in view.kernels:
        row = kernel["number"] - 1
        assert np.allclose(kernel["weights"], weights[row], atol=5e-5)
        assert abs(kernel["bias"] - biases[row]) <= 5e-5
    assert json.loads(json.dumps(view.kernels)) == view.kernels
    assert view.served == network.architecture
    assert view.paper == Architecture()
    assert [v.name for v in view.vocabularies] == ["object", "scene", "word"]
