"""``calibrate``: fits probabilities and thresholds on held-out pictures and stores them in the checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from model import checkpoint
from model.engines import create_engine
from model.language.phrases import reviewed
from model.teaching.attach import base_of
from training.commands import Commands, add_beyond, add_column_flags
from training.evaluation.accuracy import merge_figures
from training.evaluation.beyond import predict_beyond
from training.evaluation.calibrate import MIN_PICTURES, calibrate
from training.evaluation.predictions import by_vocabulary, predict
from training.evaluation.reliability import reliability
from training.pages.figure_tables import print_reliability


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
    network = base_of(checkpoint.load(options.checkpoint))  # what it was taught keeps its own calibration
    engine = create_engine(network)
    predictions = by_vocabulary([predict(engine, network, spec) for spec in options.data])
    beyond = predict_beyond(engine, network, options.foreign, options.people)
    vocabularies = calibrate(predictions, [reviewed(v) for v in network.vocabularies], beyond)
    figures = reliability(predictions, vocabularies, beyond)
    checkpoint.note_measured(options.checkpoint, merge_figures(network.measured, figures), vocabularies)
    print_reliability(figures)
    for vocabulary in vocabularies:
        if not vocabulary.calibrated:
            print(f"{vocabulary.name} stays uncalibrated: that takes {MIN_PICTURES} validation pictures to fit on.")
    return 0
