"""``python -m benchmarks.training``: our training step against the same network in a plain loop, and the roofline.

The plain loop is the one that torchvision's reference scripts use: a DataLoader that decodes each picture and crops it
with PIL in its own processes, and an eager step. Both learn the same pictures, at the same size, in the same precision,
with SGD. Rounds alternate, so that both see the same weather; the median is printed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from model.checkpoint import Preprocessing
from model.engines.alexnet import AlexNet
from model.language.phrases import label_for
from model.vocabulary import Vocabulary
from training.augment import colours_of
from training.config import Precision, Recipe, Stage
from training.data import InMemory, PictureSet
from training.device import choose, keep_freed_memory, settle
from training.run import Run
from training.sources import make_sources
from training.step import parts, train_step

_MEAN, _SCALE = (122.0, 114.0, 102.0), 1 / 64
_CLASSES = 10


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


def drawn(count: int, side: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Smooth random pictures (N, side, side, 3): they compress about as photos do."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.random((count, 3, 12, 12), np.float32))
    smooth = F.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1) * 255
    return smooth.byte().permute(0, 2, 3, 1).contiguous().numpy(), random.integers(0, _CLASSES, count)


class Encoded(Dataset[tuple[Tensor, int]]):
    """JPEG bytes, decoded and cropped when asked for."""

    def __init__(self, race: Race) -> None:
        self._bytes = [_jpeg(picture) for picture in race.pictures]
        self._targets = race.targets
        self._look = v2.Compose([
            v2.RandomResizedCrop(race.size, scale=(0.4, 1.0)), v2.RandomHorizontalFlip(), v2.PILToTensor(),
            v2.ToDtype(torch.float32), v2.Normalize(_MEAN, [1 / _SCALE] * 3),
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


Side = dict[str, Callable[[int], None]]
"""Name of a measurement -> what does so many batches of it."""


def ours(race: Race) -> Side:
    """This repository's loop."""
    labels = tuple(label_for("kind", f"kind {i}") for i in range(_CLASSES))
    vocabulary = Vocabulary(name="kind", kind="exclusive", labels=labels)
    one = PictureSet(vocabulary=vocabulary, pictures=InMemory.of(race.pictures), targets=race.targets)
    recipe = _recipe(race, compiled=True)
    sources, words = make_sources([one], race.batch_size, race.device)
    run = Run(
        recipe=recipe, folder=Path(), sources=sources, word_rows=words, validation=[], vocabularies=(vocabulary,),
        provenance={}, preprocessing=Preprocessing(mean=_MEAN, scale=_SCALE),
        colours=colours_of(torch.from_numpy(race.pictures[:100])), steps=10**6, steps_per_epoch=10**6,
        device=race.device, network=_network(recipe, race),
    )  # fmt: skip

    def load(count: int) -> None:
        for number in range(count):
            parts(replace_step(run, number))

    fixed = parts(run)[0]

    def step(count: int) -> None:
        for _ in range(count):
            _plain_step(run.forward, run.optimisers, fixed.pictures, fixed.targets, race)

    def whole(count: int) -> None:
        for _ in range(count):
            train_step(run)

    return {"loader": load, "step": step, "end to end": whole}


def replace_step(run: Run, step: int) -> Run:
    """The same run at another step."""
    run.step = step
    return run


def plain(race: Race) -> Side:
    """The loop of torchvision's reference scripts."""
    recipe = _recipe(race, compiled=False)
    network = _network(recipe, race).to(race.device).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(
        Encoded(race), race.batch_size, shuffle=True, num_workers=race.workers, drop_last=True,
        pin_memory=race.device.type == "cuda", persistent_workers=race.workers > 0,
    )  # fmt: skip
    stream = _endless(loader)
    x, y = next(stream)

    def load(count: int) -> None:
        for _ in range(count):
            next(stream)

    def step(count: int) -> None:
        for _ in range(count):
            _plain_step(network, [optimiser], x.to(race.device), y.to(race.device), race)

    def whole(count: int) -> None:
        for _ in range(count):
            pictures, targets = next(stream)
            _plain_step(
                network, [optimiser], pictures.to(race.device, non_blocking=True), targets.to(race.device), race
            )

    return {"loader": load, "step": step, "end to end": whole}


