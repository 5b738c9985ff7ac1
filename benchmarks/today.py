"""An older build beside this one, in turns: answers over HTTP, the engine alone, memory, and seconds to start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks.arrivals import sequential
from benchmarks.builds import commit_of, engine_alone, older_build
from benchmarks.engine_alone import BATCHES, CALLERS
from benchmarks.footprint import memory
from benchmarks.load import ClosedLoop, Rounds
from benchmarks.plan import Bench, DisagreementError, Figures, Ratios, console, ratio_of_turns, rounded
from benchmarks.rivals import measure
from benchmarks.servers import GLASSBOT, Program, Server, running
from benchmarks.throughput import closed_loop_figures

CONNECTIONS = 32
"""The number of connections at which the two builds are compared; a quick plan has fewer."""


def today(bench: Bench) -> tuple[Figures, Ratios]:
    """Measure this build and the older one of the plan in turns."""
    assert bench.plan.older is not None
    older = older_build(bench.plan.older, bench.plan.checkpoint)
    builds = (GLASSBOT, older)
    network = "the same network" if older.checkpoint == bench.plan.checkpoint else "the network that it ships"
    figures: Figures = {"commit": commit_of(older.folder), "network": network}
    ratios: Ratios = {}
    for name, part in (("http", _http), ("engine", _engine), ("memory", _memory), ("start", _start)):
        console.log(f"today: {name}")
        figures[name], ratios[f"{name}_over_today"] = part(bench, builds)
    return figures, ratios


def _turns(builds: Sequence[Program], count: int, work: Callable[[Program], None]) -> None:
    """Do some work with each build, ``count`` times; who begins alternates, so that a drift harms neither."""
    for number in range(count):
        for build in builds if number % 2 == 0 else reversed(builds):
            work(build)


def _http(bench: Bench, builds: Sequence[Program]) -> tuple[Figures, dict[str, float]]:
    plan = bench.plan
    loops: dict[str, list[ClosedLoop]] = {build.name: [] for build in builds}

    def turn(build: Program) -> None:
        loops[build.name] += measure(bench, build, lambda server: _require_labels(bench, server), plan.concurrencies)

    _turns(builds, plan.runs, turn)
    ours, theirs = (Rounds(tuple(loops[build.name])) for build in builds)
    at = CONNECTIONS if CONNECTIONS in plan.concurrencies else plan.concurrencies[-1]
    figures = {build.name: closed_loop_figures(Rounds(tuple(loops[build.name]))) for build in builds}
    return {"connections": at, "servers": figures}, ratio_of_turns(ours.rates_at(at), theirs.rates_at(at))


def _require_labels(bench: Bench, server: Server) -> None:
    """Ask for every ordinary photo; another network's labels may differ. Raises DisagreementError for none."""
    for number, answer in enumerate(asyncio.run(sequential(server.port, bench.bodies("raw"), len(bench.ordinary)))):
        if answer.status != 200 or not answer.json()["labels"]:
            raise DisagreementError(f"Photo {number}: {server.name} answered {answer.status}: {answer.content[:300]!r}")


def _engine(bench: Bench, builds: Sequence[Program]) -> tuple[Figures, dict[str, float]]:
    seconds = max(0.1, bench.plan.seconds / 10)
    sizes = [(batch, callers) for callers in CALLERS for batch in BATCHES]
    rates: dict[str, dict[tuple[int, int], list[float]]] = {
        build.name: {size: [] for size in sizes} for build in builds
    }
    with ExitStack() as ends:
        engines = {build.name: ends.enter_context(engine_alone(build, bench.plan.checkpoint)) for build in builds}

        def turn(build: Program) -> None:
            for size in sizes:
                rates[build.name][size].append(engines[build.name].rate(*size, seconds))

        _turns(builds, bench.plan.runs, turn)
        names = {name: engine.name for name, engine in engines.items()}
    best = {name: max(of_build, key=lambda size: median(of_build[size])) for name, of_build in rates.items()}
    figures = {
        name: {
            "engine": names[name],
            "batch": best[name][0],
            "callers": best[name][1],
            "rate": median(of_build[best[name]]),
            "rates": {
                f"batch {batch}, {callers} caller(s)": rounded(of_build[batch, callers]) for batch, callers in sizes
            },
        }
        for name, of_build in rates.items()
    }
    ours, theirs = (rates[build.name][best[build.name]] for build in builds)
    return figures, ratio_of_turns(ours, theirs)


def _memory(bench: Bench, builds: Sequence[Program]) -> tuple[Figures, dict[str, float]]:
    measured: dict[str, list[Figures]] = {build.name: [] for build in builds}
    _turns(builds, bench.plan.runs, lambda build: measured[build.name].append(memory(bench, build)))
    ours, theirs = ([turn["after"]["rss"] for turn in measured[build.name]] for build in builds)
    return measured, ratio_of_turns(ours, theirs)


def _start(bench: Bench, builds: Sequence[Program]) -> tuple[Figures, dict[str, float]]:
    starts: dict[str, list[float]] = {build.name: [] for build in builds}

    def turn(build: Program) -> None:
        with running(build, bench.plan.checkpoint) as server:
            starts[build.name].append(server.start_seconds)

    _turns(builds, bench.plan.starts, turn)
    ours, theirs = (starts[build.name] for build in builds)
    return {name: rounded(seconds) for name, seconds in starts.items()}, ratio_of_turns(ours, theirs)
