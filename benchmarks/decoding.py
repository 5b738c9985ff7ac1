"""``python -m benchmarks.decoding --against CHECKOUT``: how long ordinary JPEGs take to decode, here and there.

Each checkout of the repository decodes in processes of its own, for serving and for training. They take turns in random
order, so that other work on the machine slows both alike. Processor time counts, and the median is printed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.options import whole

HERE = Path(__file__).resolve().parents[1]
SIZES = ((256, 256), (500, 375), (1600, 1200), (4032, 3024))
TASKS = ("serving", "training")
_REPEATS = 10
_STARTS = 8
_SAME_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "100000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
"""Lets glibc keep the memory of pictures, which it otherwise returns or not by chance."""
_WORKER = """
import io, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np
from inspect import signature
from PIL import Image
from app.inference.images import Limits, PixelBudget, decode_image
from model.checkpoint import PRETRAINED, load
from training.data.decode import decode
takes = {"size": 227} if "size" in signature(decode_image).parameters else {"takes": load(PRETRAINED).architecture}
random, budget, limits, photos = np.random.default_rng(0), PixelBudget(10**9), Limits(), {}
for line in sys.stdin:
    task, width, height, repeats = line.split()
    width, height = int(width), int(height)
    if (width, height) not in photos:
        coarse = random.integers(0, 255, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", quality=88)
        photos[width, height] = file.getvalue()
    body = photos[width, height]
    began = time.process_time()
    for _ in range(int(repeats)):
        if task == "serving":
            decode_image(body, **takes, limits=limits, budget=budget, sha256="-")
        else:
            decode(body, (128, 128))
    print(1000 * (time.process_time() - began) / int(repeats), flush=True)
"""


class Checkout:
    """A process that decodes with the code of one checkout; a context manager, which ends it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", _WORKER, str(folder)]
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | _SAME_MEMORY
        )

    def __enter__(self) -> Checkout:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def milliseconds(self, task: str, size: tuple[int, int], repeats: int) -> float:
        """Processor time of one picture, in milliseconds. Raises ValueError where the checkout cannot decode."""
        asking, answering = self._process.stdin, self._process.stdout
        assert asking is not None
        assert answering is not None
        asking.write(f"{task} {size[0]} {size[1]} {repeats}\n")
        asking.flush()
        return float(answering.readline())


Times = dict[tuple[tuple[int, int], str], tuple[list[float], list[float]]]
"""By size and task, milliseconds here and there."""


def measure(here: Path, there: Path, n: int) -> Times:
    """At least ``n`` pictures of each size and task in both checkouts, by new processes again and again.

    How a process happens to lie in memory is worth a few hundredths by itself.
    """
    times: Times = {(size, task): ([], []) for size in SIZES for task in TASKS}
    rounds = -(-n // (_STARTS * _REPEATS))
    for _ in range(_STARTS):
        with Checkout(here) as ours, Checkout(there) as theirs:
            for (size, task), lists in times.items():
                for _ in range(rounds):
                    for side, found in random.sample(list(zip((ours, theirs), lists, strict=True)), 2):
                        found.append(side.milliseconds(task, size, _REPEATS))
    return times


def table_of(times: Times) -> Table:
    """The medians, and how they compare."""
    table = Table("photo", "for", "here, ms", "there, ms", "ratio", "n")
    for (size, task), lists in times.items():
        here, there = map(median, lists)
        count = str(len(lists[0]) * _REPEATS)
        table.add_row(f"{size[0]} × {size[1]}", task, f"{here:.3f}", f"{there:.3f}", f"{here / there:.3f}", count)
    return table


def main() -> None:
    """Read the options, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", type=Path, required=True, metavar="CHECKOUT", help="another checkout")
    parser.add_argument("--n", type=whole(), default=200, help="pictures of each size and task (default: 200)")
    options = parser.parse_args()
    Console().print(table_of(measure(HERE, options.against.resolve(), options.n)))


if __name__ == "__main__":
    main()
