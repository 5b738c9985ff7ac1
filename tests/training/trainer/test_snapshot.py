"""What a run keeps of its network at each evaluation, on a small random network; and TensorBoard, where asked."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.engines import Engine
from model.engines.torch_engine import TorchEngine
from model.runlog import reader, sprites
from tests.tiny import tiny_network
from training.trainer.snapshot import PICTURE, keep_picture, snapshot
from training.trainer.tensorboard import TensorBoardWriter


@pytest.fixture(scope="module")
def network() -> Checkpoint:
    return tiny_network(67)


@pytest.fixture(scope="module")
def engine(network: Checkpoint) -> Engine:
    return TorchEngine(network, precision="f32", device="cpu")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "metrics.jsonl"


def test_a_snapshot_shows_the_network_and_the_cat(network: Checkpoint, engine: Engine, path: Path) -> None:
    path.parent.mkdir()
    snapshot(network, engine, path, 100)
    (sheet,) = reader.sheets(path)
    assert (sheet.step, sheet.size) == (100, 67)
    blocks = {block.name: block for block in sheet.blocks}
    assert list(blocks) == ["kernels", *sprites.LAYERS]
    kernels = network.weights["conv1.weight"]
    np.testing.assert_allclose(blocks["kernels"].peaks, np.abs(kernels).max((1, 2, 3)), rtol=0.006)
    assert [blocks[name].shape for name in sprites.LAYERS] == [
        network.architecture.layer(name).shape for name in sprites.LAYERS
    ]
    with Image.open(reader.picture_path(path)) as photo, Image.open(PICTURE) as ours:
        assert photo.size == (256, 256)
        assert abs(np.asarray(photo, float).mean() - np.asarray(ours.convert("RGB"), float).mean()) < 1


def test_the_same_network_gives_the_same_snapshot(network: Checkpoint, engine: Engine, path: Path) -> None:
    path.parent.mkdir()
    for step in (1, 2):
        snapshot(network, engine, path, step)
    first, second = reader.sheets(path)
    assert first.file.read_bytes() == second.file.read_bytes()
    assert first.blocks == second.blocks


def test_kernels_are_shown_as_they_serve_with_batch_norm_folded_in(path: Path) -> None:
    made = tiny_network(67)
    normed = tiny_network(architecture=replace(made.architecture, batch_norm=True))
    weights = {name: np.abs(value) if "var" in name else value for name, value in normed.weights.items()}
    weights["conv1_norm.weight"] = np.full(96, -2, np.float32)
    weights["conv1_norm.running_var"] = np.full(96, 4, np.float32)
    normed = replace(normed, weights=weights)
    path.parent.mkdir()
    snapshot(normed, TorchEngine(normed, precision="f32", device="cpu"), path, 1)
    pixels = np.asarray(Image.open(reader.sheets(path)[0].file).convert("RGB"), float)[:11, :11]
    shown = (pixels - 128).transpose(2, 0, 1).ravel()
    assert np.corrcoef(shown, weights["conv1.weight"][0].ravel())[0, 1] < -0.99


def test_a_network_without_a_layer_leaves_it_out(path: Path) -> None:
    table = Architecture(outputs=18, input_size=67, lrn=None, without="conv4", activation="tanh")
    made = tiny_network(architecture=table)
    path.parent.mkdir()
    snapshot(made, TorchEngine(made, precision="f32", device="cpu"), path, 1)
    names = [block.name for block in reader.sheets(path)[0].blocks]
    assert names == ["kernels", "conv1", "conv2", "conv3", "conv5", "pool5"]


def test_a_photo_of_ones_own_is_kept_once_as_its_square(path: Path, tmp_path: Path) -> None:
    Image.new("RGB", (400, 300), "red").save(tmp_path / "red.png")
    keep_picture(path, tmp_path / "red.png")
    keep_picture(path)
    keep_picture(path, PICTURE)
    with Image.open(reader.picture_path(path)) as photo:
        assert photo.size == (256, 256)
        red, green, _ = np.asarray(photo.convert("RGB")).mean((0, 1))
    assert red > 240
    assert green < 15


@pytest.mark.parametrize("body", [b"", b"no picture", PICTURE.read_bytes()[:2000]])
def test_what_is_no_picture_is_refused_with_one_sentence(path: Path, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "x.webp").write_bytes(body)
    with pytest.raises(ValueError, match=r"x\.webp is no picture that can be read"):
        keep_picture(path, tmp_path / "x.webp")
    with pytest.raises(ValueError, match="absent"):
        keep_picture(path, tmp_path / "absent.png")
    assert not reader.picture_path(path).exists()


class Writer:
    """Stands in for TensorBoard's."""

    def __init__(self, folder: str) -> None:
        self.folder, self.closed = folder, False
        self.scalars: list[tuple[str, float, int]] = []
        stand_ins.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


stand_ins: list[Any] = []


def test_tensorboard_gets_every_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    tensorboard = TensorBoardWriter(tmp_path / "board")
    tensorboard.log_steps(25, 99, {"loss": 4.5, "images_per_second": 600.0, "note": "warm"})
    figures: Mapping[str, Mapping[str, Any]] = {"object": {"top1": 0.25, "top5": 0.5, "n": 10}, "word": {"map": 0.125}}
    tensorboard.log_evaluation(100, figures)
    tensorboard.close()
    (stand_in,) = stand_ins
    assert stand_in.folder == str(tmp_path / "board")
    assert stand_in.scalars == [
        ("training/loss", 4.5, 25),
        ("training/images_per_second", 600.0, 25),
        ("training/size", 99, 25),
        ("object/top1", 0.25, 100),
        ("object/top5", 0.5, 100),
        ("word/map", 0.125, 100),
    ]
    assert stand_in.closed


def test_without_tensorboard_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match="pip install tensorboard"):
        TensorBoardWriter(tmp_path)
