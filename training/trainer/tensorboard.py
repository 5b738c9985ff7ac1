"""The run log's curves as TensorBoard event files, for those who have it installed."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any


class TensorBoardWriter:
    """Writes event files into a folder. Raises ValueError with one sentence where TensorBoard is not installed."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ValueError("--tensorboard needs TensorBoard: pip install tensorboard.") from error
        self._writer: Any = SummaryWriter(str(folder))

    def log_steps(self, step: int, size: int, entry: Mapping[str, Any]) -> None:
        """Add every number of a run log line about the last steps, and the side of the pictures in pixels."""
        for name, value in {**entry, "size": size}.items():
            if isinstance(value, Real):
                self._writer.add_scalar(f"training/{name}", value, step)

    def log_evaluation(self, step: int, figures: Mapping[str, Mapping[str, Any]]) -> None:
        """Add the figures of an evaluation: a curve for each figure of each vocabulary."""
        for vocabulary, values in figures.items():
            for name, value in values.items():
                if name != "n":
                    self._writer.add_scalar(f"{vocabulary}/{name}", value, step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left to the files and close them."""
        self._writer.close()
