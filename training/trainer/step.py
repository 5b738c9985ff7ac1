"""One training step: a batch, its loss, one update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model.engines.torch_engine import standardise
from training.trainer.augment import add_colour_noise, augment, draw
from training.trainer.optim import set_rate
from training.trainer.schedule import conv1_rate, rate
from training.trainer.sources import Source
from training.trainer.state import Run


class DivergedError(RuntimeError):
    """The loss is no longer a number; the last good state is kept."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The pictures of one set in a batch: (n, 3, S, S), standardised, and what they show."""

    source: Source
    pictures: Tensor
    targets: Tensor
    others: Tensor | None = None
    """Targets of the pictures mixed into these."""
    own: float = 1.0
    """Share of a picture that is its own."""


def parts(run: Run) -> list[Part]:
    """This process's share of one step's pictures; a function of the seed and the step alone."""
    generator = torch.Generator().manual_seed(run.recipe.seed * 1_000_003 + run.step)
    made = []
    for number, source in enumerate(run.sources):
        mine = run.ranks.share(source.number)
        pixels, targets = source.batch(run.step, run.recipe.seed * 31 + number, mine)
        chance = draw(source.number, run.recipe, generator).of(mine)
        x = augment(pixels, run.size, run.recipe, chance)
        if run.recipe.colour_noise and run.step < run.recipe.colour_noise_until * run.steps:
            x = add_colour_noise(x, run.colours, run.recipe.colour_noise, chance)
        part = Part(source=source, pictures=standardise(x, run.preprocessing), targets=targets)
        made.append(mixed(part, run))
    return made


def mixed(part: Part, run: Run) -> Part:
    """The pictures mixed among themselves, as mixup or CutMix does it, where the recipe asks for it."""
    random = np.random.default_rng((run.recipe.seed, run.step, part.source.rows.start, run.ranks.rank))
    kinds = [(f, a) for f, a in ((_mixup, run.recipe.mixup), (_cutmix, run.recipe.cutmix)) if a]
    if not kinds:
        return part
    mix, alpha = kinds[int(random.integers(len(kinds)))]
    partners = torch.from_numpy(random.permutation(len(part.pictures))).to(run.device)
    pictures, own = mix(part.pictures, part.pictures[partners], float(random.beta(alpha, alpha)), random)
    return Part(source=part.source, pictures=pictures, targets=part.targets, others=part.targets[partners], own=own)


def _mixup(x: Tensor, y: Tensor, own: float, _: np.random.Generator) -> tuple[Tensor, float]:
    return own * x + (1 - own) * y, own


def _cutmix(x: Tensor, y: Tensor, own: float, random: np.random.Generator) -> tuple[Tensor, float]:
    side = x.shape[-1]
    half = int(side * (1 - own) ** 0.5) // 2
    row, column = random.integers(side, size=2)
    window = slice(max(0, row - half), row + half), slice(max(0, column - half), column + half)
    x = x.clone()
    x[:, :, window[0], window[1]] = y[:, :, window[0], window[1]]
    area = x[0, 0, window[0], window[1]].numel()
    return x, 1 - area / side**2


def loss_of(run: Run, logits: Tensor, batch: list[Part], taught: Tensor | None = None) -> Tensor:
    """Mean over the whole batch, of this process's pictures (times the number of processes, which are averaged).

    A picture counts in its own slice of fc8, and in the words that its class decides; where there are teachers, what
    they say (``taught``, logits) counts for ``teaching`` of that, and they leave no word open.
    """
    total, start = logits.new_zeros(()), 0
    for part in batch:
        mine = logits[start : start + len(part.targets)]
        asked = part.own * _loss_of_part(run, mine, part.source, part.targets)
        if part.others is not None:
            asked = asked + (1 - part.own) * _loss_of_part(run, mine, part.source, part.others)
        if taught is not None:
            told = _loss_by_teachers(run, mine, part.source, taught[start : start + len(part.targets)])
            asked = asked + run.recipe.teaching * (told - asked)
        total = total + asked
        start += len(part.targets)
    return total * run.ranks.world / run.pictures_per_step


def _loss_of_part(run: Run, logits: Tensor, source: Source, targets: Tensor) -> Tensor:
    recipe = run.recipe
    if not source.exclusive:
        return recipe.word_weight * _word_loss(logits[:, source.rows], targets)
    loss = F.cross_entropy(logits[:, source.rows], targets, reduction="sum", label_smoothing=recipe.label_smoothing)
    if source.words is not None and run.word_rows is not None:
        weight = recipe.word_weight * recipe.absence_weight
        loss = loss + weight * _word_loss(logits[:, run.word_rows], source.words[targets])
    return loss


def _loss_by_teachers(run: Run, logits: Tensor, source: Source, taught: Tensor) -> Tensor:
    weight, loss = run.recipe.word_weight, logits.new_zeros(())
    if source.exclusive:
        weight *= run.recipe.absence_weight
        loss = F.cross_entropy(logits[:, source.rows], taught[:, source.rows].softmax(1), reduction="sum")
    if run.word_rows is not None:
        loss = loss + weight * _word_loss(logits[:, run.word_rows], taught[:, run.word_rows].sigmoid())
    return loss


def _word_loss(logits: Tensor, targets: Tensor) -> Tensor:
    known = ~targets.isnan()
    losses = F.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (losses * known).sum()


def train_step(run: Run) -> float:
    """One update. Returns the loss; raises DivergedError before the update where it is not finite."""
    set_rate(
        run.optimisers,
        rate(run.step, run.steps, run.recipe, run.scores),
        conv1_rate(run.step, run.steps, run.recipe),
    )
    torch.manual_seed((run.recipe.seed * 7_919 + run.step) * run.ranks.world + run.ranks.rank)  # dropout
    batch = parts(run)
    with torch.autocast(run.device.type, torch.bfloat16, enabled=run.recipe.precision == "bf16"):
        pictures = torch.cat([part.pictures for part in batch])
        logits = run.forward(pictures)
        taught = run.teachers.answers(pictures) if run.teachers else None
    loss = loss_of(run, logits.float(), batch, taught)
    whole = run.ranks.sum(loss.detach().clone()).item() / run.ranks.world
    if not np.isfinite(whole):
        raise DivergedError(f"The loss became {whole} at step {run.step}: lower --lr, or resume from the last state.")
    for optimiser in run.optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()
    for optimiser in run.optimisers:
        optimiser.step()
    run.step += 1
    run.update_average()
    return whole
