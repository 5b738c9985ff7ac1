"""The run: batches, steps, evaluation and saving, from a recipe and picture sets."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.optim import Optimizer

from model import checkpoint, journal
from model.checkpoint import Checkpoint, Preprocessing
from model.engines.alexnet import AlexNet
from model.engines.torch_engine import TorchEngine, standardise
from training import state
from training.augment import augment
from training.config import Recipe
from training.data import PictureSet, stream
from training.evaluate import Measured, evaluate
from training.grow import grown, stretch
from training.optim import optimisers, rate, set_rate
from training.sources import Source

PREPROCESSING = Preprocessing(mean=(122.0, 114.0, 102.0), scale=1 / 64)
_SAVE_EVERY = 500
_LOG_EVERY = 25
_EVALUATE_EVERY = 100  # at the most often: an epoch of a small set is a step or two


class DivergedError(RuntimeError):
    """The loss is no longer a number; the last good state is kept."""


@dataclass
class Run:
    """A run in progress."""

    recipe: Recipe
    folder: Path
    sources: list[Source]
    word_rows: slice | None
    validation: Sequence[PictureSet]
    vocabularies: tuple[Any, ...]
    provenance: dict[str, Any]
    steps: int
    steps_per_epoch: int
    device: torch.device
    network: AlexNet
    optimisers: list[Optimizer]
    step: int = 0
    best: float = -1.0

    @property
    def size(self) -> int:
        """Picture size of this step."""
        return self.network.architecture.input_size


def batch(run: Run) -> tuple[Tensor, list[Tensor]]:
    """Standardised pictures of one step, and the targets of each source; a function of the seed and the step alone."""
    generator = torch.Generator().manual_seed(run.recipe.seed * 1_000_003 + run.step)
    pictures, targets = [], []
    for number, source in enumerate(run.sources):
        order = stream(len(source.pictures), run.step * source.number, source.number, run.recipe.seed * 31 + number)
        index = torch.from_numpy(order).to(run.device)
        pictures.append(augment(source.pictures[index], run.size, run.recipe, generator))
        targets.append(source.targets[index])
    return standardise(torch.cat(pictures), PREPROCESSING), targets


def loss_of(run: Run, logits: Tensor, targets: list[Tensor]) -> Tensor:
    """Mean over the batch; a picture counts in its own slice, and in the words that its class decides."""
    total, start = logits.new_zeros(()), 0
    for source, target in zip(run.sources, targets, strict=True):
        mine = logits[start : start + len(target)]
        start += len(target)
        if source.exclusive:
            own = mine[:, source.rows]
            total = total + F.cross_entropy(own, target, reduction="sum", label_smoothing=run.recipe.label_smoothing)
            if source.words is not None and run.word_rows is not None:
                weight = run.recipe.word_weight * run.recipe.absence_weight
                total = total + weight * _word_loss(mine[:, run.word_rows], source.words[target])
        else:
            total = total + run.recipe.word_weight * _word_loss(mine[:, source.rows], target)
    return total / len(logits)


def _word_loss(logits: Tensor, targets: Tensor) -> Tensor:
    known = ~targets.isnan()
    losses = F.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (losses * known).sum()


def train_step(run: Run) -> float:
    """One update. Returns the loss; raises DivergedError before the update where it is not finite."""
    set_rate(run.optimisers, rate(run.step, run.steps, run.recipe.warmup))
    torch.manual_seed(run.recipe.seed * 7_919 + run.step)  # dropout
    x, targets = batch(run)
    with torch.autocast(run.device.type, torch.bfloat16, enabled=run.recipe.precision == "bf16"):
        logits = run.network(x)
    loss = loss_of(run, logits.float(), targets)
    if not torch.isfinite(loss):
        raise DivergedError(
            f"The loss became {loss.item()} at step {run.step}: lower --lr, or resume from the last state."
        )
    for optimiser in run.optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()
    for optimiser in run.optimisers:
        optimiser.step()
    run.step += 1
    return loss.item()


def grow_if_due(run: Run) -> None:
    """Let the network grow to the picture size of this step; the optimisers' memory of fc6 grows with it."""
    size = run.recipe.size_at(run.step, run.steps)
    if size == run.size:
        return
    old, memory = run.network, [o.state_dict() for o in run.optimisers]
    sides = old.architecture.layer("pool5").shape[1], old.architecture.at(size).layer("pool5").shape[1]
    shape = old.get_parameter("fc6.weight").shape
    run.network = grown(old, size).to(run.device).train()
    run.optimisers = optimisers(run.network, run.recipe)
    for optimiser, remembered in zip(run.optimisers, memory, strict=True):
        for entry in remembered["state"].values():
            for name, value in entry.items():
                if value.shape == shape:
                    entry[name] = stretch(value, *sides)
        optimiser.load_state_dict(remembered)


def train(run: Run) -> Measured:
    """Go on to the last step; evaluate every epoch, save as it goes.

    Ctrl-C and SIGTERM save the state and raise KeyboardInterrupt.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run.network.train()
    measured: Measured = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns) as progress:
            task = progress.add_task("training", total=run.steps, completed=run.step)
            since, losses = time.perf_counter(), []
            while run.step < run.steps:
                grow_if_due(run)
                losses.append(train_step(run))
                if run.step % _LOG_EVERY == 0:
                    seconds, since = time.perf_counter() - since, time.perf_counter()
                    speed = len(losses) * sum(s.number for s in run.sources) / seconds
                    _journal(run, {"loss": round(float(np.mean(losses)), 4), "images_per_second": round(speed, 1)})
                    progress.update(
                        task,
                        completed=run.step,
                        description=f"{run.size} px  loss {np.mean(losses):.3f}  {speed:.0f}/s",
                    )
                    losses = []
                if run.step % max(run.steps_per_epoch, _EVALUATE_EVERY) == 0 or run.step == run.steps:
                    measured = finish_epoch(run)
                    progress.console.print(f"step {run.step}: {json.dumps(measured)}")
                    since = time.perf_counter()
                elif run.step % _SAVE_EVERY == 0:
                    save_state(run)
    except KeyboardInterrupt:
        save_state(run)
        raise
    return measured


def finish_epoch(run: Run) -> Measured:
    """Evaluate with the serving preprocessing, write the checkpoints and the state."""
    made = as_checkpoint(run, {})
    precision = run.recipe.precision
    engine = TorchEngine(made, precision=precision, device=run.device.type)
    measured = evaluate(engine, run.validation, made.slices())
    made = as_checkpoint(run, measured)
    score = float(np.mean([v["top1"] if "top1" in v else v["map"] for v in measured.values()]))
    _journal(run, {"measured": measured})
    checkpoint.save(run.folder / "last.safetensors", made)
    if score >= run.best:
        run.best = score
        checkpoint.save(run.folder / "best.safetensors", made)
    save_state(run)
    return measured


def as_checkpoint(run: Run, measured: Measured) -> Checkpoint:
    """The network as it is now."""
    weights = {
        name: value.detach().float().cpu().contiguous().numpy()
        for name, value in run.network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    return Checkpoint(
        architecture=run.network.architecture, preprocessing=PREPROCESSING, vocabularies=run.vocabularies,
        weights=weights, provenance={**run.provenance, "step": run.step, "steps": run.steps}, measured=measured,
    )  # fmt: skip


def save_state(run: Run) -> None:
    """Write what a resumed run needs."""
    state.save(run.folder / "state.pt", run.step, run.size, run.network, run.optimisers)


def _journal(run: Run, entry: dict[str, Any]) -> None:
    journal.append(run.folder / "metrics.jsonl", {"step": run.step, "size": run.size, **entry})
