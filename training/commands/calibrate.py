"""``calibrate``: probabilities and promises that hold, fitted on held-out pictures and stored in the checkpoint."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from model import checkpoint
from model.engines import create_engine
from model.language.phrases import reviewed
from training.commands import Commands
from training.evaluation.calibrate import FEWEST, calibrate
from training.evaluation.predictions import observe
from training.evaluation.reliability import honesty


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("calibrate", help="fit what a checkpoint may say, and how surely, and store it there")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH", help="sets it learned from")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fit on one half of the validation pictures, report on the other, store both."""
    network = checkpoint.load(options.checkpoint)
    engine = create_engine(network)
    sets = [observe(engine, network, spec) for spec in options.data]
    observed = {one.vocabulary.name: one for one in sets}
    vocabularies = calibrate(observed, [reviewed(v) for v in network.vocabularies])
    found = honesty(observed, vocabularies)
    checkpoint.note_measured(options.checkpoint, joined(network.measured, found), vocabularies)
    show(found)
    for vocabulary in vocabularies:
        if not vocabulary.calibrated:
            print(f"{vocabulary.name} stays uncalibrated: that takes {FEWEST} validation pictures to fit on.")
    return 0


def joined(measured: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured before, with what was found beside it, by vocabulary."""
    return {name: {**measured.get(name, {}), **found.get(name, {})} for name in {**measured, **found}}


def show(found: dict[str, dict[str, Any]]) -> None:
    """The promises of each vocabulary and what came of them, on the half that nothing was fitted on."""
    table = Table("vocabulary", "tier", "promised", "right", "95 %", "speaks", "n")
    for name, figures in found.items():
        for part in (key for key in figures if key.startswith("tiers")):
            for tier, line in figures[part].items():
                where = name + part.removeprefix("tiers").replace("_", " ")
                bounds = f"{100 * line['low']:.1f} to {100 * line['high']:.1f}"
                shares = [f"{100 * line[key]:.1f} %" for key in ("promise", "accuracy", "coverage")]
                table.add_row(where, tier, shares[0], shares[1], bounds, shares[2], str(line["n"]))
    Console().print(table)
    for name, figures in found.items():
        said = [f"{key} {value}" for key, value in figures.items() if isinstance(value, float)]
        print(f"{name:10}", "  ".join(said))
