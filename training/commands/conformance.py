"""``conformance``: the paper, the program of 2012 and this code beside each other."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from training.commands import Commands
from training.paper.conformance import table

_HEADS = ("topic", "paper", "program", "--recipe paper", "--recipe source_2012", "checked by")


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("conformance", help="print the paper, the program of 2012 and this code, row by row")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table, for the docs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    if options.markdown:
        for cells in (_HEADS, ["---"] * len(_HEADS), *table()):
            print("| " + " | ".join(cells) + " |")
        return 0
    shown = Table(*_HEADS, show_lines=True)
    for cells in table():
        shown.add_row(*cells)
    Console().print(shown)
    return 0
