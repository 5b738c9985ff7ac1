"""The state of a run: what a step changes, and what a file has to hold for the run to go on bit for bit.

All randomness is a function of the seed and the step (docs/decisions, 6), so no generator is part of it.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from model.checkpoint import Checkpoint
from model.engines.alexnet import AlexNet
from model.files import atomically
from training.trainer.batch import load_batch
from training.trainer.optim import build_optimisers
from training.trainer.plan import Plan
from training.trainer.resize import resize_input, resize_optimiser_state
from training.trainer.warm_start import start_from


@dataclass(kw_only=True)
class TrainState:
    """The network and its optimisers between two steps; :func:`build_state` creates it."""

    network: AlexNet
    """The network whose weights the optimisers change."""
    forward: nn.Module
    """The same network as a step calls it: wrapped where several processes average their gradients."""
    optimisers: list[Optimizer]
    """One or two, which together have every weight of the network."""
    average: AlexNet | None = None
    """The network with exponentially averaged weights (EMA), where the recipe asks for one."""
    step: int = 0
    """Number of updates that were made."""
    processes: int = 1
    """Number of processes that train together; each number adds up in another order, and so comes to other bits."""
    scores: list[float] = field(default_factory=list)
    """One number for each evaluation so far at this picture size: the mean over the vocabularies."""

    @property
    def size(self) -> int:
        """Side in pixels of the pictures that the network takes."""
        return self.network.architecture.input_size

    def resize_to(self, size: int, plan: Plan) -> None:
        """Let network, average and optimisers go on at another picture size; scores of the old size are forgotten."""
        if size == self.size:
            return
        before, saved = self.network, [optimiser.state_dict() for optimiser in self.optimisers]
        self.scores = []
        self.network = _placed(resize_input(before, size), plan)
        self.forward = plan.group.wrap(self.network)
        self.optimisers = build_optimisers(self.network, plan.recipe)
        if self.average is not None:
            self.average = resize_input(self.average, size).to(plan.device)
        for optimiser, record in zip(self.optimisers, saved, strict=True):
            for tensors in record["state"].values():
                resize_optimiser_state(tensors, before, self.network)
            optimiser.load_state_dict(record)

    def update_weights(self, loss: torch.Tensor) -> None:
        """One step of the optimisers down the gradient of a scalar loss."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in self.optimisers:
            optimiser.step()

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the averaged network towards the network; faster in the first steps, when it has little to average."""
        if self.average is None:
            return
        weight = 1 - min(decay, (1 + self.step) / (10 + self.step))
        current = self.network.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(current[name], weight)
            else:
                value.copy_(current[name])

    def checkpoint(self, plan: Plan) -> Checkpoint:
        """The network as it would serve now: its average where there is one."""
        weights = {
            name: value.detach().float().cpu().contiguous().numpy()
            for name, value in (self.average or self.network).state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        return Checkpoint(
            architecture=self.network.architecture,
            preprocessing=plan.preprocessing,
            vocabularies=plan.vocabularies,
            weights=weights,
            provenance={**plan.provenance, "step": self.step, "steps": plan.steps},
        )

    def save(self, path: Path) -> None:
        """Write what a resumed run needs. Raises OSError where the disk will not take it; the last state then stays."""
        record: dict[str, Any] = {
            "step": self.step,
            "size": self.size,
            "processes": self.processes,
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
        }
        if self.average is not None:
            record["average"] = self.average.state_dict()
        write_state(path, record)


def build_state(plan: Plan, source: Checkpoint | None = None) -> TrainState:
    """The state before the first step: weights drawn from the recipe's seed, or those of the network ``source``.

    Raises ValueError where the layer table of ``source`` is another than the recipe's.
    """
    network = AlexNet(plan.recipe.architecture(plan.outputs, plan.size_at(0)))
    network.initialise(plan.recipe.initialisation, torch.Generator().manual_seed(plan.recipe.seed))
    _start_words_at_their_frequency(network, plan)
    network = _placed(network, plan)
    if source is not None:
        pictures_NCHW = torch.cat([part.pictures for part in load_batch(plan, 0, plan.size_at(0))])
        start_from(network, source, plan.vocabularies, pictures_NCHW)
    state = _state_of(network, plan)
    if plan.recipe.ema:
        state.average = deepcopy(state.network)
    return state


def restore_state(plan: Plan, record: dict[str, Any], scores: list[float]) -> TrainState:
    """The state that :meth:`TrainState.save` wrote, with the scores that the run log holds.

    Raises ValueError where it is of another network than the plan's.
    """
    architecture = plan.recipe.architecture(plan.outputs, record["size"])
    network = _placed(AlexNet(architecture), plan)
    try:
        network.load_state_dict(record["network"])
    except RuntimeError as error:  # torch's list of what does not fit
        raise ValueError("The saved state is of a network with other layers or labels: name another --out.") from error
    state = _state_of(network, plan)
    if plan.recipe.ema:
        state.average = AlexNet(architecture).to(memory_format=torch.channels_last).to(plan.device)
        state.average.load_state_dict(record["average"])
    for optimiser, optimiser_record in zip(state.optimisers, record["optimisers"], strict=True):
        optimiser.load_state_dict(optimiser_record)
    state.step = record["step"]
    state.scores = scores
    return state


def _state_of(network: AlexNet, plan: Plan) -> TrainState:
    return TrainState(
        network=network,
        forward=plan.group.wrap(network),
        optimisers=build_optimisers(network, plan.recipe),
        processes=plan.group.world_size,
    )


def _placed(network: AlexNet, plan: Plan) -> AlexNet:
    """The network on the plan's device, in training mode, compiled where the recipe asks for it."""
    placed = network.to(memory_format=torch.channels_last).to(plan.device).train()
    if plan.recipe.compile:
        placed.compile(dynamic=False)
    return placed


@torch.no_grad()
def _start_words_at_their_frequency(network: AlexNet, plan: Plan) -> None:
    """Let each word begin at how often people say it, so that the first steps do not all go into silencing words."""
    for source in plan.sources:
        if not source.has_classes:
            frequencies = source.targets.cpu().float().nanmean(0).clamp(1e-3, 0.5)
            network.get_parameter("fc8.bias")[source.rows] = torch.logit(frequencies)


def write_state(path: Path, record: dict[str, Any]) -> None:
    """Write a state atomically: a half-written file never has the name of a whole one. Raises OSError."""
    try:
        with atomically(path) as file:
            torch.save(record, file)
    except RuntimeError as error:  # torch's own word for a disk that takes no more
        raise OSError(f"{path} could not be written, so the last whole state stays: {error}") from error


def read_state(path: Path) -> dict[str, Any]:
    """What :meth:`TrainState.save` wrote: ``step``, ``size``, ``processes``, ``network``, ``optimisers``, ``average``.

    ``average`` is there where the recipe asks for one; ``processes`` is not in states of 0.1.0.

    Only tensors and plain values are read, never objects. Raises ValueError with one sentence for any other file.
    """
    try:
        record: dict[str, Any] = torch.load(path, weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} is not a whole state of a run: delete it to start the run afresh.") from error
    return record
