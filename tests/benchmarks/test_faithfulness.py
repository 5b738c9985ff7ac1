"""The arithmetic of faithfulness against cases worked out by hand, and against torch-cam where that is installed."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks import faithfulness
from benchmarks import faithfulness_arithmetic as arithmetic
from benchmarks.faithfulness import Setting
from model.checkpoint import PRETRAINED, load
from model.engines.torch_engine import TorchEngine, build, standardise
from model.preprocess import prepare
from model.vocabulary import rows_of
from tests.tiny import tiny_network

PHOTOS = sorted((Path(__file__).resolve().parents[2] / "docs" / "photos").glob("*.webp"))


def test_the_most_important_pixels_are_covered_first() -> None:
    importance = np.array([[0.1, 0.9], [0.5, 0.3]], np.float32)
    places = arithmetic.ranks(importance, np.random.default_rng(0))
    assert places.tolist() == [[3, 0], [1, 2]]
    white, black = np.full((2, 2, 3), 255, np.uint8), np.zeros((2, 2, 3), np.uint8)
    half, three = arithmetic.covered(white, black, places, [0.5, 0.75])
    assert half[..., 0].tolist() == [[255, 0], [0, 255]]
    assert three[..., 0].tolist() == [[255, 0], [0, 0]]


def test_equal_pixels_stand_in_random_order() -> None:
    places = arithmetic.ranks(np.zeros((20, 20), np.float32), np.random.default_rng(0))
    assert sorted(places.ravel().tolist()) == list(range(400))
    assert places[0].mean() > 100  # in order it would be 9.5


def test_the_area_is_that_of_trapezia() -> None:
    assert arithmetic.area([1.0, 0.5, 0.0]) == 0.5
    assert arithmetic.area([0.8, 0.8]) == pytest.approx(0.8)
    assert arithmetic.area([1.0, 0.0, 0.0, 0.0, 0.0]) == pytest.approx(1 / 8)


def test_a_map_is_stretched_as_torch_does_it() -> None:
    map_HW = np.random.default_rng(1).random((13, 13), np.float32)
    torchs = nn.functional.interpolate(torch.from_numpy(map_HW)[None, None], (227, 227), mode="bilinear")
    assert np.allclose(arithmetic.stretch(map_HW, 227), torchs[0, 0].numpy(), atol=1e-5)


def test_a_picture_fades_towards_the_mean_colour() -> None:
    pixels = np.full((1, 3, 3), 200, np.uint8)
    shares = np.array([[0, 0.5, 1]], np.float32)
    assert arithmetic.dimmed(pixels, shares, (100, 100, 100))[0, :, 0].tolist() == [100, 150, 200]


def test_drop_and_increase_by_hand() -> None:
    before, after = np.array([0.8, 0.2], np.float32), np.array([0.2, 0.3], np.float32)
    assert arithmetic.drops(before, after).tolist() == pytest.approx([0.75, 0], abs=1e-6)
    assert arithmetic.increases(before, after).tolist() == [0, 1]


def test_nothing_below_zero_counts_as_a_share() -> None:
    assert arithmetic.shares_of(np.array([[-2.0, 1.0, 4.0]], np.float32)).tolist() == [[0, 0.25, 1]]
    assert arithmetic.shares_of(np.array([[1.0, 2.0, 5.0]], np.float32)).tolist() == [[0, 0.25, 1]]
    assert arithmetic.shares_of(np.full((2, 2), -1, np.float32)).tolist() == [[0, 0], [0, 0]]


@pytest.fixture(scope="module")
def setting() -> Setting:
    """The shipped network, or a tiny one, in 32 bits."""
    checkpoint = load(PRETRAINED) if PRETRAINED.is_file() else tiny_network().folded()
    rows = rows_of(checkpoint.vocabularies)
    softmax = {v.name: rows[v.name] for v in checkpoint.vocabularies if v.activation == "softmax"}
    return Setting(checkpoint, TorchEngine(checkpoint, precision="f32", device="cpu"), "mean", 8, softmax)


def test_all_kinds_of_maps_are_measured(setting: Setting) -> None:
    pixels = _photo(PHOTOS[0], setting)
    kinds = ("gradcam", "hirescam", "layercam", "centre", "random")
    found = faithfulness.measure(setting, pixels, kinds, np.random.default_rng(0))
    assert tuple(found) == kinds
    assert all(0 <= score.deletion <= 1 and 0 <= score.insertion <= 1 for score in found.values())
    table = faithfulness.table_of({kind: [score, score] for kind, score in found.items()})
    assert table.row_count == 5


def _photo(path: Path, setting: Setting) -> arithmetic.Pixels:
    with Image.open(path) as picture:
        return prepare(picture, setting.checkpoint.architecture)[0].copy()  # torch wants to write


class Vocabulary(nn.Module):
    """The network with the logits of one vocabulary, less their mean: softmax is the same, and so is our evidence."""

    def __init__(self, setting: Setting, name: str) -> None:
        super().__init__()
        self.network = build(setting.checkpoint)
        self.rows = setting.rows[name]
        entry = next(v for v in setting.checkpoint.vocabularies if v.name == name)
        self.temperature = entry.temperature
        self.bias = torch.tensor(entry.bias or (0.0,) * len(entry))
        self.evidence = torch.empty(0)
        self.seam = nn.Identity()
        """What torch-cam hooks: the last convolution's activations, after their ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, S, S) standardised -> (N, K) calibrated logits; the uncalibrated ones are kept for the map."""
        architecture = self.network.architecture
        for row in architecture.layers:
            x = self.network.step(row, x)
            if row.name == architecture.last_convolution:
                x = self.seam(x)
        logits = x[:, self.rows]
        self.evidence = logits - logits.mean(1, keepdim=True)
        return logits / self.temperature + self.bias


