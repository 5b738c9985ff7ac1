"""What a run says while it goes: a bar on a terminal, plain lines elsewhere, and TensorBoard where asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from training.distributed import Ranks
from training.trainer.tensorboard import Board


class Display:
    """Use as a context; silent in all processes but the first."""

    def __init__(self, steps: int, done: int, ranks: Ranks, board: Board | None = None) -> None:
        self._board = board
        self._broken = 0
        self._console = Console(quiet=not ranks.first)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("training", total=steps, completed=done)
        self._steps = steps

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if self._board is not None:
            self._board.close()

    def step(self, step: int, size: int, entry: dict[str, Any]) -> None:
        """After a few steps: their loss and speed."""
        if self._board is not None:
            self._board.step(step, size, entry)
        words = f"{size} px  loss {entry['loss']:.3f}  {entry['images_per_second']:.0f}/s"
        self._bar.update(self._task, completed=step, description=words)
        if not self._console.is_terminal:
            self._say(f"step {step}/{self._steps}  {words}")

    def measured(self, step: int, figures: dict[str, Any]) -> None:
        """After an evaluation."""
        if self._board is not None:
            self._board.measured(step, figures)
        self._say(f"step {step}: {json.dumps(figures)}")

    def broken(self, names: Sequence[str]) -> None:
        """Pictures that could not be decoded; said once for each number of them."""
        if len(names) > self._broken:
            self._broken = len(names)
            self._say(f"{len(names)} broken and skipped, the first {names[0]}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
