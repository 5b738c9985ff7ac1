"""Photos of coloured things, and a network whose embeddings tell colours apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.__main__ import main
from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.engines import Output
from tests.tiny import tiny_network

COLOURS = {"red mug": (200, 40, 40), "blue mug": (40, 40, 200), "green mug": (40, 180, 60)}
Run = Callable[..., int]


def photo(colour: tuple[int, int, int], seed: int, *, side: int = 48) -> bytes:
    """A PNG of one colour with some noise in it."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 18, (side, side, 3)) + random.normal(0, 10, 3)
    file = BytesIO()
    Image.fromarray(np.clip(noise + colour, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def folder_of(folder: Path, colour: tuple[int, int, int], number: int, *, seed: int = 0) -> Path:
    """A folder with so many photos of a colour."""
    folder.mkdir(parents=True)
    for n in range(number):
        (folder / f"{n}.png").write_bytes(photo(colour, seed + n))
    return folder


class ColourEngine:
    """Answers with activations of fc7 that tell the colour of a picture, and with what was taught; all else is 0."""

    name = "colour"
    runs = 0
    """The number of runs of all engines so far."""

    def __init__(self, network: Checkpoint) -> None:
        self.architecture = network.architecture
        self._network = network

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        ColourEngine.runs += 1
        number = len(pictures)
        fc7 = np.zeros((number, *self.architecture.layer("fc7").shape), np.float32)
        fc7[:, :3] = (pictures.mean((1, 2)) - 110) / 10
        fc7[:, 3] = pictures.std((1, 2, 3)) / 10
        fc7[:, 4] = 3.0
        logits = np.zeros((number, self.architecture.outputs), np.float32)
        if (rows := self._network.slices().get("taught")) is not None:
            weights = self._network.weights
            logits[:, rows] = fc7 @ weights["fc8.weight"][rows].T + weights["fc8.bias"][rows]
        shown = {name: np.zeros((number, *self.architecture.layer(name).shape), np.float32) for name in maps}
        return Output(logits, {**shown, "fc7": fc7} if "fc7" in maps else shown)


def create_engine(checkpoint: Checkpoint, /, *, engine: str, precision: str, threads: int) -> ColourEngine:
    """In the place of :func:`model.engines.create_engine`."""
    assert (engine, precision, threads) == ("auto", "auto", 0)
    return ColourEngine(checkpoint)


@pytest.fixture(scope="session")
def base_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network that is taught, in its small form."""
    path = tmp_path_factory.mktemp("base") / "base.safetensors"
    checkpoints.save(path, tiny_network(67), small=True)
    return path


@pytest.fixture
def run(base_file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``glassbot`` in this process, on the colour engine, with ``base_file`` as the shipped network."""
    monkeypatch.setenv("GLASSBOT_CHECKPOINT", str(base_file))
    return lambda *arguments: main([str(argument) for argument in arguments], create_engine=create_engine)


@pytest.fixture
def mugs(tmp_path: Path) -> Path:
    """A folder of two class folders, of eight photos each."""
    for seed, name in enumerate(("red mug", "blue mug")):
        folder_of(tmp_path / "mugs" / name, COLOURS[name], 8, seed=100 * seed)
    return tmp_path / "mugs"
