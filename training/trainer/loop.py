"""The run from its step to its last: log, evaluate, save."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from model import checkpoint
from model.checkpoint import Checkpoint
from model.engines.torch_engine import TorchEngine
from model.runlog import writer
from training.evaluation.accuracy import Figures, evaluate, overall_score
from training.trainer.console import Display
from training.trainer.interrupt import Stop
from training.trainer.schedule import over, rate
from training.trainer.snapshot import snapshot
from training.trainer.state import Run
from training.trainer.step import train_step

_EVALUATE_EVERY = 100  # at the most often: an epoch of a small set is a step or two


def train(run: Run, display: Display) -> Figures:
    """Go on to the last step; evaluate every epoch, save as it goes.

    Ctrl-C and SIGTERM save the state after the step at hand and raise KeyboardInterrupt.
    """
    measured: Figures = {}
    if run.step == 0 and run.ranks.first:
        _snapshot(run, *_served(run))
    with display, Stop() as stop:
        while run.step < run.steps and not over(run.recipe, run.scores):
            run.grow_if_due()
            stopped = _steps(run, display, stop)
            if run.step % _epoch(run) == 0 or run.step == run.steps:
                measured = finish_epoch(run, display)
            elif (stopped or run.step % run.save_every == 0) and run.ranks.first:
                run.save()
            if stopped:
                raise KeyboardInterrupt
    return measured


def _epoch(run: Run) -> int:
    return max(run.steps_per_epoch, _EVALUATE_EVERY)


def _steps(run: Run, display: Display, stop: Stop) -> bool:
    """Steps up to the next line of the journal, at the same size; whether somebody asked to stop."""
    began, losses = time.perf_counter(), []
    while True:
        losses.append(train_step(run))
        stopped = run.ranks.any(stop.asked)
        due = any(run.step % often == 0 for often in (run.log_every, _epoch(run), run.save_every))
        if stopped or due or run.step == run.steps or run.recipe.size_at(run.step, run.steps) != run.size:
            break
    speed = len(losses) * run.pictures_per_step / (time.perf_counter() - began)
    share = rate(run.step - 1, run.steps, run.recipe, run.scores)
    entry = {
        "loss": round(float(np.mean(losses)), 5), "images_per_second": round(speed, 1),
        "lr": float(f"{share * run.recipe.lr:.3g}"),
    }  # fmt: skip
    display.step(run.step, run.size, entry)
    if run.ranks.first:
        _journal(run, entry)
    return stopped


def finish_epoch(run: Run, display: Display) -> Figures:
    """Evaluate with the serving preprocessing, write the checkpoints, the journal and the state."""
    made, engine = _served(run)
    measured = evaluate(engine, run.validation, made.slices(), ranks=run.ranks)
    run.scores.append(overall_score(measured))
    display.measured(run.step, measured)
    broken = _broken(run)
    display.broken(broken)
    if run.ranks.first:
        _journal(run, {"measured": measured, **({"broken": broken} if broken else {})})
        _snapshot(run, made, engine)
        made = replace(made, measured=measured)
        checkpoint.save(run.folder / "last.safetensors", made)
        if run.scores[-1] >= max(run.scores):
            checkpoint.save(run.folder / "best.safetensors", made)
        run.save()
    run.ranks.wait()
    return measured


def _broken(run: Run) -> list[str]:
    """The pictures that could not be decoded so far, by all processes."""
    pictures = [*(source.pictures for source in run.sources), *(one.pictures for one in run.validation)]
    mine = [str(broken) for one in pictures for broken in one.broken]
    return sorted({name for part in run.ranks.gather(mine) for name in part})


def _served(run: Run) -> tuple[Checkpoint, TorchEngine]:
    """The network as it is now, and as it would answer."""
    made = run.checkpoint()
    return made, TorchEngine(made, precision=run.recipe.precision, device=run.device.type)


def _snapshot(run: Run, made: Checkpoint, engine: TorchEngine) -> None:
    snapshot(made, engine, run.folder / "metrics.jsonl", run.step)


def _journal(run: Run, entry: Mapping[str, object]) -> None:
    writer.append(run.folder / "metrics.jsonl", {"step": run.step, "size": run.size, **entry})
