"""Fine-tuning: a public backbone learns our labels, all vocabularies in one last layer, and becomes a teacher."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim import AdamW

from model.engines.interface import Output
from model.engines.torch_engine import standardise
from model.runlog import writer
from model.runlog.reader import RUN_LOG
from training.evaluation.accuracy import Figures, evaluate
from training.trainer.batch import load_batch
from training.trainer.console import TrainingConsole
from training.trainer.interrupt import InterruptGuard
from training.trainer.plan import Plan
from training.trainer.run_folder import STATE
from training.trainer.schedule import lr_factor
from training.trainer.state import write_state
from training.trainer.step import batch_loss, refuse_diverged
from training.trainer.teachers import checkpoint
from training.trainer.teachers.backbones import Backbone, create_network, head_of
from training.trainer.teachers.checkpoint import TeacherCheckpoint
from training.trainer.teachers.depthwise import QuickDepthwise

TEACHER = "teacher.safetensors"
"""Name of the file in a run's folder that ``train --teacher`` takes."""
UNREAD = frozenset(
    [
        "activation",
        "columns",
        "lrn",
        "overlapping_pooling",
        "batch_norm",
        "without",
        "dropout",
        "dropout_at_test",
        "initialisation",
        "input_detail",
        "optimiser",
        "muon_lr",
        "muon_decay",
        "bias_lr",
        "momentum",
        "decay_biases",
        "patience",
        "ema",
        "compile",
        "distillation_weight",
        "distillation_temperature",
        "distillation_elsewhere",
    ]
)
"""Fields of a recipe that mean nothing here: the network is the backbone's, AdamW trains it, and nobody teaches it."""
_LOG_EVERY = 25  # steps between two lines of the run log
_SAVE_EVERY = 100  # steps between two saved states
_HEAD_SPEED = 4  # times the learning rate of the rest, for most of the last layer begins from noise


@dataclass(kw_only=True)
class FineTuning:
    """A run that fine-tunes a backbone; :func:`begin` creates it."""

    plan: Plan
    """What is learned, and how."""
    backbone: Backbone
    network: nn.Module
    optimiser: AdamW
    folder: Path
    """Where run log, state and teacher are written."""
    step: int = 0
    """Number of updates that were made."""

    def train(self) -> Figures:
        """Go on to the last step and return the figures of the last evaluation.

        Ctrl-C and SIGTERM save the state after the step at hand and raise KeyboardInterrupt. Raises DivergedError,
        DataError or OSError as ``Trainer.train`` does.
        """
        plan = self.plan
        figures: Figures = {}
        with TrainingConsole(plan.steps, self.step, plan.group) as console, InterruptGuard() as interrupt:
            while self.step < plan.steps:
                start, losses = time.perf_counter(), [self._step()]
                while not (interrupt.requested or self._is_due()):
                    losses.append(self._step())
                rate = len(losses) * plan.pictures_per_step / (time.perf_counter() - start)
                entry = {"loss": round(float(np.mean(losses)), 5), "images_per_second": round(rate, 1)}
                console.log_steps(self.step, self._size, entry)
                self._append(entry)
                if self.step % plan.steps_per_epoch == 0 or self.step == plan.steps:
                    figures = self._evaluate()
                    console.log_evaluation(self.step, figures)
                if interrupt.requested or self.step % _SAVE_EVERY == 0 or self.step == plan.steps:
                    self.save()
                if interrupt.requested:
                    raise KeyboardInterrupt
        return figures

    @property
    def _size(self) -> int:
        return self.plan.size_at(self.step)

    def _is_due(self) -> bool:
        everies = (_LOG_EVERY, _SAVE_EVERY, self.plan.steps_per_epoch, self.plan.steps)
        return any(self.step % every == 0 for every in everies)

    def _step(self) -> float:
        """Make one update and return its loss; raise DivergedError before it where the loss is not finite."""
        plan, device = self.plan, self.plan.device
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * lr_factor(self.step, plan.steps, plan.recipe)
        torch.manual_seed(plan.recipe.seed * 7_919 + self.step)  # dropout, where the backbone has some
        batch = load_batch(plan, self.step, self._size)
        pictures_NCHW = torch.cat([part.pictures for part in batch])
        with torch.autocast(device.type, torch.bfloat16, enabled=plan.recipe.precision == "bf16"), QuickDepthwise():
            logits_NO = self.network.train()(pictures_NCHW)
        loss = batch_loss(plan, batch, logits_NO.float(), None)
        value = loss.item()
        refuse_diverged(value, self.step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        return value

    def _evaluate(self) -> Figures:
        """Measure the network on the validation sets and write the teacher's file and the run log."""
        figures = evaluate(_TeacherEngine(self), self.plan.validation, self.plan.rows)
        self._append({"measured": figures})
        teacher = TeacherCheckpoint(
            backbone=self.backbone.name,
            size=self._size,
            preprocessing=self.plan.preprocessing,
            vocabularies=self.plan.vocabularies,
            weights=self.network.state_dict(),
            provenance={**self.plan.provenance, "step": self.step, "steps": self.plan.steps},
            measured=figures,
        )
        checkpoint.save(self.folder / TEACHER, teacher)
        return figures

    def save(self) -> None:
        """Write what a resumed run needs. Raises OSError where the disk will not take it."""
        record = {"step": self.step, "network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}
        write_state(self.folder / STATE, record)

    def _append(self, entry: Mapping[str, object]) -> None:
        writer.append(self.folder / RUN_LOG, {"step": self.step, "size": self._size, **entry})


def begin(plan: Plan, backbone: Backbone, folder: Path, saved: dict[str, Any] | None = None) -> FineTuning:
    """A run before its first step, or as :meth:`FineTuning.save` left it.

    Raises ValueError where the backbone is not installed, or the saved state is another network's.
    """
    torch.manual_seed(plan.recipe.seed)
    network = create_network(backbone, plan.vocabularies).to(memory_format=torch.channels_last).to(plan.device)
    head = list(head_of(network).parameters())
    rest = [weight for weight in network.parameters() if all(weight is not one for one in head)]
    recipe = plan.recipe
    groups: Sequence[dict[str, Any]] = (
        {"params": rest, "lr": recipe.lr, "peak": recipe.lr},
        {"params": head, "lr": _HEAD_SPEED * recipe.lr, "peak": _HEAD_SPEED * recipe.lr},
    )
    optimiser = AdamW(groups, weight_decay=recipe.weight_decay)
    run = FineTuning(plan=plan, backbone=backbone, network=network, optimiser=optimiser, folder=folder)
    if saved:
        try:
            network.load_state_dict(saved["network"])
            optimiser.load_state_dict(saved["optimiser"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(f"{folder} holds the state of another network: name another --out.") from error
        run.step = saved["step"]
    return run


@dataclass(frozen=True)
class _Input:
    input_size: int
    input_detail: int = 0


class _TeacherEngine:
    """A network under training as something to measure."""

    def __init__(self, run: FineTuning) -> None:
        self.architecture = _Input(run._size)
        self._network = run.network
        self._plan = run.plan

    @torch.inference_mode()
    def run(self, pictures: NDArray[np.uint8], /) -> Output:
        """The logits of (N, S, S, 3) uint8 pictures."""
        plan = self._plan
        x_NCHW = torch.from_numpy(np.ascontiguousarray(pictures)).to(plan.device).permute(0, 3, 1, 2)
        with torch.autocast(plan.device.type, torch.bfloat16, enabled=plan.recipe.precision == "bf16"):
            logits = self._network.eval()(standardise(x_NCHW, plan.preprocessing))
        return Output(logits.float().cpu().numpy())
