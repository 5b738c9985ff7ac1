"""``gallery``: writes one page of pictures with the sentences of a network."""

from __future__ import annotations

import argparse
from pathlib import Path

from model import checkpoint
from model.engines import create_engine
from model.files import write_atomically
from training import data
from training.commands import Commands, add_column_flags
from training.pages.gallery import render_gallery
from training.pages.photo_page import write_page


def add(commands: Commands) -> None:
    """Describe the ``gallery`` command to the parser."""
    parser = commands.add_parser("gallery", help="one page of pictures with sentence, claims and truth")
    parser.add_argument("checkpoint", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", action="append", metavar="[NAME=]PATH", help="fifty held-out pictures of these sets")
    source.add_argument(
        "--photos",
        type=Path,
        metavar="FOLDER",
        help="the photos that FOLDER/photos.json lists; writes FOLDER/README.md",
    )
    parser.add_argument("--out", type=Path, default=Path("gallery.html"), help="with --data; default: gallery.html")
    add_column_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the page. With --data it holds the pictures themselves: whoever passes it on passes them on."""
    network = checkpoint.load(options.checkpoint)
    engine = create_engine(network)
    if options.photos:
        photos = write_page(network, engine, options.photos)
        print(f"{options.photos / 'README.md'} shows what is said of {len(photos)} photos.")
        return 0
    sets = [data.load_with_files(network.vocabularies, spec) for spec in options.data]
    write_atomically(options.out, render_gallery(network, engine, sets))
    print(f"{options.out} shows what is said of held-out pictures. It holds the pictures themselves.")
    return 0
