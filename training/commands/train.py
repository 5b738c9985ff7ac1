"""``train``: a network from one or more picture sets."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from model import checkpoint
from model.checkpoint import Preprocessing
from model.engines.alexnet import AlexNet
from model.files import write_atomically
from model.runlog import writer
from training import data
from training.commands import Commands
from training.config import Recipe, Stage, override
from training.data.sets import MAX_BAD
from training.distributed import Ranks, ranks
from training.evaluation.accuracy import overall_score
from training.recipes import RECIPES
from training.trainer.augment import Colours, colours_of
from training.trainer.console import Display
from training.trainer.device import choose, keep_freed_memory, settle
from training.trainer.distillation import teachers
from training.trainer.loop import train
from training.trainer.schedule import over
from training.trainer.snapshot import keep_picture
from training.trainer.sources import make_sources
from training.trainer.state import PREPROCESSING, Run, alone, read_state
from training.trainer.step import parts, train_step
from training.trainer.tensorboard import Board
from training.trainer.warm_start import start_from

_COLOURS_FROM = 2000  # pictures


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("train", help="train a network on one or more picture sets")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="modern")
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument(
        "--from", type=Path, dest="source", metavar="CHECKPOINT", help="start from this network instead of from noise"
    )
    parser.add_argument(
        "--teacher", type=Path, action="append", default=[], metavar="CHECKPOINT",
        help="a network whose answers stand beside the labels; several times for their mean",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override a field of the recipe"
    )
    for name in ("epochs", "batch-size", "lr", "precision", "seed"):
        parser.add_argument(f"--{name}", metavar="VALUE", help=f"short for --set {name.replace('-', '_')}=VALUE")
    parser.add_argument(
        "--minutes", type=float, help="choose the number of steps so that the run takes about this long"
    )
    parser.add_argument("--log-every", type=int, default=25, metavar="STEPS", help="how often to write a journal line")
    parser.add_argument("--save-every", type=int, default=100, metavar="STEPS", help="how often to save the state")
    parser.add_argument(
        "--cache", choices=("auto", "memory", "none"), default="auto", help="keep the decoded pictures?"
    )
    parser.add_argument("--max-bad", type=float, default=MAX_BAD, help="broken pictures allowed: a share, or a number")
    parser.add_argument("--tensorboard", action="store_true", help="also write event files for TensorBoard")
    parser.add_argument(
        "--fixed-picture", type=Path, metavar="FILE", help="the photo whose activations the journal keeps"
    )
    parser.add_argument("--device", default="auto")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, or go on."""
    device = choose(options.device)
    keep_freed_memory()
    with ranks(device) as mine, alone(options.out) if mine.first else nullcontext():
        stored = _stored(options.out, resume=options.resume)
        state = read_state(options.out / "state.pt") if stored and (options.out / "state.pt").exists() else None
        scores = _scores(options.out, state)
        recipe = _stored_recipe(stored["recipe"]) if stored else _recipe(options, device)
        if state and stored and (state["step"] >= stored["steps"] or over(recipe, scores)):
            print(f"The run in {options.out} is finished.")
            return 0
        made = _prepare(options, recipe, device, mine)
        if stored:
            made.steps, made.provenance = stored["steps"], stored["provenance"]
            made.preprocessing, made.colours = Preprocessing(**stored["preprocessing"]), Colours(**stored["colours"])
        _teach(made, options.teacher)
        if not stored and options.minutes:
            made.steps = _steps_for(made, options.minutes)
        _start(made, state, options.source)
        made.scores = scores
        board = Board(options.out) if options.tensorboard and mine.first else None
        if mine.first:
            keep_picture(options.out / "metrics.jsonl", options.fixed_picture)
            _write_config(made)
            writer.cut_back(options.out / "metrics.jsonl", made.step)
        measured = train(made, Display(made.steps, made.step, mine, board))
        if mine.first:
            print(json.dumps(measured))
    return 0


def _stored(folder: Path, *, resume: bool) -> dict[str, Any] | None:
    """What a run's folder says of it; None where there is no run yet."""
    config = folder / "config.json"
    if not config.exists():
        return None
    if not resume:
        raise ValueError(f"{folder} holds a run already: add --resume, or name another --out.")
    stored: dict[str, Any] = json.loads(config.read_text())
    return stored


def _write_config(run: Run) -> None:
    record = {
        "recipe": asdict(run.recipe), "steps": run.steps, "provenance": run.provenance,
        "preprocessing": asdict(run.preprocessing), "colours": asdict(run.colours),
    }  # fmt: skip
    write_atomically(run.folder / "config.json", json.dumps(record, indent=1) + "\n")


def _teach(run: Run, paths: Sequence[Path]) -> None:
    if paths:
        run.teachers = teachers([checkpoint.load(p) for p in paths], run.vocabularies, run.preprocessing, run.device)
        run.provenance.setdefault("teachers", list(run.teachers.versions))
    if list(run.provenance.get("teachers", [])) != list(run.teachers.versions if run.teachers else ()):
        raise ValueError(f"{run.folder} has other teachers: give --teacher as it was when the run began.")


