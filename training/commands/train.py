"""``train``: train a network on one or more picture sets, or go on with a run that stopped."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from model import checkpoint
from model.checkpoint import Checkpoint, Preprocessing
from model.runlog import reader, writer
from model.runlog.reader import RUN_LOG
from training import data
from training.commands import Commands, add_column_flags
from training.config import Recipe, from_record, override
from training.data.sets import MAX_BAD
from training.data.survey import SurveyedSet, doubts, survey
from training.distributed import ProcessGroup, join_process_group
from training.recipes import RECIPES
from training.trainer.augment import Colours
from training.trainer.console import TrainingConsole
from training.trainer.device import pick_device, resolve_precision, reuse_freed_memory
from training.trainer.loop import Trainer
from training.trainer.plan import Plan, build_plan
from training.trainer.resume import check_folder, check_sets, ignored_flags, other_processes
from training.trainer.run_folder import read_config, read_saved_state, read_scores, run_lock, write_config
from training.trainer.schedule import should_stop_early
from training.trainer.snapshot import keep_picture
from training.trainer.state import TrainState, build_state, restore_state
from training.trainer.teachers.distillation import Teachers, TeacherSpec, build_teachers, load_teachers
from training.trainer.tensorboard import TensorBoardWriter
from training.trainer.timing import seconds_per_step

_DEFAULT_RECIPE = "modern"
_RECIPE_FLAGS = ("epochs", "batch_size", "lr", "precision", "seed")


def add(commands: Commands) -> None:
    """Add ``train`` and its flags to the command line."""
    parser = commands.add_parser("train", help="train a network on one or more picture sets")
    parser.add_argument("--recipe", choices=sorted(RECIPES), help=f"how to train (default: {_DEFAULT_RECIPE})")
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument(
        "--from", type=Path, dest="source", metavar="CHECKPOINT", help="start from this network instead of from noise"
    )
    parser.add_argument(
        "--teacher",
        action="append",
        default=[],
        metavar="[NAMES=]CHECKPOINT",
        help="a network whose answers stand beside the labels; several times for their mean; scene,word=… asks it "
        "about these vocabularies alone",
    )
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    _add_recipe_flags(parser)
    _add_output_flags(parser)
    parser.add_argument(
        "--cache", choices=("auto", "memory", "none"), default="auto", help="keep the decoded pictures?"
    )
    parser.add_argument("--max-bad", type=float, default=MAX_BAD, help="broken pictures allowed: a share, or a number")
    parser.add_argument("--anyway", action="store_true", help="train also on classes that look like a mistake")
    parser.add_argument("--device", default="auto")
    add_column_flags(parser)
    parser.set_defaults(run=run)


def _add_recipe_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override a field of the recipe"
    )
    for name in _RECIPE_FLAGS:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=f"short for --set {name}=VALUE")
    parser.add_argument(
        "--minutes", type=float, help="choose the number of steps so that the run takes about this long"
    )


def _add_output_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log-every", type=int, default=25, metavar="STEPS", help="how often to write a run log line")
    parser.add_argument("--save-every", type=int, default=100, metavar="STEPS", help="how often to save the state")
    parser.add_argument("--tensorboard", action="store_true", help="also write event files for TensorBoard")
    parser.add_argument(
        "--fixed-picture", type=Path, metavar="FILE", help="the photo whose activations the run log keeps"
    )


def run(options: argparse.Namespace) -> int:
    """Train a network from the beginning, or resume a run; print the figures of its last evaluation."""
    device = pick_device(options.device)
    reuse_freed_memory()
    with join_process_group(device) as group, run_lock(options.out) if group.is_main else nullcontext():
        group.barrier()  # now the folder is made and ours
        config = read_config(options.out, "train", resume=options.resume)
        saved = read_saved_state(options.out) if config else None
        recipe = from_record(config["recipe"]) if config else _recipe(options, device)
        scores = read_scores(options.out, saved)
        check_folder(options.out, group, config, saved)
        if config and group.is_main:
            _say_what_is_ignored(options, config, saved, recipe, device)
        if config and saved and (saved["step"] >= config["steps"] or should_stop_early(recipe, scores)):
            if group.is_main:
                print(f"The run in {options.out} is finished.")
            return 0
        sets = _survey(options, config) if group.is_main else []
        origin = _read_origin(options, config, saved)
        plan = _plan(options, recipe, origin, device, group)
        teachers = None
        if origin.teachers:
            teachers = build_teachers(origin.teachers, plan.vocabularies, plan.preprocessing, device)
        if options.minutes and not config:
            plan = replace(plan, steps=_steps_in(options.minutes, plan, teachers))
        state = restore_state(plan, saved, scores) if saved else build_state(plan, origin.source)
        if group.is_main:
            keep_picture(options.out / RUN_LOG, options.fixed_picture)
            minutes = config.get("minutes") if config else options.minutes
            write_config(options.out, plan, data=[one.record().to_json() for one in sets], minutes=minutes)
            _open_run_log(options.out / RUN_LOG, state, other_processes(saved, config, group))
        measured = _trainer(options, plan, state, teachers).train()
        if group.is_main:
            print(json.dumps(measured))
    return 0


def _open_run_log(log: Path, state: TrainState, note: dict[str, str] | None) -> None:
    """Let the run log end at the step at hand, with the note on how the run goes on, which is printed as well."""
    writer.cut_back(log, state.step)
    entry = {"step": state.step, "size": state.size, "note": note}
    if note and entry not in reader.entries(log):
        print(note["text"], flush=True)
        writer.append(log, entry)


def _survey(options: argparse.Namespace, config: dict[str, Any] | None) -> list[SurveyedSet]:
    """Look at the sets before they are decoded. Raises ValueError for what is probably a mistake, or would mix runs."""
    sets = [survey(spec) for spec in options.data]
    if config:
        for line in check_sets(options.out, config, sets):
            print(line)
    elif not options.anyway and (doubt := next(doubts(sets), None)):
        raise ValueError(f"{doubt.rstrip('.')}; --anyway trains all the same.")
    return sets


def _say_what_is_ignored(
    options: argparse.Namespace,
    config: dict[str, Any],
    saved: dict[str, Any] | None,
    recipe: Recipe,
    device: torch.device,
) -> None:
    """Print which flags have no effect on a run that goes on, because it goes on as it began."""
    given = {item.partition("=")[0] for item in options.set}
    given |= {name for name in _RECIPE_FLAGS if getattr(options, name) is not None}
    wanted = _recipe(options, device)
    for line in ignored_flags(recipe, wanted, given | ({"name"} if options.recipe else set())):
        print(line)
    if options.minutes and options.minutes != config.get("minutes"):
        print(f"--minutes {options.minutes:g} is ignored: the run goes on to its {config['steps']} steps.")
    source = checkpoint.load(options.source) if saved and options.source and options.source.exists() else None
    if source and source.version != config["provenance"].get("started_from"):
        print(f"--from {options.source} is ignored: the run began without it.")
    if options.fixed_picture:
        print(f"--fixed-picture {options.fixed_picture} is ignored: the run log keeps the photo that it began with.")


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """What a run begins with, beside its recipe and its pictures."""

    config: dict[str, Any] | None
    """What the run's folder says of the run; None for a new one."""
    source: Checkpoint | None
    """The network to start from, where the run has no saved state yet."""
    teachers: list[TeacherSpec]
    """The networks to learn from."""


