"""Two training loops over the same network and pictures: ours, and the plain one of torchvision's reference scripts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from model.architecture import Layer
from model.checkpoint import Preprocessing
from model.engines.alexnet import AlexNet
from model.language.phrases import label_for
from model.vocabulary import Vocabulary
from training.config import Precision, Recipe, Stage
from training.data import InMemory, PictureSet
from training.trainer.augment import colours_of
from training.trainer.device import keep_freed_memory
from training.trainer.sources import make_sources
from training.trainer.state import Run
from training.trainer.step import parts, train_step

MEAN, SCALE = (122.0, 114.0, 102.0), 1 / 64
CLASSES = 10


@dataclass(frozen=True)
class Race:
    """What both sides share."""

    pictures: NDArray[np.uint8]
    targets: NDArray[np.int64]
    size: int
    batch_size: int
    steps: int
    precision: Precision
    device: torch.device
    workers: int
    norm: Literal["lrn", "batch"]
    """Local response normalisation, as the paper has it, or batch norm."""


MEASURED = ("loader", "step", "end to end")

Side = dict[str, tuple[Callable[[], None], Callable[[int], None]]]
"""Name of a measurement -> what goes before, unmeasured, and what does so many batches of it."""


def idle() -> None:
    """Nothing has to go before."""


def ours(race: Race) -> Side:
    """This repository's loop, with what the trainer settles before it begins."""
    keep_freed_memory()
    labels = tuple(label_for("kind", f"kind {i}") for i in range(CLASSES))
    vocabulary = Vocabulary(name="kind", activation="softmax", labels=labels)
    held = _as_held(race)
    one = PictureSet(vocabulary=vocabulary, pictures=InMemory.of(held), targets=race.targets)
    recipe = recipe_of(race, compiled=True)
    sources, words = make_sources([one], race.batch_size, race.device)
    run = Run(
        recipe=recipe, folder=Path(), sources=sources, word_rows=words, validation=[], vocabularies=(vocabulary,),
        provenance={}, preprocessing=Preprocessing(mean=MEAN, scale=SCALE),
        colours=colours_of(torch.from_numpy(held[:100])), steps=10**6, steps_per_epoch=10**6,
        device=race.device, network=network_of(recipe, race),
    )  # fmt: skip

    def load(count: int) -> None:
        for number in range(count):
            run.step = number
            parts(run)

    fixed = parts(run)[0]

    def step(count: int) -> None:
        for _ in range(count):
            plain_step(run.forward, run.optimisers, fixed.pictures, fixed.targets, race)

    def whole(count: int) -> None:
        for _ in range(count):
            train_step(run)

    return {"loader": (idle, load), "step": (idle, step), "end to end": (idle, whole)}


def _as_held(race: Race) -> NDArray[np.uint8]:
    """The pictures as training.data keeps them: decoded once, no larger than a crop needs."""
    side = min(race.pictures.shape[1], round(race.size * 256 / 227))
    small = [Image.fromarray(picture).resize((side, side)) for picture in race.pictures]
    return np.stack([np.asarray(picture) for picture in small])


class PlainAlexNet(AlexNet):
    """The same network with PyTorch's own local response normalisation."""

    def step(self, row: Layer, x: Tensor) -> Tensor:
        """As in AlexNet, but for the normalisation."""
        norm = self.architecture.lrn
        if row.operation != "lrn" or norm is None:
            return super().step(row, x)
        return F.local_response_norm(x, norm.size, norm.alpha * norm.size, norm.beta, norm.k)


class Encoded(Dataset[tuple[Tensor, int]]):
    """JPEG bytes, decoded and cropped when asked for."""

    def __init__(self, race: Race) -> None:
        self._bytes = [_jpeg(picture) for picture in race.pictures]
        self._targets = race.targets
        self._look = v2.Compose([
            v2.RandomResizedCrop(race.size, scale=(0.4, 1.0)), v2.RandomHorizontalFlip(), v2.PILToTensor(),
            v2.ToDtype(torch.float32), v2.Normalize(MEAN, [1 / SCALE] * 3),
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self._bytes)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        picture = Image.open(io.BytesIO(self._bytes[number])).convert("RGB")
        return self._look(picture), int(self._targets[number])


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return file.getvalue()


def plain(race: Race) -> Side:
    """The loop of torchvision's reference scripts."""
    recipe = recipe_of(race, compiled=False)
    network = network_of(recipe, race, PlainAlexNet).to(race.device).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    stream = _endless(race)
    x, y = next(stream)

    def step(count: int) -> None:
        for _ in range(count):
            plain_step(network, [optimiser], x.to(race.device), y.to(race.device), race)

    def whole(count: int) -> None:
        for _ in range(count):
            pictures, targets = next(stream)
            plain_step(network, [optimiser], pictures.to(race.device, non_blocking=True), targets.to(race.device), race)

    # Past what the workers decoded while nobody waited, which would be a gift.
    drain = partial(skip, stream, 2 * race.workers)
    return {"loader": (drain, partial(skip, stream)), "step": (idle, step), "end to end": (drain, whole)}


def skip(stream: Iterator[Any], count: int) -> None:
    """Past the next ``count`` batches."""
    for _ in range(count):
        next(stream)


def _endless(race: Race) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(
        Encoded(race), race.batch_size, shuffle=True, num_workers=race.workers, drop_last=True,
        pin_memory=race.device.type == "cuda", persistent_workers=race.workers > 0,
    )  # fmt: skip
    while True:
        yield from loader


def plain_step(network: Any, optimisers: list[torch.optim.Optimizer], x: Tensor, y: Tensor, race: Race) -> None:
    """One update of either side."""
    with torch.autocast(race.device.type, torch.bfloat16, enabled=race.precision == "bf16"):
        logits = network(x)
    loss = F.cross_entropy(logits.float(), y)
    for optimiser in optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()
    for optimiser in optimisers:
        optimiser.step()
    loss.item()


def recipe_of(race: Race, *, compiled: bool) -> Recipe:
    """What both sides learn by; only ours is compiled."""
    return Recipe(
        name="benchmark", optimiser="sgd", lr=0.01, batch_size=race.batch_size, precision=race.precision,
        stages=(Stage(size=race.size, share=1.0),), shrink=0.0, compile=compiled,
        batch_norm=race.norm == "batch", lrn="text" if race.norm == "lrn" else "none",
    )  # fmt: skip


def network_of(recipe: Recipe, race: Race, kind: type[AlexNet] = AlexNet) -> AlexNet:
    """The network, the same on both sides."""
    made = kind(recipe.architecture(CLASSES, race.size))
    return made.initialise("fan_in", torch.Generator().manual_seed(0))
