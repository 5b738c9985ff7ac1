"""``evaluate``: how often a checkpoint is right."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from model import checkpoint
from model.engines import EngineKind, create_engine
from training import data
from training.commands import Commands
from training.evaluate import Measured, Views, evaluate


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("evaluate", help="measure a checkpoint on the validation half of picture sets")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--engine", choices=("auto", "openvino", "torch"), default="auto")
    parser.add_argument("--views", type=int, choices=(1, 10), default=1, help="10: five crops and their mirror images")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write ``--json``."""
    measured = measure(options.checkpoint, options.data, options.engine, options.views)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def measure(path: Path, specs: Sequence[str], kind: EngineKind = "auto", views: Views = 1) -> Measured:
    """The figures of a checkpoint file on the validation half of ``specs``, also printed.

    Raises DataError and CheckpointError.
    """
    network = checkpoint.load(path)
    sets = [data.load(spec, "validation", data.match(spec, network.vocabularies)) for spec in specs]
    measured = evaluate(create_engine(network, kind=kind), sets, network.slices(), views=views)
    for name, figures in measured.items():
        print(f"{name:10}", "  ".join(f"{key} {value}" for key, value in figures.items()))
    return measured
