"""``conformance``: prints the paper, the program of 2012 and this code beside each other."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from training.commands import Commands
from training.paper.conformance import table

_HEADINGS = ("topic", "paper", "program", "--recipe paper", "--recipe source_2012", "checked by")


def add(commands: Commands) -> None:
    """Describe the ``conformance`` command to the parser."""
    parser = commands.add_parser("conformance", help="print the paper, the program of 2012 and this code, row by row")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table, for the docs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table, in Markdown if that is asked for."""
    if options.markdown:
        for cells in (_HEADINGS, ["---"] * len(_HEADINGS), *table()):
            print("| " + " | ".join(cells) + " |")
        return 0
    printed = Table(*_HEADINGS, show_lines=True)
    for cells in table():
        printed.add_row(*cells)
    Console().print(printed)
    return 0
