"""Two training loops over the same network and pictures: ours, and the plain one of torchvision's reference scripts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
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
from model.engines.alexnet import AlexNet
from model.language.phrases import label_for
from model.vocabulary import Vocabulary
from training.config import Precision, Recipe, Stage
from training.data import InMemory, PictureSet
from training.recipes import modern
from training.trainer.batch import load_batch
from training.trainer.device import reuse_freed_memory
from training.trainer.plan import UNIT_SPREAD, Plan, build_plan
from training.trainer.state import build_state
from training.trainer.step import train_step
from training.trainer.winograd import Winograd

CLASSES = 10
_ENDLESS = 10**6  # steps, more than are measured


@dataclass(frozen=True)
class Race:
    """What both loops are given."""

    pictures: NDArray[np.uint8]
    """(N, side, side, 3) pictures, as files hold them."""
    targets: NDArray[np.int64]
    """The class numbers, (N,) int64."""
    size: int
    """Side in pixels of the crops that the network sees."""
    batch_size: int
    """Number of pictures in a step."""
    steps: int
    """Number of steps in each measurement."""
    precision: Precision
    """Number format of the multiplications: f32 or bf16."""
    device: torch.device
    """The device on which both loops run."""
    workers: int
    """Processes that decode pictures for the plain loop."""
    rules: Literal["paper", "batch norm", "modern"]
    """The network, and how our side learns: the paper's, with local response normalisation; the same with batch norm
    in its place; or batch norm, Muon and pictures as the recipe ``modern`` has them. The plain loop keeps to SGD."""


MEASURED = ("loader", "step", "end to end")
WITHOUT_TRACES = "end to end without traces"
"""Measured of our side by the rules of ``modern``, whose pictures get traces of resampling and compression."""

Side = dict[str, tuple[Callable[[], None], Callable[[int], None]]]
"""Name of a measurement -> what prepares it, unmeasured, and what does so many batches of it."""


def idle() -> None:
    """Do nothing: most measurements need no preparation."""


def ours(race: Race) -> Side:
    """This repository's loop, with what ``train`` does before its first step."""
    reuse_freed_memory()
    labels = tuple(label_for("label", f"label {i}") for i in range(CLASSES))
    vocabulary = Vocabulary(name="label", activation="softmax", labels=labels)
    stored = InMemory.of(_as_stored(race))
    pictures = PictureSet(name="pictures", vocabulary=vocabulary, pictures=stored, targets=race.targets)
    compiled = race.rules != "modern"  # which it slows down (docs/experiments.md, 42)
    plan = build_plan(recipe_of(race, compiled=compiled), [pictures], [], race.device, steps=_ENDLESS)
    state = build_state(plan)

    def load(count: int) -> None:
        for step in range(count):
            load_batch(plan, step, race.size)

    [fixed] = load_batch(plan, 0, race.size)

    def step(count: int) -> None:
        with nullcontext() if compiled else Winograd():
            for _ in range(count):
                plain_step(state.forward, state.optimisers, fixed.pictures, fixed.targets, race)

    def whole(count: int, plan: Plan = plan) -> None:
        for _ in range(count):
            train_step(plan, state)

    side: Side = {"loader": (idle, load), "step": (idle, step), "end to end": (idle, whole)}
    if plan.recipe.traces:
        side[WITHOUT_TRACES] = idle, partial(whole, plan=replace(plan, recipe=replace(plan.recipe, traces=0.0)))
    return side


def _as_stored(race: Race) -> NDArray[np.uint8]:
    """The pictures as ``training.data`` stores them: decoded once, no larger than a crop needs."""
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
        self._augment = v2.Compose(
            [
                v2.RandomResizedCrop(race.size, scale=(0.4, 1.0)),
                v2.RandomHorizontalFlip(),
                v2.PILToTensor(),
                v2.ToDtype(torch.float32),
                v2.Normalize(UNIT_SPREAD.mean, [1 / UNIT_SPREAD.scale] * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self._bytes)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        picture = Image.open(io.BytesIO(self._bytes[number])).convert("RGB")
        return self._augment(picture), int(self._targets[number])


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return file.getvalue()


def plain(race: Race) -> Side:
    """The plain loop of torchvision's reference scripts."""
    recipe = recipe_of(race, compiled=False)
    network = PlainAlexNet(recipe.architecture(CLASSES, race.size))
    network.initialise(recipe.initialisation, torch.Generator().manual_seed(recipe.seed))
    network = network.to(race.device).train()
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

    # What the workers decoded while nothing was measured must not count.
    drain = partial(skip, stream, 2 * race.workers)
    return {"loader": (drain, partial(skip, stream)), "step": (idle, step), "end to end": (drain, whole)}


def skip(stream: Iterator[Any], count: int) -> None:
    """Take the next ``count`` batches and drop them."""
    for _ in range(count):
        next(stream)


def _endless(race: Race) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(
        Encoded(race),
        race.batch_size,
        shuffle=True,
        num_workers=race.workers,
        drop_last=True,
        pin_memory=race.device.type == "cuda",
        persistent_workers=race.workers > 0,
    )
    while True:
        yield from loader


def plain_step(network: Any, optimisers: list[torch.optim.Optimizer], x: Tensor, y: Tensor, race: Race) -> None:
    """Make one update of the network of either side."""
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
    """The recipe that gives both sides their network, and our side the rest; ``compiled``: whether ours is."""
    stages = (Stage(size=race.size, share=1.0),)
    if race.rules == "modern":
        return replace(modern(), batch_size=race.batch_size, precision=race.precision, stages=stages, compile=compiled)
    return Recipe(
        name="benchmark",
        optimiser="sgd",
        lr=0.01,
        batch_size=race.batch_size,
        precision=race.precision,
        stages=stages,
        traces=0.0,
        compile=compiled,
        batch_norm=race.rules == "batch norm",
        lrn="text" if race.rules == "paper" else "none",
    )
