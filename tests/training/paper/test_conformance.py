"""The paper's facts, each against a calculation written out here."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.architecture import Architecture
from model.checkpoint import Checkpoint, Preprocessing
from model.engines import Output
from model.engines.alexnet import AlexNet
from model.engines.torch_engine import TorchEngine
from model.language.phrases import label_for
from model.preprocess import square
from model.vocabulary import Vocabulary
from training import __main__ as cli
from training.data import InMemory, PictureSet
from training.evaluation.accuracy import evaluate
from training.paper.conformance import ROWS
from training.recipes import paper, source_2012
from training.trainer.augment import Chance, add_colour_noise, augment, colours_of, draw
from training.trainer.optim import PaperSGD, build_optimisers, set_lr_factor
from training.trainer.schedule import conv1_lr_factor, count_plateaus, lr_factor, should_stop_early

TESTS = Path(__file__).resolve().parents[2]


def test_every_row_names_a_test_that_exists() -> None:
    for row in ROWS:
        file, _, names = row.checked.partition("::")
        text = (TESTS.parent / file).read_text("utf-8")
        for name in filter(None, re.split(r",\s*", names)):
            assert f"def {name}(" in text, name


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["conformance", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ROWS) + 2
    assert "60,965,224 parameters" in lines[2]
    assert cli.main(["conformance"]) == 0


def test_the_presets_hold_the_papers_numbers() -> None:
    for recipe in (paper(), source_2012()):
        assert (recipe.batch_size, recipe.momentum, recipe.weight_decay, recipe.lr) == (128, 0.9, 5e-4, 0.01)
        assert (recipe.dropout, recipe.batch_norm, recipe.label_smoothing) == (0.5, False, 0.0)
        assert (recipe.stages[0].size, recipe.columns, recipe.activation) == (227, 2, "relu")


def test_the_order_of_the_first_layers() -> None:
    def order(table: Architecture) -> list[tuple[str, str | None]]:
        return [(row.name, row.activation) for row in table.layers[:3]]

    assert order(paper().architecture(5, 227)) == [("conv1", "relu"), ("norm1", None), ("pool1", None)]
    assert order(source_2012().architecture(5, 227)) == [("conv1", None), ("norm1", None), ("pool1", "relu")]


def test_the_update_rule_across_a_drop_of_the_rate() -> None:
    random = np.random.default_rng(0)
    weight = torch.nn.Parameter(torch.from_numpy(random.normal(size=7)))
    optimiser = PaperSGD([{"params": [weight], "weight_decay": 5e-4}], lr=0.01, momentum=0.9)
    w, v = weight.detach().numpy().copy(), np.zeros(7)
    for step in range(8):
        epsilon = 0.01 if step < 4 else 0.001
        g = random.normal(size=7)
        v = 0.9 * v - 0.0005 * epsilon * w - epsilon * g
        w = w + v
        weight.grad = torch.from_numpy(g)
        optimiser.param_groups[0]["lr"] = epsilon
        optimiser.step()
        np.testing.assert_allclose(weight.detach().numpy(), w, rtol=1e-14)


def test_biases_learn_at_their_own_rate() -> None:
    network = AlexNet(Architecture(outputs=2, input_size=67, lrn=None))
    for recipe, bias, decay in ((paper(), 0.01, 5e-4), (source_2012(), 0.02, 0.0)):
        [optimiser] = build_optimisers(network, recipe)
        groups = {group["name"]: group for group in optimiser.param_groups}
        assert (groups["biases"]["lr"], groups["biases"]["weight_decay"]) == (bias, decay)
        assert (groups["weights"]["lr"], groups["weights"]["weight_decay"]) == (0.01, 5e-4)
        set_lr_factor([optimiser], 0.1, conv1_factor=0.5)
        assert (groups["biases"]["lr"], groups["conv1"]["lr"]) == pytest.approx((bias / 10, 0.0005))


def test_the_rate_drops_on_plateaus() -> None:
    recipe = replace(paper(), patience=2)
    falling = [0.1, 0.2, 0.2, 0.2]  # the third and fourth are no better than the second
    assert count_plateaus(falling, 2) == 1
    assert lr_factor(0, 90, recipe, falling) == 0.1
    assert count_plateaus([*falling, 0.3, 0.3, 0.3, 0.3, 0.3], 2) == 3
    assert not should_stop_early(recipe, [0.1] * 7)
    assert should_stop_early(recipe, [0.1] * 9)
    assert lr_factor(0, 90, recipe, [0.1] * 99) == pytest.approx(1e-3)


def test_the_programs_rate() -> None:
    at = [lr_factor(epoch, 91, source_2012()) for epoch in (0, 24, 25, 50, 51, 90)]
    assert at == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert [conv1_lr_factor(epoch, 91, source_2012()) for epoch in (24, 25, 51)] == [1.0, 0.1, 0.0]
    assert conv1_lr_factor(80, 90, paper()) == 1.0


def test_dropout_halves_at_test_and_folds_away() -> None:
    table = replace(paper(), lrn="none").architecture(3, 67)
    network = AlexNet(table).initialise("fan_in", torch.Generator().manual_seed(0)).eval()
    plain = AlexNet(replace(table, dropout_at_test=False)).eval()
    plain.load_state_dict(network.state_dict())
    x = torch.randn(2, 3, 67, 67)
    _, kept = network(x, ("fc6",))
    _, whole = plain(x, ("fc6",))
    torch.testing.assert_close(kept["fc6"], whole["fc6"] / 2)
    labels = tuple(label_for("object", f"thing {i}") for i in range(3))
    made = Checkpoint(
        architecture=table,
        preprocessing=Preprocessing(),
        vocabularies=(Vocabulary(name="object", activation="softmax", labels=labels),),
        weights={name: value.numpy() for name, value in network.state_dict().items()},
    )
    assert not made.folded().architecture.dropout_at_test
    picture = np.random.default_rng(0).integers(0, 255, (1, 67, 67, 3), np.uint8)
    pixels = torch.from_numpy(picture).permute(0, 3, 1, 2).float()
    answered = TorchEngine(made, precision="f32", device="cpu").run(picture).logits
    np.testing.assert_allclose(answered, network(pixels).detach().numpy(), rtol=1e-4, atol=1e-4)
    network.train()
    torch.manual_seed(0)
    _, kept = network(x, ("fc6",))
    alive = kept["fc6"] != 0
    torch.testing.assert_close(kept["fc6"][alive], whole["fc6"][alive])


def test_translated_crops_are_cut_and_not_resampled() -> None:
    picture = torch.randint(0, 256, (1, 256, 256, 3), dtype=torch.uint8)
    uniform = torch.tensor([[0.5], [0.5], [0.9], [0.0], [0.999], [1.0]])
    chance = Chance(uniform=uniform, normal=torch.zeros(3, 1), groups=torch.zeros(1, dtype=torch.long), traces=(None,))
    crop = augment(picture, 227, paper(), chance)
    expected = picture[0, 29:, :227].permute(2, 0, 1).float()
    torch.testing.assert_close(crop[0], expected, atol=0.02, rtol=0)
    uniform[2] = 0.1  # flipped
    torch.testing.assert_close(augment(picture, 227, paper(), chance)[0], expected.flip(2), atol=0.02, rtol=0)


def test_the_program_shares_a_place_among_32_pictures() -> None:
    places = draw(128, source_2012(), torch.Generator().manual_seed(0)).uniform[3:5]
    assert len(torch.unique(places, dim=1).T) == 4
    assert len(torch.unique(draw(128, paper(), torch.Generator()).uniform[3:5], dim=1).T) == 128


def test_colour_noise_by_hand() -> None:
    pictures = torch.randint(0, 256, (4, 8, 8, 3), dtype=torch.uint8)
    colours = colours_of(pictures)
    pixels = pictures.reshape(-1, 3).numpy() / 255
    np.testing.assert_allclose(colours.mean, 255 * pixels.mean(0), atol=1e-5)
    vectors = np.array(colours.vectors)
    np.testing.assert_allclose(vectors @ np.cov(pixels.T) @ vectors.T, np.diag(colours.values), atol=1e-5)
    normal = torch.tensor([[1.0], [-2.0], [0.5]])
    chance = Chance(uniform=torch.zeros(6, 1), normal=normal, groups=torch.zeros(1, dtype=torch.long), traces=(None,))
    moved = add_colour_noise(torch.zeros(1, 3, 2, 2), colours, 0.1, chance)
    by_hand = 255 * sum(
        0.1 * n * value * vector for n, value, vector in zip((1, -2, 0.5), colours.values, vectors, strict=True)
    )
    np.testing.assert_allclose(moved[0, :, 0, 0].numpy(), by_hand, rtol=1e-4)
    assert float(moved.std(dim=(2, 3)).max()) == 0.0


def test_ten_views_are_five_crops_and_their_mirrors() -> None:
    labels = tuple(label_for("object", f"thing {i}") for i in range(2))
    vocabulary = Vocabulary(name="object", activation="softmax", labels=labels)
    seen: list[np.ndarray] = []

    class Fake:
        name, architecture = "fake", Architecture(outputs=2, input_size=227)

        def run(self, pictures: np.ndarray, *, maps: Sequence[str] = ()) -> Output:  # noqa: ARG002
            seen.append(pictures)
            bright = pictures.mean((1, 2, 3)) / 10
            return Output(np.stack([bright, np.zeros(len(pictures))], 1).astype(np.float32), {})

    pixels = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), np.uint8)
    one = PictureSet(name="pictures", vocabulary=vocabulary, pictures=InMemory.of(pixels), targets=np.array([0, 0, 1]))
    figures = evaluate(Fake(), [one], {"object": slice(0, 2)}, views=10)
    assert figures["object"]["n"] == 3
    [views] = seen
    whole = np.asarray(Image.fromarray(pixels[1]))
    corners = [whole[y : y + 227, x : x + 227] for y, x in ((0, 0), (0, 29), (29, 0), (29, 29), (14, 14))]
    for number, crop in enumerate(corners):
        np.testing.assert_array_equal(views[10 + 2 * number], crop)
        np.testing.assert_array_equal(views[11 + 2 * number], crop[:, ::-1])
    evaluate(Fake(), [one], {"object": slice(0, 2)}, side=32)
    blurred = Image.fromarray(pixels[2]).resize((32, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(seen[1][2], np.asarray(square(blurred, 227)))


def test_the_page_in_the_docs_is_the_printed_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["conformance", "--markdown"]) == 0
    page = (TESTS.parent / "docs" / "conformance.md").read_text("utf-8")
    assert page.endswith(capsys.readouterr().out)
