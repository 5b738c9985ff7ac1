"""The commands of ``python -m training``, one module each: ``add`` describes it to the parser, ``run`` runs it.

No command imports another: what two of them share lies in the room that it belongs to.
"""

from __future__ import annotations

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_column_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the columns of shards and tables; ``training.__main__`` heeds them for every command."""
    parser.add_argument("--image-column", metavar="NAME", help="the column of pictures in shards or tables")
    parser.add_argument("--label-column", metavar="NAME", help="the column of classes in shards or tables")


def add_beyond(parser: argparse.ArgumentParser) -> None:
    """Describe the options that name pictures beyond those that a network's vocabularies were taught on."""
    parser.add_argument(
        "--foreign",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="folders of WordNet ids, of things that the network has no name for: photos that it must not misname",
    )
    parser.add_argument(
        "--people",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="two folders, person/ and nobody/: photos in which it must see somebody, or nobody",
    )
