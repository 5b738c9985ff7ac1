"""``calibrate``: fits probabilities and thresholds on held-out pictures and stores them in the checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from model import checkpoint
from training.commands import Commands, add_beyond, add_column_flags
from training.evaluation.accuracy import merge_figures
from training.evaluation.calibrate import MIN_PICTURES
from training.evaluation.calibrate_checkpoint import calibrate_checkpoint


def add(commands: Commands) -> None:
    """Describe the ``calibrate`` command to the parser."""
    parser = commands.add_parser("calibrate", help="fit what a checkpoint may say, and how surely, and store it there")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH", help="sets it learned from")
    add_column_flags(parser)
    add_beyond(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fit on one part of the validation pictures, measure on the other, and store both in the checkpoint."""
    done = calibrate_checkpoint(options.checkpoint, options.data, options.foreign, options.people)
    figures = merge_figures(done.network.measured, done.figures)
    checkpoint.note_measured(options.checkpoint, figures, done.network.vocabularies)
    for vocabulary in done.network.vocabularies:
        if not vocabulary.calibrated:
            print(f"{vocabulary.name} stays uncalibrated: that takes {MIN_PICTURES} validation pictures to fit on.")
    return 0
