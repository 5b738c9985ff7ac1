"""``coarsen``: writes a set once more with small pictures, so that sets of one vocabulary look alike."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands import Commands
from training.data.coarsen import SIDE, coarsen


def add(commands: Commands) -> None:
    """Describe the ``coarsen`` command to the parser."""
    parser = commands.add_parser("coarsen", help="make the pictures of a set as coarse as those of another")
    parser.add_argument("set", type=Path, metavar="SET", help="a folder of Parquet shards")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder for the same shards")
    parser.add_argument("--side", type=int, default=SIDE, help="of the pictures, in pixels (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of kernels and compression (default: %(default)s)")
    parser.add_argument("--image-column", metavar="NAME", help="the column of pictures in the shards")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the shards, and print a line for each."""
    for path, pictures in coarsen(options.set, options.out, side=options.side, seed=options.seed):
        print(f"{path}: {pictures:,} pictures, {options.side} × {options.side} px", flush=True)
    return 0
