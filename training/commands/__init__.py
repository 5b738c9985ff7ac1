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
