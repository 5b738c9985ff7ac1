"""What one run of the serving benchmark does, and how much of it; and the photos that all parts of it send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import photos
from benchmarks.photos import Body, Encoding
from benchmarks.servers import CORES

console = Console(stderr=True, highlight=False, log_path=False)
"""Where a run tells what it is doing."""

Figures = dict[str, Any]
Ratios = dict[str, dict[str, float]]
"""Name -> ``value``, and the ``n`` measurements or requests behind it."""


@dataclass(frozen=True)
class Setting:
    """One way to start LitServe."""

    compiled: bool
    bf16: bool
    workers: int
    batch: int
    wait_ms: float
    fast_queue: bool = False

    def __str__(self) -> str:
        mode, kind = "compiled" if self.compiled else "eager", "bf16" if self.bf16 else "f32"
        queue = ", fast queue" if self.fast_queue else ""
        return f"{mode} {kind}, {self.workers} worker(s), batch {self.batch}, timeout {self.wait_ms:g} ms{queue}"


HOW = tuple(Setting(compiled, bf16, 1, 8, 5) for compiled in (False, True) for bf16 in (False, True))
"""Tried first; the best of them then with each of ``SIZES``."""

SIZES = tuple(
    (workers, *batch)
    for workers in sorted({1, CORES})
    for batch in ((1, 0.0, False), (4, 2.0, False), (8, 5.0, False), (8, 5.0, True), (16, 10.0, False))
)
"""Workers, ``max_batch_size``, ``batch_timeout`` in ms, ``fast_queue``."""


@dataclass(frozen=True)
class Plan:
    """Counts and times."""

    checkpoint: Path
    seconds: int = 10
    """Of each closed loop; open loops take twice as long, trials of LitServe half."""
    runs: int = 3
    concurrencies: tuple[int, ...] = (1, 8, 32, 128)
    in_process: tuple[int, ...] = (1, 8, 16, 32)
    """The same, where there is no HTTP."""
    photos: int = 32
    large: int = 4
    idle: int = 500
    """Sequential requests."""
    each: int = 100
    """Sequential requests for each kind of body."""
    sent: int = 2000
    """Photos before memory is read."""
    starts: int = 5
    how: tuple[Setting, ...] = HOW
    sizes: tuple[tuple[int, int, float, bool], ...] = SIZES

    def quick(self) -> Plan:
        """Every step once or twice: says nothing about speed."""
        return replace(
            self, seconds=1, runs=1, concurrencies=(1, 8), in_process=(1, 8), photos=8, large=1, idle=20, each=3,
            sent=40, starts=1, how=(Setting(False, False, 1, 2, 2.0),), sizes=(),
        )  # fmt: skip


class DisagreementError(AssertionError):
    """Two ways to the same answer gave two answers."""


class Bench:
    """A plan and its photos."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @cached_property
    def ordinary(self) -> list[bytes]:
        """JPEGs of 640 × 480, about 100 KB each."""
        return photos.ordinary(self.plan.photos)

    @cached_property
    def large(self) -> list[bytes]:
        """JPEGs of 12 megapixels."""
        return photos.large(self.plan.large)

    def bodies(self, encoding: Encoding) -> list[Body]:
        """The ordinary photos."""
        return [photos.encoded(jpeg, encoding) for jpeg in self.ordinary]


def rounded(values: Sequence[float], digits: int = 3) -> list[float]:
    """For people to read."""
    return [round(value, digits) for value in values]
