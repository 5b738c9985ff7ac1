"""``compress``: the small shipped form of a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from model import checkpoint
from training.commands import Commands
from training.commands.evaluate import measure


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("compress", help="write the small shipped form of a checkpoint")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--data", action="append", default=[], metavar="[NAME=]PATH", help="measure it, and store the figures in it"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compress, and with ``--data`` measure what came out."""
    network = checkpoint.load(options.checkpoint)
    checkpoint.save(options.out, network, small=True)
    if options.data:
        checkpoint.note_measured(options.out, measure(options.out, options.data))
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")
    return 0
