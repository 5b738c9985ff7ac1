"""``ablate``: the paper's claims, re-run on a budget."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from model.runlog import findings
from model.runlog.findings import Finding, Findings
from training import data
from training.commands import Commands
from training.config import Recipe
from training.data import PictureSet
from training.evaluation.statistics import student_interval
from training.paper.ablation import TrainedResults, pairs, steps_for, subset
from training.paper.hypotheses import HYPOTHESES, SWITCHES, Hypothesis, modern_base, paper_base
from training.trainer.device import pick_device, reuse_freed_memory


def add(commands: Commands) -> None:
    """Add ``ablate`` and its flags to the command line."""
    parser = commands.add_parser("ablate", help="re-run the paper's claims: pairs that differ in one thing")
    parser.add_argument(
        "claim",
        choices=[*HYPOTHESES, "all", "switches"],
        help="a claim of the paper, all of them, or modern's switches",
    )
    parser.add_argument("--data", required=True, metavar="[NAME=]PATH", help="one set with classes")
    parser.add_argument("--budget", type=float, default=2.0, metavar="MINUTES", help="for each claim, about (2)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--classes", type=int, default=10, help="learn only the first so many classes (10)")
    parser.add_argument("--pictures", type=int, default=5000, help="learn from at most so many (5,000)")
    parser.add_argument("--size", type=int, default=67, help="side of the pictures in pixels (67)")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, help="of each training, instead of a budget")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="also write the figures to this file, as the page reads them")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train the pairs and print the table."""
    device = pick_device(options.device)
    reuse_freed_memory()
    whole = data.load(options.data, "train")
    if whole.vocabulary.activation != "softmax":
        raise data.DataError(f"{options.data} has captions: the claims are about classes, so name a set with classes.")
    validation = data.load(options.data, "validation", whole.vocabulary)
    sets = subset(whole, options.classes, options.pictures), subset(validation, options.classes, options.pictures)
    claims = {options.claim: HYPOTHESES[options.claim]} if options.claim in HYPOTHESES else HYPOTHESES
    claims, base = (SWITCHES, modern_base) if options.claim == "switches" else (claims, paper_base)
    recipe = base(options.size, options.batch_size)
    steps = options.steps or steps_for(options.budget / options.seeds / 2, sets, recipe, device)
    shown = f"{len(sets[0].pictures)} pictures of {len(sets[0].vocabulary)} classes"
    print(
        f"{steps} steps of {recipe.batch_size} pictures of {options.size} px, {options.seeds} seeds; {shown}; {device}."
    )
    results: TrainedResults = {}
    gains: dict[str, list[float]] = {}
    for name, claim in claims.items():
        trained = pairs(claim.sides(recipe), sets, results, steps=steps, seeds=options.seeds, device=device)
        gains[name] = [claim.gain(*pair) for pair in trained]
        mean, half = student_interval(gains[name])
        print(f"{name}: {mean:+.2f} ± {half:.2f}  {[round(gain, 2) for gain in gains[name]]}", flush=True)
    Console().print(_table(claims, gains))
    if options.json:
        facts = {"command": command(options, steps), "measured": f"{date.today()}", "device": str(device)}
        facts |= _facts(options, recipe, sets, steps)
        findings.write(options.json, Findings(facts=facts, by_name=found(claims, gains)))
    return 0


def command(options: argparse.Namespace, steps: int) -> str:
    """What to type for the same figures; D stands for the folder of the data."""
    chosen = {name: getattr(options, name) for name in ("batch_size", "seeds", "size", "classes", "pictures")}
    flags = "".join(f" --{name.replace('_', '-')} {value}" for name, value in chosen.items())
    folder = data.parse_spec(options.data)[1].name
    return f"python -m training ablate {options.claim} --data D/{folder} --steps {steps}{flags}"


def found(claims: Mapping[str, Hypothesis], gains: Mapping[str, Sequence[float]]) -> dict[str, Finding]:
    """Each claim beside its gains, their mean and half of the 95 % interval, which a single seed does not give."""
    rows = {}
    for name, claim in claims.items():
        mean, half = student_interval(gains[name])
        rows[name] = Finding(
            hypothesis=claim.statement,
            paper=claim.paper,
            measure=claim.measure,
            even=claim.even,
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


def _table(claims: Mapping[str, Hypothesis], gains: Mapping[str, Sequence[float]]) -> Table:
    table = Table("", "paper", "here, ± 95 %", "measured in", show_lines=True)
    for name, claim in claims.items():
        mean, half = student_interval(gains[name])
        table.add_row(claim.statement, claim.paper, f"{mean:+.1f} ± {half:.1f}", claim.measure)
    return table
