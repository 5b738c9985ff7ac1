"""Latency: of an idle server, at several shares of its throughput, under overload, and by encoding of the photo."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from math import inf, isinf
from statistics import median

from benchmarks.arrivals import OpenLoop, open_loop, percentile, seconds_to_recovery, sequential
from benchmarks.client import Answer
from benchmarks.load import LoadError, run_closed_loop, wrk_arguments
from benchmarks.photos import ENCODINGS, encoded
from benchmarks.plan import Bench, Figures, Ratios, console, ratio_of_turns, rounded
from benchmarks.servers import GLASSBOT, Server, running

SHARES = (0.5, 0.8, 1.2)
OVERLOAD = 5.0
"""The rate of the overload, as a share of the throughput."""
RECOVERED_FACTOR = 3
"""A server counts as recovered when its answers take at most this many times its p99 when idle."""


def arrivals(bench: Bench, rate: float | None) -> tuple[Figures, Ratios]:
    """Measure an idle server, and Poisson arrivals at shares of ``rate`` per second.

    Where ``rate`` is None, the throughput is measured first.
    """
    plan = bench.plan
    idle: list[list[float]] = []
    loops: dict[float, list[OpenLoop]] = {share: [] for share in (*SHARES, OVERLOAD)}
    with ExitStack() as ends:
        server = ends.enter_context(running(GLASSBOT, plan.checkpoint))
        arguments = ends.enter_context(wrk_arguments(bench.bodies("raw")))
        warm_up = run_closed_loop(server, arguments, plan.concurrencies[-2], 1 if rate else plan.seconds)
        rate = rate or warm_up.rate
        # Requests that wrk left behind are still being answered.
        asyncio.run(seconds_to_recovery(server.port, bench.bodies("raw"), inf))
        for number in range(plan.runs):
            console.log(f"arrivals: round {number + 1} of {plan.runs}, at shares of {rate:.1f} per second")
            idle.append(_seconds(asyncio.run(sequential(server.port, bench.bodies("raw"), plan.idle_requests))))
            for share in loops:
                loops[share].append(_open_loop(bench, server, rate, share, number, percentile(idle[-1], 99)))
    return _summary(rate, idle, loops)


def _open_loop(bench: Bench, server: Server, rate: float, share: float, number: int, idle_p99: float) -> OpenLoop:
    """Run one open loop; only after the overload, wait for the server to recover."""
    loop = open_loop(
        server.port,
        bench.bodies("raw"),
        rate=share * rate,
        seconds=2 * bench.plan.seconds,
        seed=number,
        recovered_within=RECOVERED_FACTOR * idle_p99 if share == OVERLOAD else None,
    )
    return asyncio.run(loop)


def _seconds(answers: Sequence[Answer]) -> list[float]:
    """Return the seconds of each answer. Raises LoadError unless all are 200."""
    if failures := [answer for answer in answers if answer.status != 200]:
        raise LoadError(f"{len(failures)} of {len(answers)} sequential requests failed: {failures[0]}")
    return [answer.seconds for answer in answers]


def _summary(rate: float, idle: list[list[float]], loops: dict[float, list[OpenLoop]]) -> tuple[Figures, Ratios]:
    loads = {f"{100 * share:g} %": _load(loops_of_share) for share, loops_of_share in loops.items()}
    idle_p99s = rounded([_ms(seconds, 99) for seconds in idle])
    half, high, over = (loads[f"{100 * share:g} %"] for share in (0.5, 0.8, OVERLOAD))
    ratios = {
        "p99_half_load_over_idle": ratio_of_turns(half["p99_of_rounds"], idle_p99s, half["requests"]),
        "p99_overload_over_80_percent": ratio_of_turns(over["p99_of_rounds"], high["p99_of_rounds"], over["accepted"]),
    }
    idle_figures = {"ms": _percentiles(idle), "n": sum(map(len, idle)), "p99_of_rounds": idle_p99s}
    return {"rate": rate, "idle": idle_figures, "loads": loads}, ratios


def _load(loops: Sequence[OpenLoop]) -> Figures:
    """Summarise all rounds at one rate. Raises LoadError where none of the requests was answered 200."""
    if not all(loop.accepted for loop in loops):
        raise LoadError(f"At {loops[0].rate:.1f} requests per second none was answered 200.")
    requests = sum(len(loop.answers) for loop in loops)
    shed = sum(loop.count(503) for loop in loops)
    accepted = sum(len(loop.accepted) for loop in loops)
    unanswered = sum(loop.count(0) for loop in loops)
    recoveries = [loop.recovery_seconds for loop in loops if loop.recovery_seconds is not None]
    longest = max(recoveries, default=None)
    return {
        "a_second": loops[0].rate,
        "requests": requests,
        "accepted": accepted,
        "ms": _percentiles([loop.accepted for loop in loops]),
        "p99_of_rounds": rounded([_ms(loop.accepted, 99) for loop in loops]),
        "shed": shed,
        "shed_share": shed / requests,
        "shed_without_retry_after": sum(loop.shed_without_retry_after for loop in loops),
        "unanswered": unanswered,
        "other": requests - accepted - shed - unanswered,
        "client_cpu": median(loop.client_cpu for loop in loops),
        "client_late_p99_ms": median(_ms([answer.late for answer in loop.answers], 99) for loop in loops),
        "recovered": None if longest is None else not isinf(longest),
        "recovery_seconds": None if longest is None or isinf(longest) else longest,
    }


def _percentiles(rounds: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return the percentiles in milliseconds, each as the median over the rounds."""
    return {f"p{percent}": median(_ms(seconds, percent) for seconds in rounds) for percent in (50, 95, 99)}


def _ms(seconds: Sequence[float], percent: float) -> float:
    return 1000 * percentile(seconds, percent)


def encodings(bench: Bench) -> tuple[Figures, Ratios]:
    """Measure the p50 of sequential requests: raw, multipart and base64 bodies, with ordinary and with large photos."""
    console.log("bodies: raw, multipart, base64")
    requests = bench.plan.encoding_requests
    figures: Figures = {}
    with running(GLASSBOT, bench.plan.checkpoint) as server:
        for name, jpegs in (("100 KB", bench.ordinary), ("12 MP", bench.large)):
            figures[name] = {"bytes": round(sum(map(len, jpegs)) / len(jpegs)), "n": requests}
            for encoding in ENCODINGS:
                bodies = [encoded(jpeg, encoding) for jpeg in jpegs]
                asyncio.run(sequential(server.port, bodies, 3))  # warms up
                answers = asyncio.run(sequential(server.port, bodies, requests))
                figures[name][encoding] = _ms(_seconds(answers), 50)
    return figures, {}
