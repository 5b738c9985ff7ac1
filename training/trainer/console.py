"""What a run prints while it trains: a bar on a terminal, plain lines elsewhere; and TensorBoard where asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from training.distributed import ProcessGroup
from training.trainer.tensorboard import TensorBoardWriter


class TrainingConsole:
    """A context that shows progress; silent in all processes but the main one."""

    def __init__(
        self, steps: int, first_step: int, group: ProcessGroup, tensorboard: TensorBoardWriter | None = None
    ) -> None:
        self._steps = steps
        self._tensorboard = tensorboard
        self._broken_count = 0
        self._console = Console(quiet=not group.is_main)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("training", total=steps, completed=first_step)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if self._tensorboard is not None:
            self._tensorboard.close()

    def log_steps(self, step: int, size: int, entry: dict[str, Any]) -> None:
        """Show the loss and the speed of the last few steps, at pictures of ``size`` px."""
        if self._tensorboard is not None:
            self._tensorboard.log_steps(step, size, entry)
        progress = f"{size} px  loss {entry['loss']:.3f}  {entry['images_per_second']:.0f}/s"
        self._bar.update(self._task, completed=step, description=progress)
        if not self._console.is_terminal:
            self._print(f"step {step}/{self._steps}  {progress}")

    def log_evaluation(self, step: int, figures: dict[str, Any]) -> None:
        """Show the figures of an evaluation."""
        if self._tensorboard is not None:
            self._tensorboard.log_evaluation(step, figures)
        self._print(f"step {step}: {json.dumps(figures)}")

    def log_broken(self, names: Sequence[str]) -> None:
        """Say how many pictures could not be decoded so far, whenever there are more than the last time."""
        if len(names) > self._broken_count:
            self._broken_count = len(names)
            self._print(f"{len(names)} broken and skipped, the first {names[0]}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
