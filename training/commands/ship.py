"""``ship``: make a run's network the one that is served: compressed, calibrated, and no worse than the one there."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model import checkpoint
from model.checkpoint import PRETRAINED, Checkpoint
from model.engines import create_engine
from model.files import write_atomically
from model.runlog import writer
from model.vocabulary import Vocabulary
from training import data
from training.commands import Commands
from training.commands.calibrate import joined, show
from training.commands.compress import pruned
from training.commands.evaluate import measure
from training.evaluation.accuracy import Measured, by_class, figures, score_of
from training.evaluation.calibrate import calibrate
from training.evaluation.predictions import observe
from training.evaluation.reliability import honesty
from training.release import model_card
from training.release.average import average


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "ship", help="put a run's network where it is served: pruned, compressed, calibrated, measured"
    )
    parser.add_argument("run_folder", type=Path, metavar="RUN")
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--to", type=Path, default=PRETRAINED.parent, metavar="FOLDER", help="model/pretrained/")
    parser.add_argument(
        "--average", action="store_true", help="of a run that started from the network there: the mean of both"
    )
    parser.add_argument("--anyway", action="store_true", help="even where it is worse than the one there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Average if asked, prune, compress, measure, compare; then write checkpoint, card and journal."""
    folder, target = options.run_folder, options.to / PRETRAINED.name
    dense = checkpoint.load(folder / "last.safetensors")
    if options.average:
        dense = _averaged(dense, target, folder / "averaged.safetensors", options.data)
    made = folder / "shipped.safetensors"
    checkpoint.save(made, pruned(dense, options.data), small=True)
    measured, classes, vocabularies = _measured(made, options.data)
    checkpoint.note_measured(made, measured, vocabularies)
    if target.exists() and not options.anyway:
        refuse_worse(measured, dict(checkpoint.load(target).measured), target)
    options.to.mkdir(parents=True, exist_ok=True)
    specs = " ".join(f"--data D/{data.parse(spec)[1].name}" for spec in options.data)
    facts = model_card.Facts(
        megabytes=made.stat().st_size / 1e6, dense=dense.measured, classes=classes,
        command=f"python -m training ship RUN {specs}{' --average' if options.average else ''}",
    )  # fmt: skip
    write_atomically(options.to / "README.md", model_card.write(checkpoint.load(made), facts))
    told = options.to / "journal.jsonl"
    there = checkpoint.load(target).version if target.exists() and told.exists() else None
    _tell(folder / "metrics.jsonl", told, went_on=there is not None and there == dense.provenance.get("started_from"))
    made.replace(target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


def _averaged(dense: Checkpoint, there: Path, path: Path, specs: list[str]) -> Checkpoint:
    """The mean with the network there, kept at ``path`` and measured. Raises ValueError as :func:`average`."""
    mean = average(dense, checkpoint.load(there))
    checkpoint.save(path, mean)
    return replace(mean, measured=measure(path, specs))


def _tell(run: Path, shipped: Path, *, went_on: bool) -> None:
    """Ship a run's journal: after the one there, where the run started from the network there."""
    whole = run.with_name("shipped.jsonl")
    _copy(shipped if went_on else run, whole)
    if went_on:
        writer.extend(whole, run)
    _copy(whole, shipped)


def _copy(told: Path, to: Path) -> None:
    shutil.rmtree(to.with_suffix(""), ignore_errors=True)
    shutil.copyfile(told, to)
    if told.with_suffix("").is_dir():
        shutil.copytree(told.with_suffix(""), to.with_suffix(""))


def refuse_worse(measured: Measured, there: Measured, target: Path) -> None:
    """Raises ValueError where the network at ``target`` is better at what both answer."""
    both = [name for name in measured if name in there]
    if not both:
        return
    new, old = (score_of({name: one[name] for name in both}) for one in (measured, there))
    if new < old:
        raise ValueError(
            f"{target} stays: the network there scores {100 * old:.1f} on {', '.join(both)}, this one {100 * new:.1f}."
        )


def _measured(
    path: Path, specs: list[str]
) -> tuple[Measured, dict[str, list[tuple[str, float]]], Sequence[Vocabulary]]:
    """The figures, those of each class where there are classes, and calibrated vocabularies."""
    network = checkpoint.load(path)
    engine, slices = create_engine(network), network.slices()
    observed, measured = {}, {}
    classes: dict[str, list[tuple[str, float]]] = {}
    for spec in specs:
        one = observe(engine, network, spec)
        name = one.vocabulary.name
        observed[name], answers = one, one.logits[:, slices[name]]
        measured[name] = figures(one, answers)
        print(f"{name:10}", "  ".join(f"{key} {value}" for key, value in measured[name].items()), flush=True)
        if one.vocabulary.activation == "softmax":
            classes[name] = by_class(one, answers)
    vocabularies = calibrate(observed, network.vocabularies)
    found = honesty(observed, vocabularies)
    show(found)
    return joined(measured, found), classes, vocabularies
