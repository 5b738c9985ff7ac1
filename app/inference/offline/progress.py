"""The progress of a long command on stderr: a bar on a terminal, else a line every ``INTERVAL_SECONDS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

INTERVAL_SECONDS = 10.0
"""Seconds between two lines of progress."""


class Pace:
    """Counts the pictures that are done and measures how fast they are done."""

    def __init__(self, done: int, total: int) -> None:
        self.done = done
        self.total = total
        self._done_at_start = done
        self._started_at = monotonic()

    def step(self) -> None:
        """Count one more picture as done."""
        self.done += 1

    @property
    def rate(self) -> float:
        """Pictures per second since the start."""
        return (self.done - self._done_at_start) / max(1e-9, monotonic() - self._started_at)

    def __str__(self) -> str:
        text = f"{self.done:,} of {self.total:,}, {self.rate:.1f} images/s"
        if self.done == self.total or self.rate == 0:
            return text
        return f"{text}, {timedelta(seconds=round((self.total - self.done) / self.rate))} left"


@contextmanager
def show_progress(
    done: int, total: int, *, console: Console, bar: bool, what: str = "captions"
) -> Iterator[Callable[[], None]]:
    """Show the progress from ``done`` to ``total`` pictures, and yield the function to call after each picture.

    With ``bar`` as a bar, else as lines; a quiet console shows nothing.
    """
    pace = Pace(done, total)
    with _bar(pace, console, what) if bar else _lines(pace, console) as show:

        def step() -> None:
            pace.step()
            show()

        yield step


@contextmanager
def _bar(pace: Pace, console: Console, what: str) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(what, total=pace.total, completed=pace.done, rate="")
        yield lambda: bar.update(task, completed=pace.done, rate=f"{pace.rate:.1f} images/s")


@contextmanager
def _lines(pace: Pace, console: Console) -> Iterator[Callable[[], None]]:
    printed_at = monotonic()

    def print_line() -> None:
        console.print(f"glassbot: {pace}", soft_wrap=True, highlight=False, markup=False)

    def print_when_due() -> None:
        nonlocal printed_at
        if monotonic() - printed_at >= INTERVAL_SECONDS:
            printed_at = monotonic()
            print_line()

    try:
        yield print_when_due
    finally:
        print_line()
