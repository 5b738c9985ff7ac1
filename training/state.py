"""A run at rest: weights, optimisers and the step, in one file written atomically."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


def save(path: Path, step: int, size: int, network: nn.Module, optimisers: list[Optimizer]) -> None:
    """Raises OSError where the disk will not take it; the last whole state then stays."""
    half = path.with_name(path.name + ".half")
    state = {
        "step": step, "size": size, "network": network.state_dict(), "optimisers": [o.state_dict() for o in optimisers]
    }  # fmt: skip
    try:
        with half.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def load(path: Path) -> dict[str, Any]:
    """``step``, ``size``, ``network`` and ``optimisers``. Only tensors and plain values are read, never objects."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state
