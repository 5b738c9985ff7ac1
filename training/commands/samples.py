"""``samples``: prints which photos would make fair samples of what a network can do."""

from __future__ import annotations

import argparse
from pathlib import Path

from model import checkpoint
from model.engines import create_engine
from training import data
from training.commands import Commands, add_column_flags
from training.release.sample_choice import Candidate, candidates

_RATES = 3


def add(commands: Commands) -> None:
    """Describe the ``samples`` command to the parser."""
    parser = commands.add_parser(
        "samples", help="photos with what is said of them and how reliable that is for their kind"
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--photos", type=Path, required=True, metavar="FOLDER", help="with the photos.json that lists them"
    )
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="[NAME=]PATH",
        help="sets with held-out pictures of their kinds",
    )
    add_column_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one photo a paragraph, those that make the fairest samples first."""
    network = checkpoint.load(options.checkpoint)
    engine = create_engine(network)
    sets = [data.load_with_files(network.vocabularies, spec) for spec in options.data]
    for candidate in candidates(network, engine, options.photos, sets):
        print(_paragraph(candidate))
    return 0


def _paragraph(candidate: Candidate) -> str:
    photo = candidate.photo
    verdict = "silent" if photo.silent else f"FALSE: {', '.join(photo.wrong)}" if photo.wrong else "true"
    lines = [f"{photo.photo.file}: {photo.photo.shows}", f"  {photo.description.caption.text} ({verdict})"]
    lines += [
        f"  {rate.vocabulary} {rate.kind}: right {rate.right}, wrong {rate.wrong} of {rate.n} held-out pictures"
        for rate in candidate.rates[:_RATES]
    ]
    return "\n".join(lines)
