"""How long answers take: idle, at shares of what is possible, far above it; and by how the photo is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from math import inf, isinf
from statistics import median

from benchmarks.arrivals import Flow, open_loop, percentile, recovered, sequential
from benchmarks.client import Answer
from benchmarks.load import LoadError, closed, files
from benchmarks.photos import ENCODINGS, encoded
from benchmarks.plan import Bench, Figures, Ratios, console, rounded
from benchmarks.servers import GLASSBOT, Server, running

SHARES = (0.5, 0.8, 1.2)
OVERLOAD = 5.0
USUAL = 3
"""Times the idle p99: what counts as recovered."""


def arrivals(bench: Bench, rate: float | None) -> tuple[Figures, Ratios]:
    """Idle, and Poisson arrivals at shares of ``rate``, several rounds; measures ``rate`` first where it is None."""
    plan = bench.plan
    idle: list[list[float]] = []
    flows: dict[float, list[Flow]] = {share: [] for share in (*SHARES, OVERLOAD)}
    with ExitStack() as ends:
        server = ends.enter_context(running(GLASSBOT, plan.checkpoint))
        arguments = ends.enter_context(files(bench.bodies("raw")))
        warm = closed(server, arguments, plan.concurrencies[-2], 1 if rate else plan.seconds)
        rate = rate or warm.rate
        asyncio.run(recovered(server.port, bench.bodies("raw"), inf))  # what wrk left behind is still being answered
        for number in range(plan.runs):
            console.log(f"arrivals: round {number + 1} of {plan.runs}, at shares of {rate:.1f} a second")
            idle.append(_good(asyncio.run(sequential(server.port, bench.bodies("raw"), plan.idle))))
            for share in flows:
                flows[share].append(_flow(bench, server, rate, share, number, percentile(idle[-1], 99)))
    return _summary(rate, idle, flows)


def _flow(bench: Bench, server: Server, rate: float, share: float, number: int, idle_p99: float) -> Flow:
    """One open loop; only the overload is followed by a wait for recovery."""
    usual = USUAL * idle_p99 if share == OVERLOAD else None
    seconds = 2 * bench.plan.seconds
    wanted = open_loop(
        server.port, bench.bodies("raw"), rate=share * rate, seconds=seconds, seed=number, usual=usual
    )  # fmt: skip
    return asyncio.run(wanted)


def _good(answers: Sequence[Answer]) -> list[float]:
    """How long they took. Raises LoadError unless all are 200."""
    if wrong := [answer for answer in answers if answer.status != 200]:
        raise LoadError(f"{len(wrong)} of {len(answers)} sequential requests failed: {wrong[0]}")
    return [answer.seconds for answer in answers]


def _summary(rate: float, idle: list[list[float]], flows: dict[float, list[Flow]]) -> tuple[Figures, Ratios]:
    loads = {f"{100 * share:g} %": _load(found) for share, found in flows.items()}
    quiet = _percentiles(idle)
    half, most, over = (loads[f"{100 * share:g} %"] for share in (0.5, 0.8, OVERLOAD))
    ratios = {
        "p99_half_load_over_idle": {"value": half["ms"]["p99"] / quiet["p99"], "n": half["requests"]},
        "p99_overload_over_80_percent": {"value": over["ms"]["p99"] / most["ms"]["p99"], "n": over["accepted"]},
    }
    idle_figures = {"ms": quiet, "n": sum(map(len, idle)), "p99_of_rounds": rounded([_ms(one, 99) for one in idle])}
    return {"rate": rate, "idle": idle_figures, "loads": loads}, ratios


def _load(flows: Sequence[Flow]) -> Figures:
    """All rounds at one rate. Raises LoadError where none was accepted."""
    if not all(flow.accepted for flow in flows):
        raise LoadError(f"At {flows[0].rate:.1f} requests a second none was answered well.")
    requests = sum(len(flow.answers) for flow in flows)
    shed = sum(flow.count(503) for flow in flows)
    accepted = sum(len(flow.accepted) for flow in flows)
    recoveries = [flow.recovery for flow in flows if flow.recovery is not None]
    worst = max(recoveries, default=None)
    return {
        "a_second": flows[0].rate, "requests": requests, "accepted": accepted,
        "ms": _percentiles([flow.accepted for flow in flows]),
        "p99_of_rounds": rounded([_ms(flow.accepted, 99) for flow in flows]),
        "shed": shed, "shed_share": shed / requests,
        "shed_without_retry_after": sum(flow.untold for flow in flows),
        "unanswered": sum(flow.count(0) for flow in flows),
        "other": requests - accepted - shed - sum(flow.count(0) for flow in flows),
        "client_cpu": median(flow.client_cpu for flow in flows),
        "client_late_p99_ms": median(_ms([answer.late for answer in flow.answers], 99) for flow in flows),
        "recovered": None if worst is None else not isinf(worst),
        "recovery_seconds": None if worst is None or isinf(worst) else worst,
    }  # fmt: skip


def _percentiles(rounds: Sequence[Sequence[float]]) -> dict[str, float]:
    """Milliseconds: the median over the rounds."""
    return {f"p{percent}": median(_ms(one, percent) for one in rounds) for percent in (50, 95, 99)}


def _ms(seconds: Sequence[float], percent: float) -> float:
    return 1000 * percentile(seconds, percent)


def kinds_of_bodies(bench: Bench) -> tuple[Figures, Ratios]:
    """p50 of sequential requests: raw, multipart and base64 bodies, with ordinary and with large photos."""
    console.log("bodies: raw, multipart, base64")
    found: Figures = {}
    with running(GLASSBOT, bench.plan.checkpoint) as server:
        for name, jpegs in (("100 KB", bench.ordinary), ("12 MP", bench.large)):
            found[name] = {"bytes": round(sum(map(len, jpegs)) / len(jpegs)), "n": bench.plan.each}
            for encoding in ENCODINGS:
                bodies = [encoded(jpeg, encoding) for jpeg in jpegs]
                asyncio.run(sequential(server.port, bodies, 3))  # warms up
                answers = asyncio.run(sequential(server.port, bodies, bench.plan.each))
                found[name][encoding] = _ms(_good(answers), 50)
    return found, {}
