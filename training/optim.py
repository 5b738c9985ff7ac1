"""Optimisers and the schedule."""

from __future__ import annotations

from math import cos, pi
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from training.config import Recipe


class Muon(Optimizer):
    """Momentum, orthogonalised for each convolution's (out, in * kernel^2) matrix (Jordan et al., 2024).

    Learns about half again as much from a picture as AdamW alone here (docs/experiments.md). fc6 and fc7 are too large
    for it: one Newton-Schulz iteration there costs more than the whole step.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float, momentum: float = 0.95) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "columns": 1})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002 the base class has it
        """One update from the gradients at hand."""
        for group in self.param_groups:
            for weight in group["params"]:
                velocity = self.state[weight].setdefault("velocity", torch.zeros_like(weight))
                velocity.mul_(group["momentum"]).add_(weight.grad)
                update = weight.grad.add(velocity, alpha=group["momentum"])
                directions = [_orthogonal(part.flatten(1)) for part in update.chunk(group["columns"])]
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(torch.cat(directions).view_as(weight), alpha=-group["lr"])


def _orthogonal(matrix: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly, by five Newton-Schulz iterations in bfloat16."""
    x = matrix.bfloat16() / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    direction: Tensor = (x.T if tall else x).float() * max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
    return direction


def optimisers(network: nn.Module, recipe: Recipe) -> list[Optimizer]:
    """The optimisers of a recipe over all weights; each group keeps its peak rate under ``peak``."""
    matrices = {name: p for name, p in network.named_parameters() if p.ndim > 1}
    vectors = [p for p in network.parameters() if p.ndim == 1]
    made: list[Optimizer] = []
    if recipe.optimiser == "muon":
        # conv1 looks at pixels: its 96 x 363 matrix is an embedding, which AdamW suits better.
        for_muon = {name: p for name, p in matrices.items() if p.ndim == 4 and name != "conv1.weight"}
        groups = [
            {"params": [p], "columns": network.get_submodule(name.removesuffix(".weight")).groups}
            for name, p in for_muon.items()
        ]
        made.append(Muon([{**g, "weight_decay": recipe.weight_decay} for g in groups], recipe.muon_lr))
        matrices = {name: p for name, p in matrices.items() if name not in for_muon}
    rest = [
        {"params": list(matrices.values()), "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    if recipe.optimiser == "muon":
        made.append(AdamW(rest, recipe.lr, betas=(0.9, 0.99), fused=True))
    else:
        made.append(SGD(rest, recipe.lr, momentum=recipe.momentum, nesterov=True))
    for optimiser in made:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return made


def rate(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate at a step: a linear rise, then a cosine to 0."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + cos(pi * (step - rising) / max(1, steps - rising)))


def set_rate(optimisers: list[Optimizer], share: float) -> None:
    """Set every group to a share of its peak rate."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * share
