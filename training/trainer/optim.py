"""Optimisers: the paper's rule of section 5, and Muon with AdamW."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from training.config import Recipe


class PaperSGD(Optimizer):
    """Section 5 to the letter: v ← momentum · v − decay · lr · w − lr · gradient; w ← w + v.

    ``torch.optim.SGD`` keeps the learning rate outside v. That is the same while the rate is constant, but there v
    shrinks at once when the rate drops, and here it does not.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002 the base class has it
        """One update from the gradients at hand."""
        for group in self.param_groups:
            for weight in group["params"]:
                velocity = self.state[weight].setdefault("velocity", torch.zeros_like(weight))
                velocity.mul_(group["momentum"])
                velocity.sub_(weight, alpha=group["weight_decay"] * group["lr"]).sub_(weight.grad, alpha=group["lr"])
                weight.add_(velocity)


class Muon(Optimizer):
    """Momentum, orthogonalised for each convolution's (out, in * kernel^2) matrix (Jordan et al., 2024).

    It learns about half again as much from a picture as AdamW alone (docs/experiments.md). fc6 and fc7 are too large
    for it: one Newton-Schulz iteration there costs more than the whole step.
    """

    def __init__(
        self, groups: list[dict[str, Any]], lr: float, momentum: float = 0.95, precision: torch.dtype = torch.float32
    ) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "columns": 1})
        self._precision = precision

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002 the base class has it
        """One update from the gradients at hand."""
        for group in self.param_groups:
            for weight in group["params"]:
                velocity = self.state[weight].setdefault("velocity", torch.zeros_like(weight))
                velocity.mul_(group["momentum"]).add_(weight.grad)
                update = weight.grad.add(velocity, alpha=group["momentum"])
                directions = [_orthogonal(part.flatten(1), self._precision) for part in update.chunk(group["columns"])]
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(torch.cat(directions).view_as(weight), alpha=-group["lr"])


def _orthogonal(matrix: Tensor, precision: torch.dtype) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly, by five Newton-Schulz iterations."""
    x = matrix.to(precision) / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    direction: Tensor = (x.T if tall else x).float() * max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
    return direction


def build_optimisers(network: nn.Module, recipe: Recipe) -> list[Optimizer]:
    """The optimisers of a recipe over all weights; each group keeps its peak learning rate under ``peak``."""
    weights = {name: p for name, p in network.named_parameters() if p.ndim > 1}
    biases = [p for p in network.parameters() if p.ndim == 1]
    optimisers: list[Optimizer] = []
    if recipe.optimiser == "muon":
        # conv1 sees pixels: its 96 x 363 matrix is an embedding, which suits AdamW better.
        matrices = {name: p for name, p in weights.items() if p.ndim == 4 and name != "conv1.weight"}
        weights = {name: p for name, p in weights.items() if name not in matrices}
        optimisers.append(_muon(network, matrices, recipe))
    conv1 = weights.pop("conv1.weight")
    groups = [
        {"params": [conv1], "weight_decay": recipe.conv1_decay or recipe.weight_decay, "name": "conv1"},
        {"params": list(weights.values()), "weight_decay": recipe.weight_decay, "name": "weights"},
        {
            "params": biases,
            "weight_decay": recipe.weight_decay if recipe.decay_biases else 0.0,
            "lr": recipe.lr * recipe.bias_lr,
            "name": "biases",
        },
    ]
    if recipe.optimiser == "muon":
        optimisers.append(AdamW(groups, recipe.lr, betas=(0.9, 0.99), fused=True))
    elif recipe.optimiser == "paper":
        optimisers.append(PaperSGD(groups, recipe.lr, recipe.momentum))
    else:
        optimisers.append(SGD(groups, recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def _muon(network: nn.Module, matrices: dict[str, nn.Parameter], recipe: Recipe) -> Muon:
    groups = [
        {
            "params": [p],
            "columns": network.get_submodule(name.removesuffix(".weight")).groups,
            "weight_decay": recipe.muon_decay,
            "name": name,
        }
        for name, p in matrices.items()
    ]
    return Muon(groups, recipe.muon_lr, precision=torch.bfloat16 if recipe.precision == "bf16" else torch.float32)


def set_lr_factor(optimisers: list[Optimizer], factor: float, conv1_factor: float = 1.0) -> None:
    """Set the learning rate of every group to ``factor`` of its peak, and that of conv1's kernels to a share of it."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * factor * (conv1_factor if group["name"] == "conv1" else 1.0)