def _endless(loader: DataLoader[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from loader


def _plain_step(network: Any, optimisers: list[torch.optim.Optimizer], x: Tensor, y: Tensor, race: Race) -> None:
    with torch.autocast(race.device.type, torch.bfloat16, enabled=race.precision == "bf16"):
        logits = network(x)
    loss = F.cross_entropy(logits.float(), y)
    for optimiser in optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()
    for optimiser in optimisers:
        optimiser.step()
    loss.item()


def _recipe(race: Race, *, compiled: bool) -> Recipe:
    return Recipe(
        name="benchmark", optimiser="sgd", lr=0.01, batch_size=race.batch_size, precision=race.precision,
        stages=(Stage(size=race.size, share=1.0),), shrink=0.0, compile=compiled,
    )  # fmt: skip


def _network(recipe: Recipe, race: Race) -> AlexNet:
    made = AlexNet(recipe.architecture(_CLASSES, race.size))
    return made.initialise("fan_in", torch.Generator().manual_seed(0))


def roofline(race: Race) -> float:
    """Pictures a second if every multiplication ran as fast as in one large matrix product."""
    kind = torch.bfloat16 if race.precision == "bf16" else torch.float32
    side = 8192 if race.device.type == "cuda" else 2048
    a = torch.randn(side, side, device=race.device, dtype=kind)
    rates = []
    for _ in range(5):
        seconds = _timed(lambda _: a @ a, 1, race.device)
        rates.append(2 * side**3 / seconds)
    table = _recipe(race, compiled=False).architecture(_CLASSES, race.size)
    first = table.layer("conv1").multiply_adds  # needs no gradient of its input
    return max(rates) / (2 * (3 * table.multiply_adds - first))


def _timed(work: Callable[[int], Any], count: int, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    work(count)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def measure(race: Race, rounds: int) -> dict[str, dict[str, float]]:
    """Pictures a second: side -> measurement -> median over the rounds."""
    sides = {"ours": ours(race), "plain": plain(race)}
    found: dict[str, dict[str, list[float]]] = {side: {name: [] for name in work} for side, work in sides.items()}
    for number in range(rounds + 1):
        for side, works in sides.items():
            for name, work in works.items():
                seconds = _timed(work, race.steps, race.device)
                if number:  # the first round compiles and warms up
                    found[side][name].append(race.steps * race.batch_size / seconds)
    return {side: {name: median(values) for name, values in names.items()} for side, names in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--size", type=int, default=131, help="side of the pictures as the network sees them")
    parser.add_argument("--side", type=int, default=128, help="side of the pictures as they are stored")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=4, help="of each measurement in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="of the plain loop's DataLoader")
    parser.add_argument("--precision", choices=("auto", "f32", "bf16"), default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    keep_freed_memory()
    device = choose(options.device)
    pictures, targets = drawn(options.pictures, options.side)
    race = Race(
        pictures, targets, options.size, options.batch_size, options.steps, settle(options.precision, device), device,
        options.workers,
    )  # fmt: skip
    found = measure(race, options.rounds)
    peak = roofline(race)
    report = summary(race, found, peak, options.rounds)
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def summary(race: Race, found: dict[str, dict[str, float]], peak: float, rounds: int) -> dict[str, Any]:
    """Everything that was measured, with what it was measured on."""
    whole, step = found["ours"]["end to end"], found["ours"]["step"]
    memory = (
        torch.cuda.max_memory_allocated()
        if race.device.type == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "images_per_second": {**found, "roofline": peak},
        "ratios": {
            "end_to_end_over_plain_loop": whole / found["plain"]["end to end"],
            "end_to_end_over_step_only": whole / step,
            "step_over_roofline": step / peak,
        },
        "memory_bytes": memory,
        "conditions": {
            "size": race.size, "batch_size": race.batch_size, "stored_side": race.pictures.shape[1],
            "pictures": len(race.pictures), "steps": race.steps, "n": rounds, "precision": race.precision,
            "workers": race.workers, "cores": os.cpu_count(), "torch": torch.__version__,
            "python": platform.python_version(),
            "device": torch.cuda.get_device_name() if race.device.type == "cuda" else platform.processor() or "cpu",
        },
    }  # fmt: skip


def show(report: dict[str, Any]) -> None:
    """As tables."""
    speeds, console = report["images_per_second"], Console()
    table = Table("images/s", "loader only", "step only", "end to end")
    for side in ("ours", "plain"):
        table.add_row(side, *(f"{speeds[side][name]:.1f}" for name in ("loader", "step", "end to end")))
    table.add_row("roofline", "", f"{speeds['roofline']:.1f}", "")
    console.print(table)
    for name, ratio in report["ratios"].items():
        console.print(f"{name.replace('_', ' ')}: {ratio:.2f}", highlight=False)
    console.print(f"peak memory: {report['memory_bytes'] / 1e9:.1f} GB", highlight=False)
    console.print("  ".join(f"{name} {value}" for name, value in report["conditions"].items()), highlight=False)


if __name__ == "__main__":
    main()
