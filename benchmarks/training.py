"""``python -m benchmarks.training``: our training step against the same network in a plain loop, and the roofline.

Both sides learn the same pictures, at the same size, in the same precision, with SGD; ``benchmarks.loops`` has them.
Each side is a process of its own, as it would be for whoever uses it. They take turns, so that other work on the
machine slows both alike, and the median is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.loops import CLASSES, MEASURED, Race, Side, ours, plain, recipe_of
from training.trainer.device import pick_device, resolve_precision


def random_pictures(count: int, side: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Smooth random pictures (N, side, side, 3), which compress about as photos do, and class numbers (N,)."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.random((count, 3, 12, 12), np.float32))
    smooth = F.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1) * 255
    return smooth.byte().permute(0, 2, 3, 1).contiguous().numpy(), random.integers(0, CLASSES, count)


def roofline(race: Race) -> float:
    """Pictures a second if every multiplication of a step ran as fast as in one large matrix product."""
    dtype = torch.bfloat16 if race.precision == "bf16" else torch.float32
    side = 8192 if race.device.type == "cuda" else 2048
    a = torch.randn(side, side, device=race.device, dtype=dtype)
    rates = []
    for _ in range(5):
        seconds = _timed(lambda _: a @ a, 1, race.device)
        rates.append(2 * side**3 / seconds)
    table = recipe_of(race, compiled=False).architecture(CLASSES, race.size)
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


def measure(race: Race, rounds: int) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
    """Pictures a second, by side and measurement, the median over the rounds; and each side's peak memory in bytes."""
    spawn = get_context("spawn")
    with ExitStack() as open_ends:
        ends: dict[str, Connection] = {}
        processes = []
        for name, make in (("ours", ours), ("plain", plain)):
            end, other = spawn.Pipe()
            ends[name] = open_ends.enter_context(end)
            processes.append(spawn.Process(target=_measure_side, args=(other, make, race)))
            processes[-1].start()
            other.close()
        speeds: dict[str, dict[str, list[float]]] = {side: {name: [] for name in MEASURED} for side in ends}
        for number in range(rounds + 1):
            for side, end in ends.items():
                for name in MEASURED:
                    end.send(name)
                    seconds = end.recv()
                    if number:  # the first round compiles and warms up
                        speeds[side][name].append(race.steps * race.batch_size / seconds)
        for end in ends.values():
            end.send(None)
        memory = {side: end.recv() for side, end in ends.items()}
        for process in processes:
            process.join()  # what comes next is measured alone
    return {side: {name: median(values) for name, values in names.items()} for side, names in speeds.items()}, memory


def _measure_side(end: Connection, make: Callable[[Race], Side], race: Race) -> None:
    """One side, in its own process: time each measurement that is named, then send the peak memory in bytes."""
    side = make(race)
    for name in iter(end.recv, None):
        prepare, work = side[name]
        prepare()
        end.send(_timed(work, race.steps, race.device))
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    end.send(torch.cuda.max_memory_allocated() if race.device.type == "cuda" else resident)


def main() -> None:
    """Measure both loops and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--size", type=int, default=131, help="side of the pictures as the network sees them")
    parser.add_argument("--side", type=int, default=128, help="side of the pictures as they are stored; photos: 400")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=4, help="of each measurement in each round")
    parser.add_argument("--norm", choices=("lrn", "batch"), default="lrn", help="as in the paper, or batch norm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="of the plain loop's DataLoader")
    parser.add_argument("--precision", choices=("auto", "f32", "bf16"), default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    pictures, targets = random_pictures(options.pictures, options.side)
    race = Race(
        pictures=pictures,
        targets=targets,
        size=options.size,
        batch_size=options.batch_size,
        steps=options.steps,
        precision=resolve_precision(options.precision, device),
        device=device,
        workers=options.workers,
        norm=options.norm,
    )
    report = summary(race, *measure(race, options.rounds), roofline(race), options.rounds)
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def summary(
    race: Race, speeds: dict[str, dict[str, float]], memory: dict[str, int], peak: float, rounds: int
) -> dict[str, Any]:
    """Everything that was measured (pictures a second, bytes), with the machine and the settings."""
    end_to_end = speeds["ours"]["end to end"]
    step = speeds["ours"]["step"]
    return {
        "images_per_second": {**speeds, "roofline": peak},
        "ratios": {
            "end_to_end_over_plain_loop": end_to_end / speeds["plain"]["end to end"],
            "end_to_end_over_step_only": end_to_end / step,
            "step_over_roofline": step / peak,
        },
        "memory_bytes": memory,
        "conditions": {
            "size": race.size,
            "batch_size": race.batch_size,
            "stored_side": race.pictures.shape[1],
            "pictures": len(race.pictures),
            "steps": race.steps,
            "n": rounds,
            "precision": race.precision,
            "workers": race.workers,
            "norm": race.norm,
            "cores": os.cpu_count(),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": torch.cuda.get_device_name() if race.device.type == "cuda" else platform.processor() or "cpu",
        },
    }


def show(report: dict[str, Any]) -> None:
    """Print a summary as a table and lines of ratios, memory and conditions."""
    speeds = report["images_per_second"]
    console = Console()
    table = Table("images/s", "loader only", "step only", "end to end")
    for side in ("ours", "plain"):
        table.add_row(side, *(f"{speeds[side][name]:.1f}" for name in MEASURED))
    table.add_row("roofline", "", f"{speeds['roofline']:.1f}", "")
    console.print(table)
    for name, ratio in report["ratios"].items():
        console.print(f"{name.replace('_', ' ')}: {ratio:.2f}", highlight=False)
    for side, peak_bytes in report["memory_bytes"].items():
        console.print(f"peak memory, {side}: {peak_bytes / 1e9:.1f} GB", highlight=False)
    console.print("  ".join(f"{name} {value}" for name, value in report["conditions"].items()), highlight=False)


if __name__ == "__main__":
    main()
