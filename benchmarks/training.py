"""``python -m benchmarks.training``: our training step against the same network in a plain loop, and against roofs.

Both sides learn the same pictures, at the same size, in the same precision; ``benchmarks.loops`` has them. The roofs
are what the processor makes of a large matrix product, and of the layers of the network each by itself, in that run.
Each side is a process of its own, as it would be for whoever uses it. They take turns, so that other work on the
machine slows both alike; the median is printed, and beside a ratio the lowest and the highest of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, get_args, get_type_hints

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.loops import CLASSES, MEASURED, WITHOUT_TRACES, Race, Side, ours, plain
from benchmarks.options import whole
from benchmarks.plan import ratio_of_turns
from benchmarks.roofs import ROOFS, flops_a_picture, roofs, timed
from training.trainer.device import pick_device, resolve_precision


def random_pictures(count: int, side: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Smooth random pictures (N, side, side, 3), which compress about as photos do, and class numbers (N,)."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.random((count, 3, 12, 12), np.float32))
    smooth = F.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1) * 255
    return smooth.byte().permute(0, 2, 3, 1).contiguous().numpy(), random.integers(0, CLASSES, count)


Speeds = dict[str, dict[str, list[float]]]
"""Pictures a second in each round, by side and measurement."""


def measured(side: str, race: Race) -> tuple[str, ...]:
    """What is measured of ``ours`` or the ``plain`` loop."""
    return (*MEASURED, WITHOUT_TRACES) if side == "ours" and race.rules == "modern" else MEASURED


def measure(race: Race, rounds: int) -> tuple[Speeds, dict[str, int]]:
    """Pictures a second, by side, measurement and round; and each side's peak memory in bytes."""
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
        speeds: Speeds = {side: {name: [] for name in measured(side, race)} for side in ends}
        for number in range(rounds + 1):
            for side, end in ends.items():
                for name in speeds[side]:
                    end.send(name)
                    seconds = end.recv()
                    if number:  # the first round compiles and warms up
                        speeds[side][name].append(race.steps * race.batch_size / seconds)
        for end in ends.values():
            end.send(None)
        memory = {side: end.recv() for side, end in ends.items()}
        for process in processes:
            process.join()  # what comes next is measured alone
    return speeds, memory


def _measure_side(end: Connection, make: Callable[[Race], Side], race: Race) -> None:
    """One side, in its own process: time each measurement that is named, then send the peak memory in bytes."""
    side = make(race)
    for name in iter(end.recv, None):
        prepare, work = side[name]
        prepare()
        end.send(timed(work, race.steps, race.device))
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    end.send(torch.cuda.max_memory_allocated() if race.device.type == "cuda" else resident)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--size", type=whole(), default=131, help="side of the pictures as the network sees them")
    parser.add_argument(
        "--side", type=whole(), default=128, help="side of the pictures as they are stored; photos: 400"
    )
    parser.add_argument("--pictures", type=whole(), default=2000)
    parser.add_argument("--batch-size", type=whole(), default=128)
    parser.add_argument("--steps", type=whole(), default=4, help="of each measurement in each round")
    parser.add_argument(
        "--rules",
        choices=get_args(get_type_hints(Race)["rules"]),
        default="paper",
        help="the network, and how our side learns: the paper's, batch norm in place of LRN, or all that modern has",
    )
    parser.add_argument("--rounds", type=whole(), default=3)
    parser.add_argument("--workers", type=whole(0), default=os.cpu_count() or 1, help="of the plain loop's DataLoader")
    parser.add_argument("--precision", choices=("auto", "f32", "bf16"), default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.pictures < options.batch_size:
        parser.error(f"--pictures {options.pictures} do not fill one batch: --batch-size is {options.batch_size}")
    return options


def main() -> None:
    """Measure both loops and print the table."""
    options = _options()
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
        rules=options.rules,
    )
    report = summary(race, *measure(race, options.rounds), roofs(race))
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def summary(race: Race, speeds: Speeds, memory: dict[str, int], roof: dict[str, list[float]]) -> dict[str, Any]:
    """Everything that was measured (pictures a second, bytes), with the machine and the settings."""
    roof_rates = {name: max(rates) for name, rates in roof.items()}
    return {
        "images_per_second": {
            **{side: {name: median(rates) for name, rates in of_side.items()} for side, of_side in speeds.items()},
            **roof_rates,
        },
        "gigaflops_per_picture": flops_a_picture(race) / 1e9,
        "ratios": _ratios(speeds, roof_rates),
        "memory_bytes": memory,
        "conditions": {
            "size": race.size,
            "batch_size": race.batch_size,
            "stored_side": race.pictures.shape[1],
            "pictures": len(race.pictures),
            "steps": race.steps,
            "n": len(speeds["ours"]["step"]),
            "precision": race.precision,
            "workers": race.workers,
            "rules": race.rules,
            "cores": os.cpu_count(),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": torch.cuda.get_device_name() if race.device.type == "cuda" else platform.processor() or "cpu",
        },
    }


def _ratios(speeds: Speeds, roof_rates: dict[str, float]) -> dict[str, Any]:
    """Each ratio that is told, with its spread over the rounds."""
    ours = speeds["ours"]
    ratios = {
        "end_to_end_over_plain_loop": ratio_of_turns(ours["end to end"], speeds["plain"]["end to end"]),
        "end_to_end_over_step_only": ratio_of_turns(ours["end to end"], ours["step"]),
    }
    if WITHOUT_TRACES in ours:
        ratios["end_to_end_over_without_traces"] = ratio_of_turns(ours["end to end"], ours[WITHOUT_TRACES])
    for name, rate in roof_rates.items():
        for side, of_side in speeds.items():
            ratios[f"{side}_step_over_{name}"] = ratio_of_turns(of_side["step"], [rate] * len(of_side["step"]))
    return ratios


def show(report: dict[str, Any]) -> None:
    """Print a summary as a table and lines of ratios, memory and conditions."""
    speeds, gigaflops = report["images_per_second"], report["gigaflops_per_picture"]
    console = Console()
    table = Table("images/s", "loader only", "step only", "end to end", "GFLOP/s of the step")
    for side in ("ours", "plain"):
        cells = [f"{speeds[side][name]:.1f}" for name in MEASURED]
        table.add_row(side, *cells, f"{speeds[side]['step'] * gigaflops:.0f}")
    for name in ROOFS:
        table.add_row(name.replace("_", " "), "", f"{speeds[name]:.1f}", "", f"{speeds[name] * gigaflops:.0f}")
    console.print(table)
    for name, ratio in report["ratios"].items():
        spread = f"{ratio['low']:.2f} to {ratio['high']:.2f}, n = {ratio['n']}"
        console.print(f"{name.replace('_', ' ')}: {ratio['value']:.2f} ({spread})", highlight=False)
    for side, peak_bytes in report["memory_bytes"].items():
        console.print(f"peak memory, {side}: {peak_bytes / 1e9:.1f} GB", highlight=False)
    console.print("  ".join(f"{name} {value}" for name, value in report["conditions"].items()), highlight=False)


if __name__ == "__main__":
    main()
