"""The plan of a serving benchmark: how much each part measures, and the photos that all parts send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks import photos
from benchmarks.photos import Body, Encoding
from benchmarks.servers import CORES

console = Console(stderr=True, highlight=False, log_path=False)
"""Where the benchmark shows its progress: stderr."""

Figures = dict[str, Any]
"""The figures of one part of the report, as JSON values."""
Ratios = dict[str, dict[str, float]]
"""The ratios by name; each has its ``value``, the number ``n`` of measurements or requests behind it, and its spread:
the lowest (``low``) and the highest (``high``) of the turns, each taken by itself."""


@dataclass(frozen=True)
class LitServeSettings:
    """One way to start LitServe."""

    compiled: bool
    """Whether the module is compiled by torch.compile."""
    bf16: bool
    """Whether it computes in bf16; else in f32."""
    workers: int
    """The number of processes that run the module."""
    batch: int
    """The most pictures in one batch."""
    wait_ms: float
    """The longest wait for a batch to fill, in milliseconds."""
    fast_queue: bool = False
    """Whether requests go through ZeroMQ."""

    def __str__(self) -> str:
        mode = "compiled" if self.compiled else "eager"
        precision = "bf16" if self.bf16 else "f32"
        queue = ", fast queue" if self.fast_queue else ""
        return f"{mode} {precision}, {self.workers} worker(s), batch {self.batch}, timeout {self.wait_ms:g} ms{queue}"


LITSERVE_MODES = tuple(
    LitServeSettings(compiled, bf16, 1, 8, 5) for compiled in (False, True) for bf16 in (False, True)
)
"""The settings to try first; the best of them is then tried with each of ``LITSERVE_SIZES``."""

LITSERVE_SIZES = tuple(
    (workers, *batch)
    for workers in sorted({1, CORES})
    for batch in ((1, 0.0, False), (4, 2.0, False), (8, 5.0, False), (8, 5.0, True), (16, 10.0, False))
)
"""Workers, ``max_batch_size``, ``batch_timeout`` in milliseconds, and ``fast_queue``."""


@dataclass(frozen=True)
class Plan:
    """How much each part of the benchmark measures."""

    checkpoint: Path
    """The network that all servers serve."""
    older: Path | None = None
    """The folder of an older build, which is compared as one more peer."""
    seconds: int = 10
    """Seconds of each closed loop; open loops take twice as long, trials of LitServe half as long."""
    runs: int = 3
    """How often everything that takes turns is measured."""
    concurrencies: tuple[int, ...] = (1, 8, 32, 128)
    """The numbers of clients of the closed loops."""
    in_process: tuple[int, ...] = (1, 8, 16, 32)
    """The numbers of callers in process, one for each of ``concurrencies``."""
    photos: int = 32
    """The number of different ordinary photos."""
    large: int = 4
    """The number of different large photos."""
    idle_requests: int = 500
    """Sequential requests to an idle server, in each run."""
    encoding_requests: int = 100
    """Sequential requests in each encoding of a photo."""
    memory_photos: int = 2000
    """Photos that are sent before the memory is read."""
    starts: int = 5
    """How often the start is measured."""
    litserve_modes: tuple[LitServeSettings, ...] = LITSERVE_MODES
    """The settings of LitServe to try first."""
    litserve_sizes: tuple[tuple[int, int, float, bool], ...] = LITSERVE_SIZES
    """The sizes to try with the best of ``litserve_modes``."""

    def quick(self) -> Plan:
        """Return a plan with every step once or twice, which shows that it runs and nothing about speed."""
        return replace(
            self,
            seconds=1,
            runs=1,
            concurrencies=(1, 8),
            in_process=(1, 8),
            photos=8,
            large=1,
            idle_requests=20,
            encoding_requests=3,
            memory_photos=40,
            starts=1,
            litserve_modes=(LitServeSettings(False, False, 1, 2, 2.0),),
            litserve_sizes=(),
        )


class DisagreementError(AssertionError):
    """Report that a server answered a photo differently; the message is one sentence."""


class Bench:
    """A plan, and the photos that it sends."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @cached_property
    def ordinary(self) -> list[bytes]:
        """The ordinary photos: JPEGs of 640 × 480 pixels, of about 100 KB each."""
        return photos.ordinary(self.plan.photos)

    @cached_property
    def large(self) -> list[bytes]:
        """The large photos: JPEGs of 12 megapixels."""
        return photos.large(self.plan.large)

    def bodies(self, encoding: Encoding) -> list[Body]:
        """Return the ordinary photos as bodies in one encoding."""
        return [photos.encoded(jpeg, encoding) for jpeg in self.ordinary]


def ratio_of_turns(ours: Sequence[float], theirs: Sequence[float], n: int | None = None) -> dict[str, float]:
    """Return the ratio of the medians of two figures that were measured in turns, with its spread over the turns.

    ``n`` is the number of requests behind it, where they and not the turns are what counts.
    """
    by_turn = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    value = median(ours) / median(theirs)
    return {"value": value, "n": n or len(by_turn), "low": min(by_turn), "high": max(by_turn)}


def rounded(values: Sequence[float], digits: int = 3) -> list[float]:
    """Round all values, for people to read."""
    return [round(value, digits) for value in values]
