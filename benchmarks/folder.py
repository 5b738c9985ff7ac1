"""``glassbot caption`` of a folder beside the same answers in process, in turns."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from benchmarks.inprocess import in_process
from benchmarks.load import LoadError
from benchmarks.plan import Bench, Figures, Ratios, console, ratio_of_turns, rounded
from benchmarks.servers import ROOT


def folder(bench: Bench) -> tuple[Figures, Ratios]:
    """Measure photos a second of a whole folder, and answers a second in process. Raises LoadError where one fails."""
    plan = bench.plan
    captioned: list[float] = []
    whole: dict[int, list[float]] = {callers: [] for callers in plan.in_process}
    with (
        tempfile.TemporaryDirectory(prefix="glassbot-benchmark-") as name,
        in_process(plan.checkpoint, bench.ordinary) as inside,
    ):
        photos = _write(bench.ordinary, plan.memory_photos, Path(name))
        inside.whole(plan.in_process[-1], 1)  # warms up
        for number in range(plan.runs):
            console.log(f"folder: round {number + 1} of {plan.runs}")
            for callers, rates in whole.items():
                rates.append(inside.whole(callers, plan.seconds))
            alone = _seconds(plan.checkpoint, photos[0])
            captioned.append((len(photos) - 1) / (_seconds(plan.checkpoint, photos[0].parent) - alone))
    best = max(whole, key=lambda callers: median(whole[callers]))
    figures: Figures = {
        "photos": len(photos),
        "rates": rounded(captioned),
        "in_process": {str(callers): rounded(rates) for callers, rates in whole.items()},
        "in_process_callers": best,
    }
    return figures, {"folder_over_in_process": ratio_of_turns(captioned, whole[best])}


def _write(jpegs: Sequence[bytes], count: int, to: Path) -> list[Path]:
    """Write so many photos, no two of which have the same bytes: a decoder ignores what follows the picture."""
    paths = [to / f"{number:05}.jpg" for number in range(count)]
    for path, jpeg in zip(paths, islice(cycle(jpegs), count), strict=True):
        path.write_bytes(jpeg + path.name.encode("ascii"))
    return paths


def _seconds(checkpoint: Path, path: Path) -> float:
    """Return the seconds that captioning a photo or a folder takes, from the start of the process to its end."""
    command = [sys.executable, "-m", "app", "caption", "--quiet", "--checkpoint", str(checkpoint), str(path)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise LoadError(f"glassbot caption failed: {done.stderr.strip()[-300:]}")
    return time.perf_counter() - began
