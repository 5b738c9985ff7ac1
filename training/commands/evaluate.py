"""``evaluate``: measures the accuracy of a checkpoint, and whether its claims are as reliable as it says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from model import checkpoint
from model.engines import create_engine
from model.files import write_atomically
from training import data
from training.commands import Commands, add_beyond, add_column_flags
from training.evaluation.accuracy import measure_checkpoint, merge_figures
from training.evaluation.beyond import predict_beyond
from training.evaluation.claims_report import claims_report
from training.evaluation.encodings import encodings_report
from training.evaluation.predictions import by_vocabulary, predict
from training.pages.figure_tables import print_claims_report, print_encodings, print_figures
from training.trainer.teachers.checkpoint import is_teacher


def add(commands: Commands) -> None:
    """Describe the ``evaluate`` command to the parser."""
    parser = commands.add_parser("evaluate", help="measure a checkpoint on the validation split of picture sets")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--engine", choices=("auto", "openvino", "torch"), default="auto")
    parser.add_argument("--views", type=int, choices=(1, 10), default=1, help="10: five crops and their mirror images")
    parser.add_argument(
        "--side", type=int, metavar="PIXELS", help="bring each picture to this side before: does its sharpness matter?"
    )
    parser.add_argument("--claims", action="store_true", help="also what its sentences promise, and how that is kept")
    parser.add_argument(
        "--encodings",
        action="store_true",
        help="also whether it says the same of files made in another way",
    )
    add_column_flags(parser)
    add_beyond(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write ``--json``. Raises ValueError for a teacher, and for flags that do not go together."""
    if is_teacher(options.checkpoint):
        raise ValueError(
            f"{options.checkpoint} is a teacher, which nothing serves: what training teacher printed of it is in the "
            "run log beside it."
        )
    if (options.foreign or options.people) and not options.claims:
        raise ValueError("--foreign and --people judge what is claimed: add --claims.")
    if options.claims and (options.side or options.views != 1):
        raise ValueError("--claims are made about what is served, one sharp view: leave out --side and --views.")
    figures: dict[str, Any] = measure_checkpoint(
        options.checkpoint, options.data, options.engine, views=options.views, side=options.side
    )
    print_figures(figures)
    if options.claims:
        figures = merge_figures(figures, report_claims(options))
    if options.encodings:
        report = report_encodings(options)
        print_encodings(report)
        figures["encodings"] = report
    if options.json:
        write_atomically(options.json, json.dumps(figures, indent=1) + "\n")
    return 0


def report_encodings(options: argparse.Namespace) -> dict[str, Any]:
    """Set of classes -> its encodings report. Raises DataError or CheckpointError."""
    network = checkpoint.load(options.checkpoint)
    engine = create_engine(network, engine=options.engine)
    sets = [data.load_for(network.vocabularies, spec, "evaluation") for spec in options.data]
    return {one.name: encodings_report(engine, network, one) for one in sets if one.vocabulary.activation == "softmax"}


def report_claims(options: argparse.Namespace) -> dict[str, Any]:
    """Print and return the claims report of a checkpoint. Raises DataError, CheckpointError or ValueError."""
    network = checkpoint.load(options.checkpoint)
    engine = create_engine(network, engine=options.engine)
    predictions = by_vocabulary([predict(engine, network, spec) for spec in options.data])
    beyond = predict_beyond(engine, network, options.foreign, options.people)
    report = claims_report(predictions, network, engine, beyond)
    print_claims_report(report)
    return report
