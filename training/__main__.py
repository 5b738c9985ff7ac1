"""``python -m training``: train, evaluate, compress."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from model import checkpoint, journal
from model.checkpoint import CheckpointError
from model.engines import EngineKind, create_engine
from model.engines.alexnet import AlexNet
from training import data, loop, state
from training.config import Recipe, Stage, override
from training.data import DataError
from training.evaluate import Measured, evaluate
from training.optim import optimisers
from training.recipes import RECIPES
from training.sources import make_sources


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (DataError, CheckpointError, ValueError, OSError, loop.DivergedError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("training: stopped; the same command with --resume goes on.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Train and measure an AlexNet.")
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train a network on one or more picture sets")
    train.add_argument("--recipe", choices=sorted(RECIPES), default="modern")
    train.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    train.add_argument("--out", type=Path, required=True, help="the run's folder")
    train.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    train.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override a field of the recipe"
    )
    for name in ("epochs", "batch-size", "lr", "precision", "seed"):
        train.add_argument(f"--{name}", metavar="VALUE", help=f"short for --set {name.replace('-', '_')}=VALUE")
    train.add_argument("--minutes", type=float, help="choose the number of steps so that the run takes about this long")
    train.add_argument("--device", default="auto")
    train.set_defaults(run=_train)
    measure = commands.add_parser("evaluate", help="measure a checkpoint on the validation half of picture sets")
    measure.add_argument("checkpoint", type=Path)
    measure.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    measure.add_argument("--json", type=Path, help="also write the figures to this file")
    measure.add_argument("--engine", choices=("auto", "openvino", "torch"), default="auto")
    measure.set_defaults(run=_evaluate)
    small = commands.add_parser("compress", help="write the small shipped form of a checkpoint")
    small.add_argument("checkpoint", type=Path)
    small.add_argument("out", type=Path)
    small.add_argument(
        "--data", action="append", default=[], metavar="[NAME=]PATH", help="measure it, and store the figures in it"
    )
    small.set_defaults(run=_compress)
    return parser


def _train(options: argparse.Namespace) -> int:
    folder: Path = options.out
    config, saved = folder / "config.json", folder / "state.pt"
    if config.exists() and not options.resume:
        raise ValueError(f"{folder} holds a run already: add --resume, or name another --out.")
    stored = json.loads(config.read_text()) if config.exists() else None
    recipe = _recipe(options) if stored is None else _stored_recipe(stored["recipe"])
    device = torch.device(
        options.device if options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    )
    remembered = state.load(saved) if options.resume and saved.exists() else None
    if remembered and stored and remembered["step"] >= stored["steps"]:
        print(f"The run in {folder} is finished.")
        return 0
    run = _prepare(options, recipe, device, folder)
    if stored is None:
        folder.mkdir(parents=True, exist_ok=True)
        if options.minutes:
            run.steps = _steps_for(run, options.minutes)
        config.write_text(json.dumps({"recipe": asdict(recipe), "steps": run.steps, **run.provenance}, indent=1))
    else:
        run.steps = stored["steps"]
    if remembered:
        run.network = (
            AlexNet(run.network.architecture.at(remembered["size"])).to(memory_format=torch.channels_last).to(device)
        )
        run.network.load_state_dict(remembered["network"])
        run.optimisers = optimisers(run.network, recipe)
        for optimiser, memory in zip(run.optimisers, remembered["optimisers"], strict=True):
            optimiser.load_state_dict(memory)
        run.step = remembered["step"]
        run.best = _best_so_far(folder / "metrics.jsonl", run.step)
    journal.cut_back(folder / "metrics.jsonl", run.step)
    print(json.dumps(loop.train(run)))
    return 0


def _recipe(options: argparse.Namespace) -> Recipe:
    settings = dict(item.partition("=")[::2] for item in options.set)
    for name in ("epochs", "batch_size", "lr", "precision", "seed"):
        if getattr(options, name) is not None:
            settings[name] = getattr(options, name)
    return override(RECIPES[options.recipe](), settings)


def _stored_recipe(record: dict[str, Any]) -> Recipe:
    return Recipe(**{**record, "stages": tuple(Stage(**stage) for stage in record["stages"])})


def _prepare(options: argparse.Namespace, recipe: Recipe, device: torch.device, folder: Path) -> loop.Run:
    print("Reading the pictures …", flush=True)
    sets = [data.load(spec, "train") for spec in options.data]
    validation = [data.load(spec, "validation", one.vocabulary) for spec, one in zip(options.data, sets, strict=True)]
    sources, word_rows = make_sources(sets, recipe.batch_size, device)
    largest = max(range(len(sets)), key=lambda i: len(sets[i].pictures))
    steps_per_epoch = max(1, len(sets[largest].pictures) // sources[largest].number)
    steps = max(1, round(recipe.epochs * steps_per_epoch))
    outputs = sum(len(one.vocabulary) for one in sets)
    network = AlexNet(recipe.architecture(outputs, recipe.size_at(0, steps)))
    network.initialise(recipe.initialisation, torch.Generator().manual_seed(recipe.seed))
    _start_words_at_their_share(network, sets, word_rows)
    network = network.to(memory_format=torch.channels_last).to(device)
    provenance = {
        "data": {one.vocabulary.name: len(one.pictures) for one in sets}, "started": time.strftime("%Y-%m-%d"),
        "torch": torch.__version__, "device": str(device), "seed": recipe.seed, "preset": recipe.name,
    }  # fmt: skip
    return loop.Run(
        recipe=recipe, folder=folder, sources=sources, word_rows=word_rows, validation=validation,
        vocabularies=tuple(one.vocabulary for one in sets), provenance=provenance, steps=steps,
        steps_per_epoch=steps_per_epoch, device=device, network=network, optimisers=optimisers(network, recipe),
    )  # fmt: skip


def _start_words_at_their_share(network: AlexNet, sets: Sequence[data.PictureSet], rows: slice | None) -> None:
    """Words begin at how often they are said, so that the first steps do not all go into silencing them."""
    if rows is not None:
        spoken = next(one for one in sets if one.vocabulary.kind == "independent")
        share = torch.from_numpy(spoken.targets).float().mean(0).clamp(1e-3, 0.5)
        with torch.no_grad():
            network.get_parameter("fc8.bias")[rows] = torch.logit(share)


def _steps_for(run: loop.Run, minutes: float) -> int:
    """Steps that fit into ``minutes``, from the time of a few trial steps at each size; the trial is then undone."""
    steps, sizes = run.steps, run.recipe.stages
    cost = 0.0
    for stage in sizes:
        network = AlexNet(run.network.architecture.at(stage.size)).to(memory_format=torch.channels_last)
        trial = replace(run, network=network.to(run.device).train(), step=0)
        trial.network.initialise(run.recipe.initialisation)
        trial.optimisers = optimisers(trial.network, run.recipe)
        loop.train_step(trial)
        begun = time.perf_counter()
        for _ in range(3):
            loop.train_step(trial)
        cost += stage.share * (time.perf_counter() - begun) / 3
    steps = max(1, int(minutes * 60 / cost))
    print(f"{minutes:g} minutes are about {steps} steps.", flush=True)
    return steps


def _best_so_far(path: Path, step: int) -> float:
    scores = [
        sum(v.get("top1", v.get("map", 0.0)) for v in e["measured"].values()) / len(e["measured"])
        for e in journal.read(path) if "measured" in e and e["step"] <= step
    ]  # fmt: skip
    return max(scores, default=-1.0)


def _evaluate(options: argparse.Namespace) -> int:
    measured = _measure(options.checkpoint, options.data, options.engine)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def _measure(path: Path, specs: Sequence[str], kind: EngineKind) -> Measured:
    network = checkpoint.load(path)
    sets = [data.load(spec, "validation", data.match(spec, network.vocabularies)) for spec in specs]
    measured = evaluate(create_engine(network, kind=kind), sets, network.slices())
    for name, figures in measured.items():
        print(f"{name:10}", "  ".join(f"{key} {value}" for key, value in figures.items()))
    return measured


def _compress(options: argparse.Namespace) -> int:
    network = checkpoint.load(options.checkpoint)
    checkpoint.save(options.out, network, small=True)
    if options.data:
        checkpoint.note_measured(options.out, _measure(options.out, options.data, "auto"))
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