def _start(run: Run, state: dict[str, Any] | None, path: Path | None) -> None:
    """From the state that was saved, else from the network in ``path``, else from the noise that was drawn."""
    if state is not None:
        run.restore(state)
    elif path is not None:
        _start_from(run, path)
    elif "started_from" in run.provenance:
        raise ValueError(f"{run.folder} was to start from another network, and holds no state: give --from again.")


def _start_from(run: Run, path: Path) -> None:
    source = checkpoint.load(path)
    run.preprocessing = source.preprocessing
    start_from(run.network, source, run.vocabularies, torch.cat([part.pictures for part in parts(run)]))
    if run.average is not None:
        run.average.load_state_dict(run.network.state_dict())
    run.provenance["started_from"] = source.version


def _recipe(options: argparse.Namespace, device: torch.device) -> Recipe:
    settings = dict(item.partition("=")[::2] for item in options.set)
    for name in ("epochs", "batch_size", "lr", "precision", "seed"):
        if getattr(options, name) is not None:
            settings[name] = getattr(options, name)
    recipe = override(RECIPES[options.recipe](), settings)
    return replace(recipe, precision=settle(recipe.precision, device))


def _stored_recipe(record: dict[str, Any]) -> Recipe:
    return Recipe(**{**record, "stages": tuple(Stage(**stage) for stage in record["stages"])})


def _prepare(options: argparse.Namespace, recipe: Recipe, device: torch.device, mine: Ranks) -> Run:
    if mine.first:
        print("Reading the pictures …", flush=True)
    side = round(max(stage.size for stage in recipe.stages) * 256 / 227)
    load = partial(data.load, cache=options.cache, max_bad=options.max_bad, side=side, rank=mine.rank, world=mine.world)
    sets = [load(spec, "train") for spec in options.data]
    validation = [load(spec, "validation", one.vocabulary) for spec, one in zip(options.data, sets, strict=True)]
    sources, word_rows = make_sources(sets, recipe.batch_size, device)
    largest = max(range(len(sets)), key=lambda i: len(sets[i].pictures))
    steps_per_epoch = max(1, len(sets[largest].pictures) // sources[largest].number)
    steps = max(1, round(recipe.epochs * steps_per_epoch))
    outputs = sum(len(one.vocabulary) for one in sets)
    network = AlexNet(recipe.architecture(outputs, recipe.size_at(0, steps)))
    network.initialise(recipe.initialisation, torch.Generator().manual_seed(recipe.seed))
    _start_words_at_their_share(network, sets, word_rows)
    colours = colours_of(torch.from_numpy(sets[largest].sample(_COLOURS_FROM)))
    return Run(
        recipe=recipe, folder=options.out, sources=sources, word_rows=word_rows, validation=validation,
        vocabularies=tuple(one.vocabulary for one in sets), provenance=_provenance(sets, recipe, device, mine),
        preprocessing=Preprocessing(mean=colours.mean) if recipe.centred else PREPROCESSING, colours=colours,
        steps=steps, steps_per_epoch=steps_per_epoch, device=device, ranks=mine, network=network,
        log_every=max(1, options.log_every), save_every=max(1, options.save_every),
    )  # fmt: skip


def _provenance(sets: Sequence[data.PictureSet], recipe: Recipe, device: torch.device, mine: Ranks) -> dict[str, Any]:
    return {
        "data": {one.vocabulary.name: len(one.pictures) for one in sets}, "started": time.strftime("%Y-%m-%d"),
        "torch": torch.__version__, "device": str(device), "processes": mine.world, "seed": recipe.seed,
        "preset": recipe.name,
    }  # fmt: skip


def _start_words_at_their_share(network: AlexNet, sets: Sequence[data.PictureSet], rows: slice | None) -> None:
    """Words begin at how often they are said, so that the first steps do not all go into silencing them."""
    if rows is not None:
        spoken = next(one for one in sets if one.vocabulary.activation == "sigmoid")
        share = torch.from_numpy(spoken.targets).float().mean(0).clamp(1e-3, 0.5)
        with torch.no_grad():
            network.get_parameter("fc8.bias")[rows] = torch.logit(share)


def _steps_for(run: Run, minutes: float) -> int:
    """Steps that fit into ``minutes``, from the time of a few trial steps at each size; the trial is then forgotten."""
    cost = 0.0
    for stage in run.recipe.stages:
        network = AlexNet(run.network.architecture.at(stage.size)).initialise(run.recipe.initialisation)
        trial = replace(run, network=network, step=0, scores=[], average=None)
        train_step(trial)
        begun = time.perf_counter()
        for _ in range(3):
            train_step(trial)
        cost += stage.share * (time.perf_counter() - begun) / 3
    steps = min(run.ranks.gather(max(1, int(minutes * 60 / cost))))
    if run.ranks.first:
        print(f"{minutes:g} minutes are about {steps} steps.", flush=True)
    return int(steps)


def _scores(folder: Path, state: dict[str, Any] | None) -> list[float]:
    """What was measured at this size so far."""
    if state is None:
        return []
    return [
        overall_score(entry["measured"])
        for entry in writer.read(folder / "metrics.jsonl")
        if "measured" in entry and entry["step"] <= state["step"] and entry["size"] == state["size"]
    ]
