"""``python -m benchmarks.serving``: the speed and the resources of serving, beside those of its parts and its peers.

Everything runs on this machine, over its loopback address. Measurements that are compared take
turns, so that all see the same conditions: ratios can be quoted, while absolute figures depend on the machine, which
should do nothing else meanwhile. Closed loops are driven by wrk. ``--parts`` chooses some of:

throughput  the engine alone (D0), answers in process (D1), answers over HTTP (N)
arrivals    Poisson arrivals at 50, 80, 120 and 500 % of N: percentiles, refusals, recovery
bodies      raw, multipart and base64, with photos of 100 KB and of 12 megapixels
peers       FastAPI with eager torch, and LitServe at the best of its settings (needs the extra ``bench``)
today       an older build, whose checkout ``--today PATH`` names: answers over HTTP, engine, memory, start
openvino    the engine's graphs by OpenVINO's own benchmark_app, beside the engine itself
folder      ``glassbot caption`` of a folder, beside the answers in process
footprint   seconds to start, memory, installed size
workers     one and two workers on one socket, and the memory of each further one (needs the extra ``workers``)

``today`` is left out unless ``--today`` names a checkout: ``git worktree add ../today COMMIT``. A ratio is that of the
medians of both sides, and beside it stand the lowest and the highest of the single turns. First of all, every answer
over HTTP is compared with the answer in process; a difference ends the benchmark.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.folder import folder
from benchmarks.footprint import footprint
from benchmarks.load import LoadError, require_wrk
from benchmarks.openvino_app import openvino
from benchmarks.options import exit_on_sigterm, whole
from benchmarks.plan import Bench, DisagreementError, Figures, Plan, Ratios
from benchmarks.rivals import Reference, peers
from benchmarks.servers import CORES, ServerError, processor
from benchmarks.stress import arrivals, encodings
from benchmarks.table import judge_goals, show
from benchmarks.throughput import check_answers, throughput
from benchmarks.today import today
from benchmarks.workers import workers
from model.checkpoint import PRETRAINED

PARTS = ("throughput", "arrivals", "bodies", "peers", "today", "openvino", "folder", "footprint", "workers")
_VERSIONED = ("torch", "openvino", "uvicorn", "fastapi", "litserve", "numpy", "pillow")
_COUNTS = (
    "seconds",
    "runs",
    "idle_requests",
    "encoding_requests",
    "memory_photos",
    "starts",
    "photos",
    "large",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the report, and return the exit status.

    It is 1 where a part failed or answers differ, and 2 where wrk, a peer or the older build is not there.
    """
    options = _parser().parse_args(arguments)
    exit_on_sigterm()
    plan = _plan(options)
    parts = options.parts or [part for part in PARTS if part != "today" or plan.older]
    try:
        conditions = {"wrk": require_wrk(), **conditions_of(plan)}
        _require(parts, plan)
        report = measure(Bench(plan), parts, conditions, options.json)
    except (LoadError, DisagreementError, ServerError) as error:
        print(f"benchmarks.serving: {error}", file=sys.stderr)
        return 2 if isinstance(error, LoadError) else 1
    show(report)
    return int(any("failed" in figures for figures in report["figures"].values()))


def _plan(options: argparse.Namespace) -> Plan:
    plan = Plan(checkpoint=options.checkpoint.resolve(), older=options.today and options.today.resolve())
    if options.quick:
        plan = plan.quick()
    changes = {name: value for name in ("seconds", "runs") if (value := getattr(options, name)) is not None}
    return replace(plan, **changes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, metavar="PART", help="default: all, but today without --today"
    )
    parser.add_argument("--today", type=Path, metavar="PATH", help="checkout of an older build to compare with")
    parser.add_argument("--seconds", type=whole(1, 600), help="seconds of each closed loop (default: 10)")
    parser.add_argument(
        "--runs", type=whole(1, 600), help="how often everything that takes turns is measured (default: 3)"
    )
    parser.add_argument("--quick", action="store_true", help="every step once, with small counts, to show that it runs")
    parser.add_argument(
        "--checkpoint", type=Path, default=PRETRAINED, help="checkpoint to use instead of the shipped network"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report to FILE, after every part")
    return parser


def _require(parts: Sequence[str], plan: Plan) -> None:
    if "today" in parts and plan.older is None:
        raise LoadError("There is no older build to compare with: --today PATH names its checkout.")
    if "today" in parts and plan.older and not plan.older.is_dir():
        raise LoadError(f"{plan.older} is no folder: --today names the checkout of an older build.")
    if "workers" in parts and importlib.util.find_spec("gunicorn") is None:
        raise LoadError("Several workers need gunicorn: pip install -e '.[workers]', or leave workers out of --parts.")
    if "peers" in parts:
        for name in ("torch", "litserve"):
            if importlib.util.find_spec(name) is None:
                raise LoadError(f"The peers need {name}: pip install -e '.[bench]', or leave peers out of --parts.")


def measure(bench: Bench, parts: Sequence[str], conditions: Figures, file: Path | None) -> dict[str, Any]:
    """Measure one part after another; a part that fails has its error in the report. Raises DisagreementError."""
    compared, answers = check_answers(bench)
    reference = Reference(answers, rounded=not compared["engine"].endswith("f32"))
    figures: dict[str, Figures] = {"answers": compared}
    ratios: Ratios = {}
    measurements: dict[str, Callable[[], tuple[Figures, Ratios]]] = {
        "throughput": lambda: throughput(bench),
        "arrivals": lambda: arrivals(bench, figures.get("throughput", {}).get("n")),
        "bodies": lambda: encodings(bench),
        "peers": lambda: peers(bench, reference),
        "today": lambda: today(bench),
        "openvino": lambda: openvino(bench),
        "folder": lambda: folder(bench),
        "footprint": lambda: footprint(bench),
        "workers": lambda: workers(bench),
    }
    report: dict[str, Any] = {"ratios": ratios, "goals": [], "figures": figures, "conditions": conditions}
    for part in (name for name in PARTS if name in parts):
        try:
            figures[part], ratios_of_part = measurements[part]()
            ratios |= ratios_of_part
        except (LoadError, ServerError) as error:
            figures[part] = {"failed": str(error)}
        report["goals"] = judge_goals(report)
        conditions["load_average_at_end"] = round(os.getloadavg()[0], 2)
        if file is not None:
            file.write_text(json.dumps(report, indent=1) + "\n")
    return report


def conditions_of(plan: Plan) -> Figures:
    """Return the machine, the versions of the software, and the counts of the plan."""
    plan_fields = asdict(plan)
    return {
        "processor": processor(),
        "cores": CORES,
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _VERSIONED},
        "load_average_at_start": round(os.getloadavg()[0], 2),
        **{name: plan_fields[name] for name in _COUNTS},
        "checkpoint": plan.checkpoint.name,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


if __name__ == "__main__":
    sys.exit(main())
