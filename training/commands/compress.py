"""``compress``: writes the small shipped form of a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from model import checkpoint
from model.teaching.attach import base_of
from training.commands import Commands, add_column_flags
from training.evaluation.accuracy import measure_checkpoint
from training.pages.figure_tables import print_figures
from training.release.small import keep_int8_if_same, write_small


def add(commands: Commands) -> None:
    """Describe the ``compress`` command to the parser."""
    parser = commands.add_parser("compress", help="write the small shipped form of a checkpoint")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="remove the weights that these sets can do without, find ranges for int8, measure what is left",
    )
    add_column_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compress a checkpoint; with ``--data`` prune it before and measure it after."""
    network = checkpoint.load(options.checkpoint)
    if network.examples is not None:
        print(f"What {options.checkpoint} was taught is left out: teach the small network by the same photos.")
        network = base_of(network)
    if options.data:
        write_small(options.out, network, options.data)
        keep_int8_if_same(options.out, options.data)
        figures = measure_checkpoint(options.out, options.data)
        print_figures(figures)
        checkpoint.note_measured(options.out, figures)
    else:
        checkpoint.save(options.out, network, small=True)
    print_sizes(options.out)
    return 0


def print_sizes(path: Path) -> None:
    """Print how many weights of each layer a compressed file keeps, and the bytes that they take."""
    weights = checkpoint.load(path).weights
    sizes = checkpoint.sizes(path)
    table = Table("weight", "numbers", "kept", "bits each", "kB")
    for name in (name for name, weight in weights.items() if weight.ndim > 1):
        weight = weights[name]
        kept = np.count_nonzero(weight) / weight.size
        bits = 8 * sizes[name] / weight.size
        table.add_row(name, f"{weight.size:,}", f"{100 * kept:.1f} %", f"{bits:.2f}", f"{sizes[name] / 1000:,.0f}")
    Console().print(table)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
