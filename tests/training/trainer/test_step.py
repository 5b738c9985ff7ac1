"""What a step does with its pictures and its weights, where the recipe asks for more."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from model.preprocess import square
from tests.training.trainer.small_plan import small_plan, thing_set, word_set
from training.config import Stage
from training.recipes import smoke
from training.trainer.augment import Chance, augment
from training.trainer.batch import BatchPart, load_batch, mix
from training.trainer.state import build_state
from training.trainer.step import DivergedError, batch_loss, train_step


def unmixed_part() -> BatchPart:
    [part] = load_batch(small_plan(smoke()), 0, 67)
    return part


def test_mixup_mixes_pictures_and_their_targets() -> None:
    part = unmixed_part()
    mixed = mix(part, replace(smoke(), mixup=0.5), np.random.default_rng(0))
    assert mixed.mixed_targets is not None
    assert 0 < mixed.lam < 1
    blends = [mixed.lam * part.pictures[0] + (1 - mixed.lam) * other for other in part.pictures]
    partner = next(i for i, blend in enumerate(blends) if torch.allclose(mixed.pictures[0], blend, atol=1e-5))
    assert mixed.mixed_targets[0] == part.targets[partner]


def test_cutmix_pastes_a_window_and_counts_its_area() -> None:
    part = unmixed_part()
    mixed = mix(part, replace(smoke(), cutmix=1.0), np.random.default_rng(0))
    changed = (mixed.pictures != part.pictures).any(1).float().mean((1, 2))
    unchanged = 1 - changed[changed > 0]
    assert len(unchanged)
    np.testing.assert_allclose(unchanged.numpy(), mixed.lam, atol=0.01)


def test_with_both_each_step_mixes_by_one_of_the_two() -> None:
    part, recipe = unmixed_part(), replace(smoke(), mixup=1.0, cutmix=1.0)

    def has_a_window(seed: int) -> bool:
        mixed = mix(part, recipe, np.random.default_rng(seed))
        unchanged = (mixed.pictures == part.pictures).all(1).float().mean((1, 2))
        return bool(((unchanged > 0.01) & (unchanged < 0.99)).any())

    assert {has_a_window(seed) for seed in range(8)} == {True, False}


def test_a_whole_picture_is_enlarged_as_the_service_enlarges_it() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    whole = replace(smoke(), min_area=1.0, aspect=1.0, traces=0.0)
    chance = Chance(
        uniform=torch.full((6, 1), 0.5),
        normal=torch.zeros(3, 1),
        groups=torch.zeros(1, dtype=torch.long),
        traces=(None,),
    )
    crop = augment(torch.from_numpy(pixels), 227, whole, chance)[0].permute(1, 2, 0).numpy()
    served = np.asarray(square(Image.fromarray(pixels[0]), 227))
    np.testing.assert_allclose(crop[2:-2, 2:-2], served[2:-2, 2:-2], atol=1.5)  # the border is the picture's mirrored


def test_a_batch_depends_on_the_step_alone() -> None:
    plan = small_plan(replace(smoke(), mixup=0.5, cutmix=0.5, colour_noise=0.1), thing_set(), word_set())
    for first, second in zip(load_batch(plan, 3, 67), load_batch(plan, 3, 67), strict=True):
        assert torch.equal(first.pictures, second.pictures)
        assert torch.equal(first.targets, second.targets)
    assert not torch.equal(load_batch(plan, 4, 67)[0].pictures, load_batch(plan, 3, 67)[0].pictures)


def test_the_loss_of_a_batch_is_the_mean_over_the_pictures_of_all_sets() -> None:
    recipe = replace(smoke(), word_weight=0.5, absence_weight=0.0)
    plan = small_plan(recipe, thing_set(), word_set())
    batch = load_batch(plan, 0, 67)
    logits = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    things, words = (len(part.targets) for part in batch)
    classes = torch.nn.functional.cross_entropy(logits[:things, :3], batch[0].targets, reduction="sum")
    spoken = torch.nn.BCEWithLogitsLoss(reduction="sum")(logits[things:, 3:], batch[1].targets)
    assert things + words == plan.pictures_per_step == 8
    torch.testing.assert_close(batch_loss(plan, batch, logits, None), (classes + 0.5 * spoken) / 8)


def test_the_average_follows_the_network() -> None:
    plan = small_plan(replace(smoke(), ema=0.5))
    state = build_state(plan)
    assert state.average is not None
    before = state.average.get_parameter("fc8.weight").clone()
    train_step(plan, state)
    now = state.network.get_parameter("fc8.weight").detach()
    weight = 1 - 2 / 11  # of the network, after one step
    averaged = state.average.get_parameter("fc8.weight").detach()
    torch.testing.assert_close(averaged, before + weight * (now - before))
    np.testing.assert_array_equal(state.checkpoint(plan).weights["fc8.weight"], averaged)


def test_a_step_brings_the_network_to_the_size_of_its_stage() -> None:
    stages = Stage(size=67, share=0.5), Stage(size=99, share=0.5)
    plan = small_plan(replace(smoke(), stages=stages, ema=0.9), steps=4)
    state = build_state(plan)
    sizes = []
    for _ in range(4):
        train_step(plan, state)
        sizes.append(state.size)
    assert sizes == [67, 67, 99, 99]
    assert state.average is not None
    assert state.average.architecture.input_size == 99
    assert state.checkpoint(plan).architecture.input_size == 99


def test_a_loss_that_is_not_finite_changes_no_weight() -> None:
    plan = small_plan(smoke())
    state = build_state(plan)
    with torch.no_grad():
        state.network.get_parameter("fc8.bias")[0] = float("nan")
    before = state.network.get_parameter("fc7.weight").detach().clone()
    with pytest.raises(DivergedError, match="nan at step 0: begin again with a lower --set lr="):
        train_step(plan, state)
    assert state.step == 0
    assert torch.equal(state.network.get_parameter("fc7.weight"), before)
