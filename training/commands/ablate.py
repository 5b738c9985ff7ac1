"""``ablate``: hypotheses of the paper, tested on a budget."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from math import isnan
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from model.runlog import findings
from model.runlog.findings import Finding, Findings
from training import data
from training.commands import Commands, add_column_flags
from training.config import Recipe
from training.data import PictureSet
from training.evaluation.statistics import student_interval
from training.paper.ablation import TrainedResults, pairs, steps_for, subset
from training.paper.hypotheses import HYPOTHESES, SWITCHES, Hypothesis, modern_base, paper_base
from training.trainer.device import pick_device, reuse_freed_memory


def add(commands: Commands) -> None:
    """Add ``ablate`` and its flags to the command line."""
    parser = commands.add_parser(
        "ablate", help="test hypotheses of the paper: train pairs of networks that differ in one thing"
    )
    parser.add_argument(
        "hypothesis",
        choices=[*HYPOTHESES, "all", *(f"switch:{name}" for name in SWITCHES), "switches"],
        help="a hypothesis of the paper or all of them; a switch of the recipe modern or all of them",
    )
    parser.add_argument("--data", required=True, metavar="[NAME=]PATH", help="one set with classes")
    parser.add_argument(
        "--budget", type=float, default=2.0, metavar="MINUTES", help="minutes for each hypothesis, about (2)"
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many pairs to train, one for each seed (3)")
    parser.add_argument("--classes", type=int, default=10, help="learn only the first so many classes (10)")
    parser.add_argument("--pictures", type=int, default=5000, help="learn from at most so many (5,000)")
    parser.add_argument("--size", type=int, default=67, help="side of the pictures in pixels (67)")
    parser.add_argument("--batch-size", type=int, default=64, help="pictures in a step (64)")
    parser.add_argument("--steps", type=int, help="of each training, instead of a budget")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--json", type=Path, help="also write the figures to this file, as the page reads them")
    add_column_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train the pairs and print the table. Raises ValueError where there would be no pair."""
    if options.seeds < 1:
        raise ValueError("--seeds is how many pairs are trained: give 1 or more.")
    device = pick_device(options.device)
    reuse_freed_memory()
    whole = data.load(options.data, "train")
    if whole.vocabulary.activation != "softmax":
        raise data.DataError(
            f"{options.data} has captions: the hypotheses are about classes, so name a set with classes."
        )
    validation = data.load(options.data, "validation", whole.vocabulary)
    sets = subset(whole, options.classes, options.pictures), subset(validation, options.classes, options.pictures)
    hypotheses, base = _chosen(options.hypothesis)
    recipe = base(options.size, options.batch_size)
    steps = options.steps or steps_for(options.budget / options.seeds / 2, sets, recipe, device)
    pictures = f"{len(sets[0].pictures)} pictures of {len(sets[0].vocabulary)} classes"
    seeds = f"{options.seeds} seed{'' if options.seeds == 1 else 's'}"
    print(f"{steps} steps of {recipe.batch_size} pictures of {options.size} px, {seeds}; {pictures}; {device}.")
    results: TrainedResults = {}
    gains: dict[str, list[float]] = {}
    for name, hypothesis in hypotheses.items():
        trained = pairs(hypothesis.sides(recipe), sets, results, steps=steps, seeds=options.seeds, device=device)
        gains[name] = [hypothesis.gain(*pair) for pair in trained]
        mean, half = student_interval(gains[name])
        print(f"{name}: {_with_interval(mean, half, 2)}  {[round(gain, 2) for gain in gains[name]]}", flush=True)
    Console().print(_table(hypotheses, gains))
    if options.json:
        facts = {"command": command(options, steps), "measured": f"{date.today()}", "device": str(device)}
        facts |= _facts(options, recipe, sets, steps)
        findings.write(options.json, Findings(facts=facts, by_name=findings_of(hypotheses, gains)))
    return 0


def _chosen(name: str) -> tuple[Mapping[str, Hypothesis], Callable[[int, int], Recipe]]:
    """The hypothesis of that name, or the group, and the recipe that the pairs share."""
    group, _, switch = name.partition(":")
    if group in {"switch", "switches"}:
        return {switch: SWITCHES[switch]} if switch else SWITCHES, modern_base
    return {name: HYPOTHESES[name]} if name in HYPOTHESES else HYPOTHESES, paper_base


def command(options: argparse.Namespace, steps: int) -> str:
    """What to type for the same figures; D stands for the folder of the data."""
    chosen = {name: getattr(options, name) for name in ("batch_size", "seeds", "size", "classes", "pictures")}
    flags = "".join(f" --{name.replace('_', '-')} {value}" for name, value in chosen.items())
    folder = data.parse_spec(options.data)[1].name
    return f"python -m training ablate {options.hypothesis} --data D/{folder} --steps {steps}{flags}"


def findings_of(hypotheses: Mapping[str, Hypothesis], gains: Mapping[str, Sequence[float]]) -> dict[str, Finding]:
    """The finding of each hypothesis: its gains, their mean, and half of the 95 % interval unless there is one seed."""
    rows = {}
    for name, hypothesis in hypotheses.items():
        mean, half = student_interval(gains[name])
        rows[name] = Finding(
            hypothesis=hypothesis.statement,
            paper=hypothesis.paper,
            measure=hypothesis.measure,
            even=hypothesis.even,
            mean=round(mean, 3),
            half=round(half, 3) if len(gains[name]) > 1 else None,
            gains=[round(gain, 3) for gain in gains[name]],
        )
    return rows


def _facts(
    options: argparse.Namespace, recipe: Recipe, sets: tuple[PictureSet, PictureSet], steps: int
) -> dict[str, Any]:
    train, validation = sets
    return {
        "torch": torch.__version__, "steps": steps, "seeds": options.seeds, "batch_size": recipe.batch_size,
        "size": options.size, "pictures": len(train.pictures), "classes": len(train.vocabulary),
        "validation_pictures": len(validation.pictures),
    }  # fmt: skip


def _table(hypotheses: Mapping[str, Hypothesis], gains: Mapping[str, Sequence[float]]) -> Table:
    table = Table("", "paper", "here, ± 95 %", "measured in", show_lines=True)
    for name, hypothesis in hypotheses.items():
        mean, half = student_interval(gains[name])
        table.add_row(hypothesis.statement, hypothesis.paper, _with_interval(mean, half, 1), hypothesis.measure)
    return table


def _with_interval(mean: float, half: float, digits: int) -> str:
    """A gain with half of its 95 % interval; a single seed has none."""
    gain = f"{mean:+.{digits}f}"
    return gain if isnan(half) else f"{gain} ± {half:.{digits}f}"
