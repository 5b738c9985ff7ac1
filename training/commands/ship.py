"""``ship``: serves the network of a run: compressed, calibrated, its units on cards, no worse than the one served."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model import checkpoint
from model.checkpoint import PRETRAINED, Checkpoint
from model.runlog import reader
from model.unit_cards import path_beside
from training import data
from training.commands import Commands, add_beyond, add_column_flags
from training.evaluation.accuracy import measure_checkpoint
from training.evaluation.microscope.cards import make_cards, table
from training.evaluation.microscope.run import Plan
from training.pages.figure_tables import print_figures
from training.release import model_card
from training.release.average import average
from training.release.ship import RUN_LOG, WEIGHTS, measure_and_calibrate, prepare, refuse_worse, swap
from training.release.small import keep_int8_if_same, write_small
from training.trainer.run_folder import LAST


def add(commands: Commands) -> None:
    """Describe the ``ship`` command to the parser."""
    parser = commands.add_parser(
        "ship", help="put a run's network where it is served: pruned, compressed, calibrated, measured"
    )
    parser.add_argument("run_folder", type=Path, metavar="RUN")
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--to", type=Path, default=PRETRAINED.parent, metavar="FOLDER", help="model/pretrained/")
    parser.add_argument(
        "--average", action="store_true", help="of a run that started from the network there: the mean of both"
    )
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="VOCABULARY",
        help="with --average: fc8 answers that vocabulary by the rows of the network there; repeatable",
    )
    parser.add_argument("--no-microscope", action="store_true", help="without cards of its units, which take minutes")
    parser.add_argument("--anyway", action="store_true", help="even where it is worse than the one there")
    add_column_flags(parser)
    add_beyond(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Average if asked, prune, compress, measure, compare; then swap weights, card and run log."""
    if options.keep and not options.average:
        raise ValueError("--keep says what --average leaves as it is: give both.")
    folder: Path = options.run_folder
    target: Path = options.to / WEIGHTS
    if swap(options.to):
        print(f"{target}: finished the swap that an earlier ship was interrupted in.")
    dense = checkpoint.load(folder / LAST)
    if options.average:
        mean = average(dense, checkpoint.load(target), kept=options.keep)
        dense = _measured(mean, folder / "averaged.safetensors", options.data)
    small = folder / "shipped.safetensors"
    write_small(small, dense, options.data)
    measurement = measure_and_calibrate(small, options.data, options.foreign, options.people)
    checkpoint.note_measured(small, measurement.figures, measurement.vocabularies)
    keep_int8_if_same(small, options.data)
    if target.exists() and not options.anyway:
        refuse_worse(measurement.figures, checkpoint.load(target), target)
    facts = model_card.CardFacts(
        megabytes=small.stat().st_size / 1e6,
        dense=dense.measured,
        classes=measurement.classes,
        command=_command(options),
    )
    card = model_card.render_card(checkpoint.load(small), facts)
    units = None if options.no_microscope else _unit_cards(small, options.data)
    prepare(options.to, small, card, folder / reader.RUN_LOG, continued=_continues(dense, options.to), units=units)
    swap(options.to)
    small.unlink()
    if units is not None:
        units.unlink()
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


def _unit_cards(path: Path, specs: Sequence[str]) -> Path:
    """The cards of the network at ``path``, made beside it; where a ``ship`` was interrupted, this one goes on."""
    out = path_beside(path)
    print(*table(make_cards(Plan(path=path, specs=tuple(specs)), out, resume=True)), sep="\n")
    return out


def _measured(mean: Checkpoint, path: Path, specs: Sequence[str]) -> Checkpoint:
    """The mean, stored at ``path`` and measured."""
    checkpoint.save(path, mean)
    figures = measure_checkpoint(path, specs)
    print_figures(figures)
    return replace(mean, measured=figures)


def _command(options: argparse.Namespace) -> str:
    """The command for the model card; D stands for the folder of the data."""
    words = [f"--{flag} {_in_d(spec)}" for flag in ("data", "foreign", "people") for spec in getattr(options, flag)]
    words += ["--average"] if options.average else []
    return " ".join(["python -m training ship RUN", *words, *(f"--keep {name}" for name in options.keep)])


def _in_d(spec: str) -> str:
    """``[NAME=]PATH`` as ``[NAME=]D/FOLDER``."""
    name, folder = data.find_folder(spec)
    return f"{name}{'=' if name else ''}D/{folder.resolve().name}"


def _continues(dense: Checkpoint, folder: Path) -> bool:
    """Whether the run started from the network that ``folder`` serves, and that network's run log is there."""
    if not ((folder / WEIGHTS).exists() and (folder / RUN_LOG).exists()):
        return False
    return checkpoint.load(folder / WEIGHTS).version == dense.provenance.get("started_from")
