"""``python -m benchmarks.serving``: what serving gives and what it takes, beside its own parts and its peers.

Everything happens on this machine and its loopback, in one run of about half an hour, by turns, so that all see the
same weather: ratios are quoted, absolute figures belong to the machine, which should be left alone meanwhile. Closed
loops come from wrk; ``--parts`` picks some of:

throughput  the engine alone (D0), answers in process (D1), answers over HTTP (N)
arrivals    Poisson arrivals at 50, 80, 120 and 500 % of N: percentiles, refusals, recovery
bodies      raw, multipart and base64, with photos of 100 KB and of 12 megapixels
peers       FastAPI with eager torch, and LitServe at the best of its settings (needs the extra ``bench``)
footprint   seconds to start, memory, installed size

That every answer over HTTP equals the answer in process is checked first, always; where one does not, the run ends.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.footprint import footprint
from benchmarks.load import LoadError, need_wrk
from benchmarks.plan import Bench, DisagreementError, Figures, Plan, Ratios
from benchmarks.rivals import Said, peers
from benchmarks.servers import CORES, ServerError, processor
from benchmarks.stress import arrivals, kinds_of_bodies
from benchmarks.table import judged, show
from benchmarks.throughput import check_answers, throughput
from model.checkpoint import PRETRAINED

PARTS = ("throughput", "arrivals", "bodies", "peers", "footprint")
_VERSIONED = ("torch", "openvino", "uvicorn", "fastapi", "litserve", "numpy", "pillow")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a part failed or answers differ, 2 where something is missing."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    plan = Plan(checkpoint=options.checkpoint.resolve())
    plan = plan.quick() if options.quick else plan
    chosen = {name: value for name in ("seconds", "runs") if (value := getattr(options, name)) is not None}
    try:
        conditions = {"wrk": need_wrk(), **conditions_of(replace(plan, **chosen))}
        _need_peers(options.parts)
        report = measure(Bench(replace(plan, **chosen)), options.parts, conditions, options.json)
    except (LoadError, DisagreementError, ServerError) as error:
        print(f"benchmarks.serving: {error}", file=sys.stderr)
        return 2 if isinstance(error, LoadError) else 1
    show(report)
    return int(any("failed" in found for found in report["figures"].values()))


def _leave(*_: object) -> None:
    """SIGTERM unwinds, so that every server is ended."""
    sys.exit(143)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--seconds", type=_whole, help="of each closed loop (default: 10)")
    parser.add_argument("--runs", type=_whole, help="rounds of everything that takes turns (default: 3)")
    parser.add_argument("--quick", action="store_true", help="each step once, with tiny counts: shows that it runs")
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED, help="another network than the shipped one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it here, after every part")
    return parser


def _whole(text: str) -> int:
    if not 1 <= int(text) <= 600:
        raise argparse.ArgumentTypeError("it is a whole number from 1 to 600")
    return int(text)


def _need_peers(parts: Sequence[str]) -> None:
    if "peers" in parts:
        for name in ("torch", "litserve"):
            if importlib.util.find_spec(name) is None:
                raise LoadError(f"The peers need {name}: pip install -e '.[bench]', or leave peers out of --parts.")


def measure(bench: Bench, parts: Sequence[str], conditions: Figures, file: Path | None) -> dict[str, Any]:
    """One part after another; a part that fails is noted as such. Raises DisagreementError."""
    compared, answers = check_answers(bench)
    said = Said(answers, bf16="bf16" in compared["engine"])
    figures: dict[str, Figures] = {"answers": compared}
    ratios: Ratios = {}
    work: dict[str, Callable[[], tuple[Figures, Ratios]]] = {
        "throughput": lambda: throughput(bench),
        "arrivals": lambda: arrivals(bench, figures.get("throughput", {}).get("n")),
        "bodies": lambda: kinds_of_bodies(bench),
        "peers": lambda: peers(bench, said),
        "footprint": lambda: footprint(bench),
    }
    report: dict[str, Any] = {"ratios": ratios, "goals": [], "figures": figures, "conditions": conditions}
    for part in (name for name in PARTS if name in parts):
        try:
            figures[part], found = work[part]()
            ratios |= found
        except (LoadError, ServerError) as error:
            figures[part] = {"failed": str(error)}
        report["goals"] = judged(report)
        conditions["load_average_at_end"] = round(os.getloadavg()[0], 2)
        if file is not None:
            file.write_text(json.dumps(report, indent=1) + "\n")
    return report


def conditions_of(plan: Plan) -> Figures:
    """What it was measured on, and how much."""
    chosen = asdict(plan)
    return {
        "processor": processor(), "cores": CORES, "system": platform.system(),
        "python": platform.python_version(), **{name: _version(name) for name in _VERSIONED},
        "load_average_at_start": round(os.getloadavg()[0], 2),
        **{name: chosen[name] for name in ("seconds", "runs", "idle", "each", "sent", "starts", "photos", "large")},
        "checkpoint": plan.checkpoint.name,
    }  # fmt: skip


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


if __name__ == "__main__":
    sys.exit(main())
