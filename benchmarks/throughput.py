"""How much of what the network can do comes out of HTTP; and that what comes out is the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from benchmarks.arrivals import sequential, together
from benchmarks.client import Answer
from benchmarks.inprocess import BATCHES, CALLERS, InProcess, in_process
from benchmarks.load import Loop, Rounds, closed, files
from benchmarks.photos import ENCODINGS, encoded
from benchmarks.plan import Bench, DisagreementError, Figures, Ratios, console, rounded
from benchmarks.servers import GLASSBOT, Server, running

_OF_ONE_REQUEST = ("request_id", "timing_ms")


def check_answers(bench: Bench) -> tuple[Figures, list[dict[str, Any]]]:
    """Every photo, over HTTP and in process; and what was said of the ordinary ones. Raises DisagreementError."""
    console.log("answers: HTTP against in-process")
    with (
        running(GLASSBOT, bench.plan.checkpoint) as server,
        in_process(bench.plan.checkpoint, bench.ordinary) as inside,
    ):
        expected = inside.answers(bench.ordinary)
        raw = bench.bodies("raw")
        same(asyncio.run(sequential(server.port, raw, len(raw))), expected, "one after another")
        same(asyncio.run(together(server.port, raw, len(raw), 8)), expected, "eight at once")
        compared = 2 * len(raw)
        few = [*bench.ordinary[:4], *bench.large]
        said = inside.answers(few)
        for encoding in ENCODINGS:
            bodies = [encoded(jpeg, encoding) for jpeg in few]
            same(asyncio.run(sequential(server.port, bodies, len(few))), said, encoding)
            compared += len(few)
        engine = inside.engine_name()
    return {"compared": compared, "photos": len(bench.ordinary) + len(bench.large), "engine": engine}, expected


def same(answers: Sequence[Answer], expected: Sequence[dict[str, Any]], how: str) -> None:
    """Raises DisagreementError unless everything but id and timing is equal, to the last digit."""
    for number, (answer, wanted) in enumerate(zip(answers, expected, strict=True)):
        if answer.status != 200:
            raise DisagreementError(f"Photo {number}, {how}: HTTP said {answer.status}: {answer.content[:300]!r}")
        found = answer.json()
        for key in sorted(found.keys() | wanted.keys()):
            if key not in _OF_ONE_REQUEST and found.get(key) != wanted.get(key):
                raise DisagreementError(
                    f"Photo {number}, {how}: {key} is {found.get(key)} over HTTP and {wanted.get(key)} in process."
                )


def throughput(bench: Bench) -> tuple[Figures, Ratios]:
    """D0, D1 and N, taking turns; a first round warms up."""
    plan = bench.plan
    loops: list[Loop] = []
    whole: dict[int, list[float]] = {number: [] for number in plan.in_process}
    alone: dict[tuple[int, int], list[float]] = {(batch, callers): [] for callers in CALLERS for batch in BATCHES}
    with ExitStack() as ends:
        server = ends.enter_context(running(GLASSBOT, plan.checkpoint))
        inside = ends.enter_context(in_process(plan.checkpoint, bench.ordinary))
        arguments = ends.enter_context(files(bench.bodies("raw")))
        _turn(bench, server, inside, arguments, 1)
        for number in range(plan.runs):
            console.log(f"throughput: round {number + 1} of {plan.runs}")
            found = _turn(bench, server, inside, arguments, plan.seconds)
            loops += found[0]
            for concurrency, rate in found[1].items():
                whole[concurrency].append(rate)
            for sizes, rate in found[2].items():
                alone[sizes].append(rate)
    return _summary(Rounds(tuple(loops)), whole, alone, plan.runs)


Turn = tuple[list[Loop], dict[int, float], dict[tuple[int, int], float]]


def _turn(bench: Bench, server: Server, inside: InProcess, arguments: Sequence[str], seconds: int) -> Turn:
    """HTTP and in-process by turns, then the engine alone."""
    loops: list[Loop] = []
    whole: dict[int, float] = {}
    for over_http, without in zip(bench.plan.concurrencies, bench.plan.in_process, strict=True):
        loops.append(closed(server, arguments, over_http, seconds))
        whole[without] = inside.whole(without, seconds)
    few = max(0.1, seconds / 10)
    alone = {(batch, callers): inside.alone(batch, callers, few) for callers in CALLERS for batch in BATCHES}
    return loops, whole, alone


def _summary(
    http: Rounds, whole: dict[int, list[float]], alone: dict[tuple[int, int], list[float]], runs: int
) -> tuple[Figures, Ratios]:
    best_whole = max(whole, key=lambda concurrency: median(whole[concurrency]))
    best_alone = max(alone, key=lambda sizes: median(alone[sizes]))
    n, d1, d0 = http.rate, median(whole[best_whole]), median(alone[best_alone])
    figures = {
        "n": n, "d1": d1, "d0": d0,
        "n_concurrency": http.best, "d1_concurrency": best_whole,
        "d0_batch": best_alone[0], "d0_callers": best_alone[1],
        "http": closed_loops(http),
        "in_process": {str(concurrency): rounded(rates) for concurrency, rates in whole.items()},
        "engine": {f"batch {batch}, {callers} caller(s)": rounded(rates) for (batch, callers), rates in alone.items()},
    }  # fmt: skip
    ratios = {
        "http_over_in_process": {"value": n / d1, "n": runs},
        "http_over_engine": {"value": n / d0, "n": runs},
    }
    return figures, ratios


def closed_loops(rounds: Rounds) -> dict[str, Figures]:
    """By concurrency: the rate of each run, what was refused or lost, and wrk's share of the cores."""
    found: dict[str, Figures] = {}
    for concurrency in dict.fromkeys(loop.concurrency for loop in rounds.loops):
        loops = [loop for loop in rounds.loops if loop.concurrency == concurrency]
        found[str(concurrency)] = {
            "median": rounds.rate_at(concurrency), "rates": rounded([loop.rate for loop in loops]),
            "ok": sum(loop.ok for loop in loops), "shed": sum(loop.shed for loop in loops),
            "shed_without_retry_after": sum(loop.shed - loop.told for loop in loops),
            "other": sum(loop.other for loop in loops), "lost": sum(loop.lost for loop in loops),
            "client_cpu": median(loop.client_cpu for loop in loops),
        }  # fmt: skip
    return found
