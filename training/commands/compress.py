"""``compress``: the small shipped form of a checkpoint."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from model import checkpoint
from model.checkpoint import Checkpoint
from model.engines import create_engine
from training import data
from training.commands import Commands
from training.commands.evaluate import measure
from training.release.prune import inputs, prune


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("compress", help="write the small shipped form of a checkpoint")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--data", action="append", default=[], metavar="[NAME=]PATH",
        help="remove the weights that these sets can do without, measure what is left, and store the figures in it",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compress, and with ``--data`` prune before and measure after."""
    network = checkpoint.load(options.checkpoint)
    if options.data:
        network = pruned(network, options.data)
    checkpoint.save(options.out, network, small=True)
    if options.data:
        checkpoint.note_measured(options.out, measure(options.out, options.data))
    show(options.out)
    return 0


def pruned(network: Checkpoint, specs: Sequence[str]) -> Checkpoint:
    """The network without the weights that the training pictures of ``specs`` can do without. Raises DataError."""
    sets = [data.load(spec, "train", data.match(spec, network.vocabularies), cache="none") for spec in specs]
    needed, found = network.architecture.layer("fc6").weight_shape[1], sum(len(one.pictures) for one in sets)
    if found < needed:
        print(f"All weights stay: to tell which can go takes {needed:,} training pictures, and these are {found:,}.")
        return network
    return prune(network, inputs(create_engine(network), sets))


def show(path: Path) -> None:
    """What each layer takes in a compressed file."""
    weights, sizes = checkpoint.load(path).weights, checkpoint.sizes(path)
    table = Table("weight", "numbers", "kept", "bits each", "kB")
    for name in (name for name, weight in weights.items() if weight.ndim > 1):
        weight = weights[name]
        kept, bits = np.count_nonzero(weight) / weight.size, 8 * sizes[name] / weight.size
        table.add_row(name, f"{weight.size:,}", f"{100 * kept:.1f} %", f"{bits:.2f}", f"{sizes[name] / 1000:,.0f}")
    Console().print(table)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
