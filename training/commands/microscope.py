"""``microscope``: draws what every unit of a network looks for, and names it; one file of cards beside the network.

docs/microscope.md says how long that takes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from model.unit_cards import path_beside
from training.commands import Commands, add_column_flags
from training.evaluation.microscope.ascent import Ascent
from training.evaluation.microscope.cards import make_cards, table
from training.evaluation.microscope.run import Plan


def add(commands: Commands) -> None:
    """Describe the ``microscope`` command to the parser."""
    parser = commands.add_parser("microscope", help="draw what every unit and every label looks for, and name units")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="sets whose validation pictures name the units; without any, pictures and tuning alone",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="NAME.units.zip beside the checkpoint NAME.safetensors"
    )
    parser.add_argument(
        "--compare", type=Path, metavar="OTHER", help="a checkpoint: whether units that answer alike are named alike"
    )
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    parser.add_argument("--steps", type=int, default=Ascent.steps, help="of gradient ascent for a unit (%(default)s)")
    parser.add_argument("--label-steps", type=int, default=Ascent.label_steps, help="for a label (%(default)s)")
    add_column_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look, write the cards, and print the figures of every layer."""
    if min(options.steps, options.label_steps) < 1:
        raise ValueError("--steps and --label-steps are 1 or more.")
    if options.compare and not options.data:
        raise ValueError("--compare matches units by what they answer to real pictures: add --data.")
    out: Path = options.out or path_beside(options.checkpoint)
    plan = Plan(
        path=options.checkpoint,
        specs=tuple(dict.fromkeys(options.data)),
        other=options.compare,
        ascent=Ascent(steps=options.steps, label_steps=options.label_steps),
    )
    print(*table(make_cards(plan, out, resume=options.resume)), sep="\n")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0
