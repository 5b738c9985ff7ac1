"""``python -m benchmarks.captioning``: does ``glassbot caption`` caption a folder as fast as its process could?

The command captions a folder of photos of 640 × 480 pixels, from its first line to its last. The same process without
files (D1: decode, engine, description) and the engine alone (D0) are measured in turns with it. Start and end of the
command are in ``seconds``, not in its rate.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, stdev

from benchmarks.inprocess import InProcess, in_process
from benchmarks.photos import ordinary
from benchmarks.servers import ROOT, processor
from model.checkpoint import PRETRAINED

_DIFFERENT = 32  # photos; the files of the folder are copies of these
_CALLERS = 32
_BATCH = 16


def write_folder(folder: Path, photos: Sequence[bytes], count: int) -> None:
    """Write ``count`` files, over and over the same photos: no cache is on, so the same one is work each time."""
    for number in range(count):
        (folder / f"{number:05}.jpg").write_bytes(photos[number % len(photos)])


def caption_folder(folder: Path, out: Path, checkpoint: Path) -> tuple[float, float]:
    """Run the command; return photos a second between the first line and the end, and all seconds of its process."""
    command = [sys.executable, "-m", "app", "caption", str(folder), "--out", str(out), "--checkpoint", str(checkpoint)]
    began = time.perf_counter()
    with subprocess.Popen([*command, "--quiet"], cwd=ROOT) as process:
        while not (out.exists() and out.stat().st_size) and process.poll() is None:
            time.sleep(0.002)
        first_at = time.perf_counter()
        first = out.read_bytes().count(b"\n")
        if process.wait():
            raise RuntimeError("The command failed; what went wrong stands above.")
        ended = time.perf_counter()
    lines = out.read_bytes().count(b"\n")
    out.unlink()
    return (lines - first) / (ended - first_at), ended - began


def measure(checkpoint: Path, *, count: int, runs: int, seconds: float) -> dict[str, list[float]]:
    """Measure command, D1 and D0 in turns; return the rates of each run, and the seconds of the command."""
    photos = ordinary(_DIFFERENT)
    figures: dict[str, list[float]] = {"command": [], "in_process": [], "engine": [], "seconds": []}
    with tempfile.TemporaryDirectory() as temporary, in_process(checkpoint, photos) as inside:
        folder = Path(temporary, "photos")
        folder.mkdir()
        write_folder(folder, photos, count)
        _inside(inside, 0.5)  # the first of each is slow
        for _ in range(runs):
            rate, whole = caption_folder(folder, Path(temporary, "captions.jsonl"), checkpoint)
            in_process_rate, engine = _inside(inside, seconds)
            for name, value in zip(figures, (rate, in_process_rate, engine, whole), strict=True):
                figures[name].append(round(value, 2))
    return figures


def _inside(inside: InProcess, seconds: float) -> tuple[float, float]:
    return inside.whole(_CALLERS, seconds), inside.alone(_BATCH, 1, seconds)


def ratio(over: Sequence[float], under: Sequence[float]) -> dict[str, float]:
    """Return the median of the ratios turn by turn, their standard deviation, and their number."""
    ratios = [a / b for a, b in zip(over, under, strict=True)]
    spread = stdev(ratios) if len(ratios) > 1 else 0.0
    return {"value": round(median(ratios), 3), "spread": round(spread, 3), "n": len(ratios)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options, measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.captioning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED)
    parser.add_argument("--photos", type=int, default=2000, help="files in the folder (default: 2000)")
    parser.add_argument("--runs", type=int, default=3, help="turns (default: 3)")
    parser.add_argument("--seconds", type=float, default=5, help="of D1 and of D0 in each turn (default: 5)")
    options = parser.parse_args(arguments)
    checkpoint = options.checkpoint.resolve()
    figures = measure(checkpoint, count=options.photos, runs=options.runs, seconds=options.seconds)
    report = {
        "processor": processor(),
        "photos": options.photos,
        "command_over_in_process": ratio(figures["command"], figures["in_process"]),
        "command_over_engine": ratio(figures["command"], figures["engine"]),
        **figures,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
