"""How far the microscope is: a bar for each stage on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from threading import Lock
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_LINES = 5  # of a stage, where there is no terminal


class Stages:
    """A context that shows progress; its methods may be called from several threads."""

    def __init__(self) -> None:
        self._console = Console()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._totals: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, stage: str, total: int) -> None:
        """Name a stage, and say how much there is to do in it."""
        self._totals[stage], self._done[stage] = total, 0
        self._tasks[stage] = self._bar.add_task(stage, total=total)

    def advance(self, stage: str, number: int) -> None:
        """Say that so much more of a stage is done."""
        with self._lock:
            before = self._done[stage]
            done = self._done[stage] = before + number
            self._bar.update(self._tasks[stage], completed=done)
            total = max(self._totals[stage], 1)
            if not self._console.is_terminal and _LINES * done // total > _LINES * before // total:
                self._console.print(f"{stage}: {done}/{total}", markup=False, highlight=False, soft_wrap=True)
