"""What a step does with its pictures and its weights, where the recipe asks for more."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.engines.alexnet import AlexNet
from model.language.phrases import label_for
from model.preprocess import prepare
from model.vocabulary import Vocabulary
from training.config import Recipe
from training.data import InMemory, PictureSet
from training.recipes import smoke
from training.trainer.augment import Chance, augment, colours_of
from training.trainer.resize import grown
from training.trainer.sources import make_sources
from training.trainer.state import PREPROCESSING, Run
from training.trainer.step import mixed, parts, train_step


def small_run(recipe: Recipe) -> Run:
    labels = tuple(label_for("thing", f"thing {i}") for i in range(3))
    vocabulary = Vocabulary(name="thing", activation="softmax", labels=labels)
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (24, 72, 72, 3), np.uint8)
    one = PictureSet(vocabulary=vocabulary, pictures=InMemory.of(pictures), targets=np.arange(24) % 3)
    sources, words = make_sources([one], recipe.batch_size, torch.device("cpu"))
    network = AlexNet(recipe.architecture(3, recipe.size_at(0, 9))).initialise(
        "fan_in", torch.Generator().manual_seed(0)
    )
    return Run(
        recipe=recipe, folder=Path(), sources=sources, word_rows=words, validation=[one], vocabularies=(vocabulary,),
        provenance={}, preprocessing=PREPROCESSING, colours=colours_of(torch.from_numpy(pictures)), steps=9,
        steps_per_epoch=3, device=torch.device("cpu"), network=network,
    )  # fmt: skip


def test_mixup_mixes_pictures_and_their_targets() -> None:
    run = small_run(smoke())
    [plain] = parts(run)
    run.recipe = replace(run.recipe, mixup=0.5)
    part = mixed(plain, run)
    assert part.others is not None
    assert 0 < part.own < 1
    partner = next(i for i in range(8) if torch.allclose(
        part.pictures[0], part.own * plain.pictures[0] + (1 - part.own) * plain.pictures[i], atol=1e-5))  # fmt: skip
    assert part.others[0] == plain.targets[partner]


def test_cutmix_pastes_a_window_and_counts_its_area() -> None:
    run = small_run(smoke())
    [plain] = parts(run)
    run.recipe = replace(run.recipe, cutmix=1.0)
    part = mixed(plain, run)
    changed = (part.pictures != plain.pictures).any(1).float().mean((1, 2))
    kept = 1 - changed[changed > 0]
    np.testing.assert_allclose(kept.numpy(), part.own, atol=0.01)


def test_a_whole_picture_is_enlarged_as_the_service_enlarges_it() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    whole = replace(smoke(), min_area=1.0, aspect=1.0, shrink=0.0)
    chance = Chance(uniform=torch.full((6, 1), 0.5), normal=torch.zeros(3, 1), shrink_to=64)
    seen = augment(torch.from_numpy(pixels), 227, whole, chance)[0].permute(1, 2, 0).numpy()
    served, _, _ = prepare(Image.fromarray(pixels[0]), 227)
    np.testing.assert_allclose(seen[2:-2, 2:-2], served[2:-2, 2:-2], atol=1.5)  # the border is the picture's mirrored


def test_the_average_follows_the_network() -> None:
    run = small_run(replace(smoke(), ema=0.5))
    assert run.average is not None
    before = run.average.get_parameter("fc8.weight").clone()
    train_step(run)
    now = run.network.get_parameter("fc8.weight").detach()
    weight = 1 - 2 / 11  # of the network, after one step
    torch.testing.assert_close(run.average.get_parameter("fc8.weight").detach(), before + weight * (now - before))
    np.testing.assert_array_equal(
        run.checkpoint().weights["fc8.weight"], run.average.get_parameter("fc8.weight").detach()
    )


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_grown_network_says_the_same_of_an_even_picture(batch_norm: bool) -> None:
    recipe = replace(smoke(), batch_norm=batch_norm)
    small = AlexNet(recipe.architecture(3, 99)).initialise("fan_in", torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        small.get_parameter("fc6.bias").uniform_(-1, 1)
        if batch_norm:
            small.get_buffer("fc6_norm.running_mean").uniform_(-1, 1)
    large = grown(small, 227).eval()
    cells = torch.rand(4, 256, 1, 1)

    def after_pool5(network: AlexNet) -> torch.Tensor:
        side = network.architecture.layer("pool5").shape[1]
        x = cells.expand(-1, -1, side, side)
        for row in network.architecture.layers[-3:]:
            x = network.step(row, x)
        return x

    torch.testing.assert_close(after_pool5(large), after_pool5(small), rtol=1e-3, atol=1e-4)