@pytest.mark.parametrize("method", ["gradcam", "layercam"])
def test_average_drop_and_increase_equal_those_of_torch_cam(setting: Setting, method: str) -> None:
    """The maps are torch-cam's own, too, by its hooks and autograd."""
    methods = pytest.importorskip("torchcam.methods", reason="torch-cam is not installed: pip install torchcam")
    metrics = pytest.importorskip("torchcam.metrics")
    base: Any = {"gradcam": methods.GradCAM, "layercam": methods.LayerCAM}[method]
    network = Vocabulary(setting, "object")

    class Explained(base):  # type: ignore[misc]  # torch-cam is optional
        def __call__(self, class_idx: Any = None, scores: Any = None, **more: Any) -> Any:  # noqa: ARG002 as torch-cam calls it
            return super().__call__(class_idx, network.evidence, **more)  # of the logits, where torch-cam takes shares

    theirs = metrics.ClassificationMetric(Explained(network, network.seam), partial(torch.softmax, dim=-1))
    ours = []
    only = Setting(setting.checkpoint, setting.engine, "mean", 2, {"object": setting.rows["object"]})
    for path in PHOTOS[::2]:
        pixels = _photo(path, setting)
        theirs.update(_standardised(pixels, setting).requires_grad_())
        ours.append(faithfulness.measure(only, pixels, [method], np.random.default_rng(0))[method])
    summary = theirs.summary()
    print(f"{method}, n = {len(ours)}: torch-cam {summary}")
    print(f"ours: {np.mean([s.drop for s in ours])}, {np.mean([s.increase for s in ours])}")
    assert np.mean([s.drop for s in ours]) == pytest.approx(summary["avg_drop"], abs=1e-3)
    assert np.mean([s.increase for s in ours]) == pytest.approx(summary["conf_increase"], abs=1e-3)


def test_areas_equal_those_of_torch_cam(setting: Setting) -> None:
    metrics = pytest.importorskip("torchcam.metrics", reason="torch-cam is not installed: pip install torchcam")
    network = Vocabulary(setting, "object")
    random = np.random.default_rng(0)
    maps = {path: random.random((13, 13), np.float32) for path in PHOTOS[:6]}
    theirs = metrics.DeletionInsertionMetric(given := _Given(network), partial(torch.softmax, dim=-1), steps=8)
    areas = []
    for path, map_HW in maps.items():
        pixels = _photo(path, setting)
        given.map = torch.from_numpy(map_HW)[None]
        with torch.inference_mode():
            row = setting.rows["object"].start + int(network(_standardised(pixels, setting)).argmax())
        theirs.update(_standardised(pixels, setting))
        areas.append(_areas(setting, pixels, map_HW, row))
    summary = theirs.summary()
    print(f"torch-cam {summary}, ours {np.mean(areas, 0)}")
    assert np.mean(areas, 0) == pytest.approx([summary["deletion_auc"], summary["insertion_auc"]], abs=1e-3)


def _areas(setting: Setting, pixels: arithmetic.Pixels, map_HW: Any, row: int) -> tuple[float, float]:
    base = faithfulness.baseline_of(setting, pixels)
    places = arithmetic.ranks(arithmetic.stretch(map_HW, len(pixels)), np.random.default_rng(0))
    shares = [step / 8 for step in range(9)]
    curves = [arithmetic.covered(pixels, base, places, shares), arithmetic.covered(base, pixels, places, shares)]
    deletion, insertion = (arithmetic.area(faithfulness.scores_of(setting, curve, row)) for curve in curves)
    return deletion, insertion


class _Given:
    """Stands where torch-cam expects what makes maps, and gives the one it was given."""

    def __init__(self, network: nn.Module) -> None:
        self.model = network
        self.map = torch.empty(0)

    def __call__(self, *_: Any, **__: Any) -> list[Tensor]:
        return [self.map]

    def fuse_cams(self, cams: list[Tensor]) -> Tensor:
        return cams[0]

    def _hooks_off(self) -> nullcontext[None]:
        return nullcontext()


def _standardised(pixels: arithmetic.Pixels, setting: Setting) -> Tensor:
    x_NCHW = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
    return standardise(x_NCHW, setting.checkpoint.preprocessing)
