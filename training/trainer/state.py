"""A run in progress, and a run at rest: in one file written atomically, from which it goes on bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import nn
from torch.optim import Optimizer

from model.checkpoint import Checkpoint, Preprocessing
from model.engines.alexnet import AlexNet
from model.files import atomically
from model.vocabulary import Vocabulary
from training.config import Recipe
from training.data import PictureSet
from training.distributed import Ranks
from training.trainer.augment import Colours
from training.trainer.distillation import Teachers
from training.trainer.optim import optimisers
from training.trainer.resize import grow_memory, grown
from training.trainer.sources import Source

PREPROCESSING = Preprocessing(mean=(122.0, 114.0, 102.0), scale=1 / 64)
"""Pixels to about unit spread, where a recipe does not ask for the training set's own mean."""


@dataclass(kw_only=True)
class Run:
    """A run in progress. All chance in it is a function of the seed and the step, so nothing else has to be kept."""

    recipe: Recipe
    folder: Path
    sources: list[Source]
    word_rows: slice | None
    validation: Sequence[PictureSet]
    vocabularies: tuple[Vocabulary, ...]
    provenance: dict[str, Any]
    preprocessing: Preprocessing
    colours: Colours
    steps: int
    steps_per_epoch: int
    device: torch.device
    network: AlexNet
    ranks: Ranks = field(default_factory=Ranks)
    log_every: int = 25
    """Steps between two lines of the journal."""
    save_every: int = 100
    """Steps between two saved states."""
    step: int = 0
    scores: list[float] = field(default_factory=list)
    """Of each evaluation so far at this picture size: the mean over the vocabularies."""
    average: AlexNet | None = None
    """The averaged network, where the recipe asks for one."""
    teachers: Teachers | None = None
    """Whose answers stand beside the labels."""
    forward: nn.Module = field(init=False)
    """The network as a step calls it: perhaps compiled, perhaps one of many."""
    optimisers: list[Optimizer] = field(init=False)

    def __post_init__(self) -> None:
        self._adopt(self.network)
        if self.recipe.ema:
            self.average = deepcopy(self.network)

    @property
    def size(self) -> int:
        """Picture size of this step."""
        return self.network.architecture.input_size

    @property
    def pictures_per_step(self) -> int:
        """Of all sets and all processes."""
        return sum(source.number for source in self.sources)

    def _adopt(self, network: AlexNet) -> None:
        self.network = network.to(memory_format=torch.channels_last).to(self.device).train()
        if self.recipe.compile:
            self.network.compile(dynamic=False)
        self.forward = self.ranks.wrap(self.network)
        self.optimisers = optimisers(self.network, self.recipe)

    def grow_if_due(self) -> None:
        """Let the network grow to the picture size of this step; the optimisers' memory of fc6 grows with it."""
        size = self.recipe.size_at(self.step, self.steps)
        if size == self.size:
            return
        self.scores = []
        old, memory = self.network, [o.state_dict() for o in self.optimisers]
        self._adopt(grown(old, size))
        if self.average is not None:
            self.average = grown(self.average, size).to(self.device)
        for optimiser, remembered in zip(self.optimisers, memory, strict=True):
            for entry in remembered["state"].values():
                grow_memory(entry, old, self.network)
            optimiser.load_state_dict(remembered)

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the averaged network towards the network; faster in the first steps, when it has little to average."""
        if self.average is not None:
            weight = 1 - min(self.recipe.ema, (1 + self.step) / (10 + self.step))
            now = self.network.state_dict()
            for name, value in self.average.state_dict().items():
                value.lerp_(now[name], weight) if value.is_floating_point() else value.copy_(now[name])

    def checkpoint(self) -> Checkpoint:
        """The network as it is now, or its average where there is one."""
        state = (self.average or self.network).state_dict()
        weights = {
            name: value.detach().float().cpu().contiguous().numpy()
            for name, value in state.items()
            if not name.endswith("num_batches_tracked")
        }
        return Checkpoint(
            architecture=self.network.architecture, preprocessing=self.preprocessing, vocabularies=self.vocabularies,
            weights=weights, provenance={**self.provenance, "step": self.step, "steps": self.steps},
        )  # fmt: skip

    def save(self) -> None:
        """Write what a resumed run needs. Raises OSError where the disk will not take it; the last state then stays."""
        state: dict[str, Any] = {
            "step": self.step, "size": self.size, "network": self.network.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
        }  # fmt: skip
        if self.average is not None:
            state["average"] = self.average.state_dict()
        write_state(self.folder / "state.pt", state)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`save` was."""
        architecture = self.network.architecture.at(state["size"])
        self._adopt(AlexNet(architecture))
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average = AlexNet(architecture).to(memory_format=torch.channels_last).to(self.device)
            self.average.load_state_dict(state["average"])
        for optimiser, memory in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(memory)
        self.step = state["step"]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A run's folder to ourselves, made if need be. Raises ValueError where another process trains in it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock").acquire(timeout=0):  # the system's: a process that is killed gives it back
            yield
    except Timeout as error:
        raise ValueError(f"Another process trains in {folder}: wait for it, stop it, or name another --out.") from error


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Atomically: a half-written file never has the name of a whole one. Raises OSError."""
    try:
        with atomically(path) as file:
            torch.save(state, file)
    except RuntimeError as error:  # torch's own word for a disk that takes no more
        raise OSError(f"{path} could not be written, so the last whole state stays: {error}") from error


def read_state(path: Path) -> dict[str, Any]:
    """``step``, ``size``, ``network``, ``optimisers``. Only tensors and plain values are read, never objects.

    Raises ValueError with one sentence for a file that is no state.
    """
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} is not a whole state of a run: delete it to start the run afresh.") from error
    return state
