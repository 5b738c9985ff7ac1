"""One training step: a batch, its loss, one update. Read :func:`train_step` first, then what it calls.

Letters at the end of a name are its shape: N pictures in the batch, C channels (red, green, blue), H height and W width
of a crop, O outputs, which are the rows of fc8: those of all vocabularies, one after the other.

What happens                             where                          section of the paper
the learning rate falls on plateaus      ``schedule.lr_factor``         5
random crops, flips, colour noise        ``batch.load_batch``           4.1
dropout in fc6 and fc7                   inside the network             4.2
softmax cross-entropy                    ``losses.class_loss``          2, 5
momentum and weight decay                ``optim.PaperSGD``             5
"""

from __future__ import annotations

from contextlib import nullcontext
from math import isfinite

import torch
from torch import Tensor

from training.trainer.batch import BatchPart, load_batch
from training.trainer.losses import caption_set_loss, class_set_loss, distilled_loss, mixed_loss, teacher_loss
from training.trainer.optim import set_lr_factor
from training.trainer.plan import Plan
from training.trainer.schedule import conv1_lr_factor, lr_factor
from training.trainer.state import TrainState
from training.trainer.teachers.distillation import Teachers
from training.trainer.winograd import Winograd


class DivergedError(RuntimeError):
    """The loss is no longer a finite number; the last saved state is from before."""


def train_step(plan: Plan, state: TrainState, teachers: Teachers | None = None) -> float:
    """Make one update of ``state`` and return its loss; raise DivergedError before it where the loss is not finite."""
    state.resize_to(plan.size_at(state.step), plan)
    set_lr_factor(state.optimisers, *lr_factors(plan, state))
    seed_dropout(plan, state.step)
    batch = load_batch(plan, state.step, state.size)
    loss = batch_loss(plan, batch, *forward(plan, state, batch, teachers))
    mean_loss = plan.group.mean(loss)
    refuse_diverged(mean_loss, state.step)
    state.update_weights(loss)
    state.step += 1
    state.update_average(plan.recipe.ema)
    return mean_loss


def refuse_diverged(loss: float, step: int) -> None:
    """Raise DivergedError where the loss of a step is not finite."""
    if not isfinite(loss):
        raise DivergedError(
            f"The loss became {loss} at step {step}: begin again with a lower --set lr=… and another --out; --resume "
            "would make the same steps again."
        )


def lr_factors(plan: Plan, state: TrainState) -> tuple[float, float]:
    """The learning rate of this step as a share of its peak, and that of conv1's kernels as a share of the others'."""
    factor = lr_factor(state.step, plan.steps, plan.recipe, state.scores)
    return factor, conv1_lr_factor(state.step, plan.steps, plan.recipe)


def seed_dropout(plan: Plan, step: int) -> None:
    """Make dropout a function of seed, step and process (section 4.2)."""
    torch.manual_seed((plan.recipe.seed * 7_919 + step) * plan.group.world_size + plan.group.rank)


def forward(
    plan: Plan, state: TrainState, batch: list[BatchPart], teachers: Teachers | None
) -> tuple[Tensor, Tensor | None]:
    """Logits (N, O) float32 of the network, and of the teachers where there are any, for all parts in a row."""
    quick = nullcontext() if plan.recipe.compile else Winograd()
    with torch.autocast(plan.device.type, torch.bfloat16, enabled=plan.recipe.precision == "bf16"), quick:
        pictures_NCHW = torch.cat([part.pictures for part in batch])
        logits_NO = state.forward(pictures_NCHW)
        teacher_logits_NO = teachers.logits(pictures_NCHW) if teachers else None
    return logits_NO.float(), teacher_logits_NO


def batch_loss(plan: Plan, batch: list[BatchPart], logits_NO: Tensor, teacher_logits_NO: Tensor | None) -> Tensor:
    """Mean loss over the whole batch: this process's sum over all processes' pictures.

    It is multiplied by the number of processes because they average their gradients.
    """
    total = logits_NO.new_zeros(())
    start = 0
    for part in batch:
        rows = slice(start, start + len(part.targets))
        by_teachers = None if teacher_logits_NO is None else teacher_logits_NO[rows]
        total = total + part_loss(plan, part, logits_NO[rows], by_teachers)
        start = rows.stop
    return total * plan.group.world_size / plan.pictures_per_step


def part_loss(plan: Plan, part: BatchPart, logits_NO: Tensor, teacher_logits_NO: Tensor | None) -> Tensor:
    """Loss of one set's pictures, summed: against their labels, their partners' labels, and the teachers' answers."""
    loss = label_loss(plan, part, logits_NO, part.targets)
    if part.mixed_targets is not None:
        loss = mixed_loss(loss, label_loss(plan, part, logits_NO, part.mixed_targets), part.lam)
    if teacher_logits_NO is not None:
        against_teachers = taught_loss(plan, part, logits_NO, teacher_logits_NO)
        loss = distilled_loss(loss, against_teachers, plan.recipe.distillation_weight)
    return loss


def taught_loss(plan: Plan, part: BatchPart, logits_NO: Tensor, teacher_logits_NO: Tensor) -> Tensor:
    """Loss of one set's pictures against the teachers' answers in every vocabulary, summed."""
    recipe, weights = plan.recipe, plan.loss_weights
    own = part.source.rows
    classes = [
        (rows, 1.0 if rows == own else recipe.distillation_elsewhere)
        for rows in plan.rows.values()
        if rows != plan.word_rows
    ]
    words = None
    if plan.word_rows is not None:
        words = plan.word_rows, weights.implied_word if part.source.has_classes else weights.word
    return teacher_loss(logits_NO, teacher_logits_NO, classes, words, recipe.distillation_temperature)


def label_loss(plan: Plan, part: BatchPart, logits_NO: Tensor, targets: Tensor) -> Tensor:
    """Loss of one set's pictures against labels, summed; a picture counts only in the rows that its labels decide."""
    source = part.source
    if not source.has_classes:
        return caption_set_loss(logits_NO, targets, source.rows, plan.loss_weights)
    among = source.own_classes if plan.recipe.labels_within_set else None
    words, implied = plan.word_rows, source.word_targets
    return class_set_loss(logits_NO, targets, source.rows, plan.loss_weights, words, implied, among)
