"""``teacher``: fine-tunes a public backbone on the picture sets, for ``train --teacher`` to learn from."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from model.runlog import writer
from model.runlog.reader import RUN_LOG
from training import data
from training.commands import Commands, add_column_flags
from training.config import Recipe, from_record, override
from training.data.sets import MAX_BAD
from training.data.survey import SurveyedSet, survey
from training.recipes import teacher
from training.trainer.augment import Colours
from training.trainer.device import pick_device, resolve_precision, reuse_freed_memory
from training.trainer.plan import Plan, build_plan
from training.trainer.resume import check_sets, ignored_flags
from training.trainer.run_folder import read_config, read_saved_state, run_lock, write_config
from training.trainer.teachers.backbones import BACKBONES, Backbone, find_backbone
from training.trainer.teachers.fine_tune import TEACHER, UNREAD, begin

_DEFAULT_BACKBONE = "efficientnet-lite0"


def add(commands: Commands) -> None:
    """Describe the ``teacher`` command to the parser."""
    parser = commands.add_parser("teacher", help="fine-tune a public backbone, for train --teacher to learn from")
    parser.add_argument(
        "--backbone",
        metavar="NAME",
        help=f"{', '.join(sorted(BACKBONES))}, or package.module:function of a torch classifier "
        f"(default: {_DEFAULT_BACKBONE})",
    )
    parser.add_argument("--data", action="append", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder; the teacher becomes OUT/" + TEACHER)
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override a field of the recipe"
    )
    parser.add_argument("--max-bad", type=float, default=MAX_BAD, help="broken pictures allowed: a share, or a number")
    parser.add_argument("--device", default="auto")
    add_column_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fine-tune from the beginning, or resume; print the figures of the last evaluation."""
    device = pick_device(options.device)
    reuse_freed_memory()
    with run_lock(options.out):
        config = read_config(options.out, "teacher", resume=options.resume)
        backbone = find_backbone(_backbone_name(options, config))
        recipe = from_record(config["recipe"]) if config else _recipe(options, device)
        saved = read_saved_state(options.out) if config else None
        if config:
            given = {item.partition("=")[0] for item in options.set}
            for line in ignored_flags(recipe, _recipe(options, device), given):
                print(line)
        if config and saved and saved["step"] >= config["steps"]:
            print(f"The teacher in {options.out} is finished.")
            return 0
        surveyed = _survey(options, config)
        plan = _plan(options, recipe, backbone, config, device)
        tuning = begin(plan, backbone, options.out, saved)
        write_config(options.out, plan, data=[one.record().to_json() for one in surveyed])
        writer.cut_back(options.out / RUN_LOG, tuning.step)
        print(json.dumps(tuning.train()))
    return 0


def _backbone_name(options: argparse.Namespace, config: dict[str, Any] | None) -> str:
    """The name that is given, or the run's own. Raises ValueError where a run would go on with another backbone."""
    if not config:
        return options.backbone or _DEFAULT_BACKBONE
    own: str = config["provenance"]["backbone"]
    if options.backbone not in (None, own):
        raise ValueError(
            f"The run in {options.out} fine-tunes {own}, not {options.backbone}: leave --backbone out, or name another "
            "--out."
        )
    return own


def _survey(options: argparse.Namespace, config: dict[str, Any] | None) -> list[SurveyedSet]:
    """Look at the sets before they are decoded. Raises ValueError where a run would go on with others than it began."""
    sets = [survey(spec) for spec in options.data]
    for line in check_sets(options.out, config, sets) if config else ():
        print(line)
    return sets


def _plan(
    options: argparse.Namespace,
    recipe: Recipe,
    backbone: Backbone,
    config: dict[str, Any] | None,
    device: torch.device,
) -> Plan:
    """Read the pictures and plan the run; what the folder of a resumed run says is not decided anew."""
    print("Reading the pictures …", flush=True)
    sets, validation = data.load_united(options.data, max_bad=options.max_bad, side=recipe.picture_side)
    return build_plan(
        recipe,
        sets,
        validation,
        device,
        steps=config["steps"] if config else None,
        preprocessing=backbone.preprocessing,
        colours=Colours(**config["colours"]) if config else None,
        provenance=config["provenance"] if config else _provenance(backbone, sets, recipe),
    )


def _recipe(options: argparse.Namespace, device: torch.device) -> Recipe:
    changes = dict(item.partition("=")[::2] for item in options.set)
    if unread := sorted(UNREAD & set(changes)):
        raise ValueError(f"A backbone brings its own network, and AdamW trains it: leave out --set {unread[0]}.")
    recipe = override(teacher(), changes)
    return replace(recipe, precision=resolve_precision(recipe.precision, device))


def _provenance(backbone: Backbone, sets: list[data.PictureSet], recipe: Recipe) -> dict[str, Any]:
    return {
        "backbone": backbone.name,
        "origin": backbone.origin,
        "data": {one.name: len(one.pictures) for one in sets},
        "started": time.strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "seed": recipe.seed,
    }
