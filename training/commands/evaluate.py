"""``evaluate``: how often a checkpoint is right, and whether it keeps its promises."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from model import checkpoint
from model.engines import EngineName, create_engine
from training import data
from training.commands import Commands
from training.commands.calibrate import joined, show
from training.evaluation.accuracy import Measured, Views, evaluate
from training.evaluation.claims_report import account
from training.evaluation.predictions import observe

_SCORES = ("bleu1", "bleu4", "cider", "rouge_l")


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("evaluate", help="measure a checkpoint on the validation half of picture sets")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--engine", choices=("auto", "openvino", "torch"), default="auto")
    parser.add_argument("--views", type=int, choices=(1, 10), default=1, help="10: five crops and their mirror images")
    parser.add_argument(
        "--side", type=int, metavar="PIXELS", help="bring each picture to this side before: does its sharpness matter?"
    )
    parser.add_argument("--claims", action="store_true", help="also what its sentences promise, and how that is kept")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write ``--json``. Raises ValueError for flags that do not go together."""
    if options.claims and (options.side or options.views != 1):
        raise ValueError("--claims are made about what is served, one sharp view: leave out --side and --views.")
    measured: dict[str, Any] = measure(
        options.checkpoint, options.data, options.engine, views=options.views, side=options.side
    )
    if options.claims:
        measured = joined(measured, claims(options.checkpoint, options.data, options.engine))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def measure(
    path: Path, specs: Sequence[str], engine: EngineName = "auto", *, views: Views = 1, side: int | None = None
) -> Measured:
    """The figures of a checkpoint file on the validation half of ``specs``, also printed.

    Raises DataError and CheckpointError.
    """
    network = checkpoint.load(path)
    sets = [data.load(spec, "validation", data.match(spec, network.vocabularies)) for spec in specs]
    measured = evaluate(create_engine(network, engine=engine), sets, network.slices(), views=views, side=side)
    for name, figures in measured.items():
        print(f"{name:10}", "  ".join(f"{key} {value}" for key, value in figures.items()))
    return measured


def claims(path: Path, specs: Sequence[str], name: EngineName = "auto") -> dict[str, Any]:
    """Print and return the account of all claims. Raises DataError, CheckpointError or ValueError."""
    network = checkpoint.load(path)
    engine = create_engine(network, engine=name)
    sets = [observe(engine, network, spec) for spec in specs]
    found = account({one.vocabulary.name: one for one in sets}, network, engine)
    show({name: figures for name, figures in found.items() if "tiers" in figures and name != "strangers"})
    _show_information(found)
    if "captions" in found:
        _show_people(found["captions"])
    strange = found["strangers"]
    print(f"strangers  {100 * strange['hedge_or_pass']:.1f} % of {strange['n']} end in hedge or pass")
    return found


def _show_information(found: dict[str, Any]) -> None:
    table = Table("vocabulary", "promised", "bits told, DARTS", "right", "bits told, top-1", "right")
    for name, figures in found.items():
        for row in figures.get("information", ()):
            cells = [f"{row[f'{way}_bits']:.3f}/{100 * row[f'{way}_accuracy']:.1f} %" for way in ("darts", "top1")]
            table.add_row(name, f"{100 * row['promise']:.0f} %", *(part for cell in cells for part in cell.split("/")))
    Console().print(table)


def _show_people(found: dict[str, Any]) -> None:
    table = Table(f"on {found['n']} pictures", *_SCORES, "against four:", *_SCORES[1:])
    for name, fours in found["against_four"].items():
        row = found.get(name, {})
        cells = [f"{row[key]:.1f}" if row else "" for key in _SCORES]
        table.add_row(name.replace("_", " "), *cells, "", *(f"{fours[key]:.1f}" for key in _SCORES[1:]))
    Console().print(table)
    keys = ("said_by_people", "coverage", "words_per_sentence")
    print("captions  ", "  ".join(f"{key} {found[key]}" for key in keys))
