"""Runs training from the current step to the last one: train, log, evaluate, save."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model import checkpoint
from model.checkpoint import Checkpoint
from model.engines.torch_engine import TorchEngine
from model.runlog import writer
from model.runlog.reader import RUN_LOG
from training.evaluation.accuracy import Figures, evaluate, overall_score
from training.trainer.console import TrainingConsole
from training.trainer.interrupt import InterruptGuard
from training.trainer.plan import Plan
from training.trainer.run_folder import LAST, STATE
from training.trainer.schedule import lr_factor, should_stop_early
from training.trainer.snapshot import snapshot
from training.trainer.state import TrainState
from training.trainer.step import train_step
from training.trainer.teachers.distillation import Teachers

_MIN_STEPS_BETWEEN_EVALUATIONS = 100  # an epoch of a small set is a step or two


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Carries out a plan: moves a state from its step to the plan's last, and writes what happens into a folder."""

    plan: Plan
    """What is learned, and how."""
    state: TrainState
    """Where the run is; every step changes it."""
    folder: Path
    """Where run log, state and checkpoints are written."""
    console: TrainingConsole
    """Where the progress of the run is shown."""
    teachers: Teachers | None = None
    """Networks whose answers count beside the labels, if any."""
    log_every: int = 25
    """Steps between two lines of the run log."""
    save_every: int = 100
    """Steps between two saved states."""

    def train(self) -> Figures:
        """Go on to the last step; evaluate on the way, save. Returns the figures of the last evaluation.

        Ctrl-C and SIGTERM save the state after the step at hand and raise KeyboardInterrupt. Raises DivergedError
        where the loss is not finite, DataError where too many pictures are broken, OSError where the disk is full.
        """
        plan, state = self.plan, self.state
        measured: Figures = {}
        if state.step == 0 and plan.group.is_main:
            self._snapshot(*self._serving())
        with self.console, InterruptGuard() as interrupt:
            while state.step < plan.steps and not should_stop_early(plan.recipe, state.scores):
                interrupted = self._train_until_due(interrupt)
                if state.step % self._evaluate_every == 0 or state.step == plan.steps:
                    measured = self._evaluate()
                elif (interrupted or state.step % self.save_every == 0) and plan.group.is_main:
                    state.save(self.folder / STATE)
                if interrupted:
                    raise KeyboardInterrupt
        return measured

    @property
    def _evaluate_every(self) -> int:
        return max(self.plan.steps_per_epoch, _MIN_STEPS_BETWEEN_EVALUATIONS)

    def _train_until_due(self, interrupt: InterruptGuard) -> bool:
        """Train up to the next line of the run log, at one picture size. Returns whether a process was interrupted."""
        start = time.perf_counter()
        losses = []
        while True:
            losses.append(train_step(self.plan, self.state, self.teachers))
            interrupted = self.plan.group.any(interrupt.requested)
            if interrupted or self._is_due():
                break
        pictures = len(losses) * self.plan.pictures_per_step
        self._log(losses, images_per_second=pictures / (time.perf_counter() - start))
        return interrupted

    def _is_due(self) -> bool:
        """Whether a run log line, an evaluation, a saved state, another size or the end comes after this step."""
        step = self.state.step
        regular = any(step % every == 0 for every in (self.log_every, self._evaluate_every, self.save_every))
        return regular or step == self.plan.steps or self.plan.size_at(step) != self.state.size

    def _log(self, losses: list[float], *, images_per_second: float) -> None:
        plan, state = self.plan, self.state
        factor = lr_factor(state.step - 1, plan.steps, plan.recipe, state.scores)
        entry = {
            "loss": round(float(np.mean(losses)), 5),
            "images_per_second": round(images_per_second, 1),
            "lr": float(f"{factor * plan.recipe.lr:.3g}"),
        }
        self.console.log_steps(state.step, state.size, entry)
        if plan.group.is_main:
            self._append(entry)

    def _evaluate(self) -> Figures:
        """Evaluate with the serving preprocessing; write the checkpoints, the run log and the state."""
        plan, state = self.plan, self.state
        plan.group.copy_buffers(state.average or state.network)
        network, engine = self._serving()
        measured = evaluate(engine, plan.validation, network.slices(), group=plan.group)
        state.scores.append(overall_score(measured))
        self.console.log_evaluation(state.step, measured)
        broken = self._broken()
        self.console.log_broken(broken)
        if plan.group.is_main:
            self._append({"measured": measured, **({"broken": broken} if broken else {})})
            self._snapshot(network, engine)
            network = replace(network, measured=measured)
            checkpoint.save(self.folder / LAST, network)
            if state.scores[-1] >= max(state.scores):
                checkpoint.save(self.folder / "best.safetensors", network)
            state.save(self.folder / STATE)
        plan.group.barrier()
        return measured

    def _broken(self) -> list[str]:
        """The pictures that could not be decoded so far, in any process."""
        sets = [*(source.pictures for source in self.plan.sources), *(one.pictures for one in self.plan.validation)]
        names = [str(broken) for pictures in sets for broken in pictures.broken]
        return sorted({name for part in self.plan.group.gather(names) for name in part})

    def _serving(self) -> tuple[Checkpoint, TorchEngine]:
        """The network as it is now, and an engine that answers as it would in service."""
        network = self.state.checkpoint(self.plan)
        return network, TorchEngine(network, precision=self.plan.recipe.precision, device=self.plan.device.type)

    def _snapshot(self, network: Checkpoint, engine: TorchEngine) -> None:
        snapshot(network, engine, self.folder / RUN_LOG, self.state.step)

    def _append(self, entry: Mapping[str, object]) -> None:
        writer.append(self.folder / RUN_LOG, {"step": self.state.step, "size": self.state.size, **entry})
