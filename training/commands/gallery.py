"""``gallery``: pictures with what is said of them, as one page."""

from __future__ import annotations

import argparse
from pathlib import Path

from model import checkpoint
from model.engines import create_engine
from model.files import write_atomically
from training import data
from training.commands import Commands
from training.data.sets import parse, read
from training.pages.gallery import gallery
from training.pages.photo_page import write_page


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("gallery", help="one page of pictures with sentence, claims and truth")
    parser.add_argument("checkpoint", type=Path)
    shown = parser.add_mutually_exclusive_group(required=True)
    shown.add_argument("--data", action="append", metavar="[NAME=]PATH", help="fifty held-out pictures of these sets")
    shown.add_argument(
        "--photos",
        type=Path,
        metavar="FOLDER",
        help="the photos that FOLDER/photos.json lists; writes FOLDER/README.md",
    )
    parser.add_argument("--out", type=Path, default=Path("gallery.html"), help="with --data; default: gallery.html")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the page. One of --data holds the pictures themselves: whoever passes it on passes them on."""
    network = checkpoint.load(options.checkpoint)
    engine = create_engine(network)
    if options.photos:
        seen = write_page(network, engine, options.photos)
        print(f"{options.photos / 'README.md'} shows what is said of {len(seen)} photos.")
        return 0
    sets = [
        (data.load(spec, "validation", data.match(spec, network.vocabularies)), read(parse(spec)[1], "validation"))
        for spec in options.data
    ]
    write_atomically(options.out, gallery(network, engine, sets))
    print(f"{options.out} shows what is said of held-out pictures. It holds the pictures themselves.")
    return 0
