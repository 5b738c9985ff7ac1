"""How far a long job is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EVERY = 10.0
"""Seconds between two lines."""


class Pace:
    """How many of how many, and how fast."""

    def __init__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._before, self._began = done, monotonic()

    def step(self) -> None:
        """One more."""
        self.done += 1

    @property
    def rate(self) -> float:
        """A second, since the start."""
        return (self.done - self._before) / max(1e-9, monotonic() - self._began)

    def __str__(self) -> str:
        text = f"{self.done:,} of {self.total:,}, {self.rate:.1f} images/s"
        if self.done == self.total or self.rate == 0:
            return text
        return f"{text}, {timedelta(seconds=round((self.total - self.done) / self.rate))} left"


@contextmanager
def reported(done: int, total: int, *, console: Console, bar: bool) -> Iterator[Callable[[], None]]:
    """What to call after each picture. A quiet console stays quiet."""
    pace = Pace(done, total)
    with _bar(pace, console) if bar else _lines(pace, console) as show:

        def step() -> None:
            pace.step()
            show()

        yield step


@contextmanager
def _bar(pace: Pace, console: Console) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("captions"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(
        *columns, TimeRemainingColumn(), console=console, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        task = bar.add_task("captions", total=pace.total, completed=pace.done, rate="")
        yield lambda: bar.update(task, completed=pace.done, rate=f"{pace.rate:.1f} images/s")


@contextmanager
def _lines(pace: Pace, console: Console) -> Iterator[Callable[[], None]]:
    last = monotonic()

    def say() -> None:
        console.print(f"glassbot: {pace}", soft_wrap=True, highlight=False, markup=False)

    def now_and_then() -> None:
        nonlocal last
        if monotonic() - last >= EVERY:
            last = monotonic()
            say()

    try:
        yield now_and_then
    finally:
        say()