def _read_origin(options: argparse.Namespace, config: dict[str, Any] | None, saved: dict[str, Any] | None) -> _Origin:
    """Raises ValueError where a run would go on with another start or other teachers than it began with."""
    teachers = load_teachers(options.teacher)
    source = checkpoint.load(options.source) if options.source and not saved else None
    if config:
        if list(config["provenance"].get("teachers", [])) != [teacher.record for teacher in teachers]:
            raise ValueError(f"{options.out} has other teachers: give --teacher as it was when the run began.")
        began_from = config["provenance"].get("started_from")
        if not saved and began_from and not source:
            raise ValueError(f"{options.out} was to start from another network, and holds no state: give --from again.")
        if source and source.version != began_from:
            raise ValueError(f"{options.out} began without {options.source}: give --from as it was then.")
    return _Origin(config=config, source=source, teachers=teachers)


def _recipe(options: argparse.Namespace, device: torch.device) -> Recipe:
    """The recipe that the flags name, with what they override, and its precision decided for the device."""
    settings = dict(item.partition("=")[::2] for item in options.set)
    for name in _RECIPE_FLAGS:
        if getattr(options, name) is not None:
            settings[name] = getattr(options, name)
    recipe = RECIPES[options.recipe or _DEFAULT_RECIPE]()
    if not options.teacher:  # then labels alone have to tell one set's classes from another's (decision 25)
        recipe = replace(recipe, labels_within_set=False)
    recipe = override(recipe, settings)
    return replace(recipe, precision=resolve_precision(recipe.precision, device))


def _plan(
    options: argparse.Namespace, recipe: Recipe, origin: _Origin, device: torch.device, group: ProcessGroup
) -> Plan:
    """Read the pictures and plan the run; what the folder of a resumed run says is not decided anew."""
    if group.is_main:
        print("Reading the pictures …", flush=True)
    sets, validation = data.load_united(
        options.data,
        cache=options.cache,
        max_bad=options.max_bad,
        side=recipe.picture_side,
        rank=group.rank,
        world=group.local_world_size,
    )
    config = origin.config
    if config is None:
        provenance = _provenance(sets, recipe, device, group)
        if origin.teachers:
            provenance["teachers"] = [teacher.record for teacher in origin.teachers]
            provenance["taught_by"] = [teacher.origin for teacher in origin.teachers]
    else:
        provenance = dict(config["provenance"])
    preprocessing = Preprocessing(**config["preprocessing"]) if config else None
    if origin.source is not None:
        provenance["started_from"] = origin.source.version
        preprocessing = origin.source.preprocessing
    return build_plan(
        recipe,
        sets,
        validation,
        device,
        group=group,
        steps=config["steps"] if config else None,
        preprocessing=preprocessing,
        colours=Colours(**config["colours"]) if config else None,
        provenance=provenance,
    )


def _provenance(
    sets: Sequence[data.PictureSet], recipe: Recipe, device: torch.device, group: ProcessGroup
) -> dict[str, Any]:
    return {
        "data": {one.name: len(one.pictures) for one in sets},
        "started": time.strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "device": str(device),
        "processes": group.world_size,
        "seed": recipe.seed,
        "preset": recipe.name,
    }


def _steps_in(minutes: float, plan: Plan, teachers: Teachers | None) -> int:
    """How many steps fit into so many minutes: the same number for all processes, that of the slowest."""
    steps: int = min(plan.group.gather(max(1, int(minutes * 60 / seconds_per_step(plan, teachers)))))
    if plan.group.is_main:
        print(f"{minutes:g} minutes are about {steps} steps.", flush=True)
    return steps


def _trainer(options: argparse.Namespace, plan: Plan, state: TrainState, teachers: Teachers | None) -> Trainer:
    tensorboard = TensorBoardWriter(options.out) if options.tensorboard and plan.group.is_main else None
    return Trainer(
        plan=plan,
        state=state,
        folder=options.out,
        console=TrainingConsole(plan.steps, state.step, plan.group, tensorboard),
        teachers=teachers,
        log_every=max(1, options.log_every),
        save_every=max(1, options.save_every),
    )
