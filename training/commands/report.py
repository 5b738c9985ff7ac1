"""``report``: writes the report of a run as one HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.files import write_atomically
from training.commands import Commands
from training.pages.run_report import render_report


def add(commands: Commands) -> None:
    """Describe the ``report`` command to the parser."""
    parser = commands.add_parser("report", help="write what a run was and how it learned as one HTML page")
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the folder of a run, or a run log's file")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: report.html beside the run log")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the page and print its place and size."""
    source: Path = options.run_folder
    text = render_report(source)
    out: Path = options.out or (source if source.is_dir() else source.parent) / "report.html"
    write_atomically(out, text)
    print(f"{out}: {len(text.encode()) / 1e6:.1f} MB")
    return 0
