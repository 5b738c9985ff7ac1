"""The throughput of the engine alone, in process and over HTTP; and a check that the answers are the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from benchmarks.arrivals import concurrent, sequential
from benchmarks.client import Answer
from benchmarks.engine_alone import BATCHES, CALLERS
from benchmarks.inprocess import InProcess, in_process
from benchmarks.load import ClosedLoop, Rounds, run_closed_loop, wrk_arguments
from benchmarks.photos import ENCODINGS, encoded
from benchmarks.plan import Bench, DisagreementError, Figures, Ratios, console, ratio_of_turns, rounded
from benchmarks.servers import GLASSBOT, Server, running

_REQUEST_FIELDS = {"request_id", "timing_ms"}


def check_answers(bench: Bench) -> tuple[Figures, list[dict[str, Any]]]:
    """Compare the answers over HTTP and in process; return the counts, and the answers to the ordinary photos.

    Raises DisagreementError.
    """
    console.log("answers: HTTP against in-process")
    with (
        running(GLASSBOT, bench.plan.checkpoint) as server,
        in_process(bench.plan.checkpoint, bench.ordinary) as inside,
    ):
        expected = inside.answers(bench.ordinary)
        raw = bench.bodies("raw")
        require_same(asyncio.run(sequential(server.port, raw, len(raw))), expected, "one after another")
        require_same(asyncio.run(concurrent(server.port, raw, len(raw), 8)), expected, "eight at once")
        compared = 2 * len(raw)
        few = [*bench.ordinary[:4], *bench.large]
        expected_of_few = inside.answers(few)
        for encoding in ENCODINGS:
            bodies = [encoded(jpeg, encoding) for jpeg in few]
            require_same(asyncio.run(sequential(server.port, bodies, len(few))), expected_of_few, encoding)
            compared += len(few)
        engine = inside.engine_name()
    return {"compared": compared, "photos": len(bench.ordinary) + len(bench.large), "engine": engine}, expected


def require_same(answers: Sequence[Answer], expected: Sequence[dict[str, Any]], how: str) -> None:
    """Compare answers exactly, but for request id and times. Raises DisagreementError where two differ."""
    for number, (answer, expectation) in enumerate(zip(answers, expected, strict=True)):
        if answer.status != 200:
            raise DisagreementError(f"Photo {number}, {how}: HTTP answered {answer.status}: {answer.content[:300]!r}")
        fields = answer.json()
        for key in sorted((fields.keys() | expectation.keys()) - _REQUEST_FIELDS):
            if fields.get(key) != expectation.get(key):
                difference = f"{key} is {fields.get(key)} over HTTP and {expectation.get(key)} in process"
                raise DisagreementError(f"Photo {number}, {how}: {difference}.")


def throughput(bench: Bench) -> tuple[Figures, Ratios]:
    """Measure D0 (the engine alone), D1 (in process) and N (over HTTP) in turns, after one round that warms up."""
    plan = bench.plan
    loops: list[ClosedLoop] = []
    whole: dict[int, list[float]] = {number: [] for number in plan.in_process}
    alone: dict[tuple[int, int], list[float]] = {(batch, callers): [] for callers in CALLERS for batch in BATCHES}
    with ExitStack() as ends:
        server = ends.enter_context(running(GLASSBOT, plan.checkpoint))
        inside = ends.enter_context(in_process(plan.checkpoint, bench.ordinary))
        arguments = ends.enter_context(wrk_arguments(bench.bodies("raw")))
        _turn(bench, server, inside, arguments, 1)
        for number in range(plan.runs):
            console.log(f"throughput: round {number + 1} of {plan.runs}")
            turn_loops, turn_whole, turn_alone = _turn(bench, server, inside, arguments, plan.seconds)
            loops += turn_loops
            for concurrency, rate in turn_whole.items():
                whole[concurrency].append(rate)
            for sizes, rate in turn_alone.items():
                alone[sizes].append(rate)
    return _summary(Rounds(tuple(loops)), whole, alone)


Turn = tuple[list[ClosedLoop], dict[int, float], dict[tuple[int, int], float]]


def _turn(bench: Bench, server: Server, inside: InProcess, arguments: Sequence[str], seconds: int) -> Turn:
    """Measure HTTP and in process by turns, then the engine alone, for ``seconds`` each or a tenth of them."""
    loops: list[ClosedLoop] = []
    whole: dict[int, float] = {}
    for clients, callers in zip(bench.plan.concurrencies, bench.plan.in_process, strict=True):
        loops.append(run_closed_loop(server, arguments, clients, seconds))
        whole[callers] = inside.whole(callers, seconds)
    alone_seconds = max(0.1, seconds / 10)
    alone = {(batch, callers): inside.alone(batch, callers, alone_seconds) for callers in CALLERS for batch in BATCHES}
    return loops, whole, alone


def _summary(
    http: Rounds, whole: dict[int, list[float]], alone: dict[tuple[int, int], list[float]]
) -> tuple[Figures, Ratios]:
    best_whole = max(whole, key=lambda concurrency: median(whole[concurrency]))
    best_alone = max(alone, key=lambda sizes: median(alone[sizes]))
    figures: Figures = {
        "n": http.rate,
        "d1": median(whole[best_whole]),
        "d0": median(alone[best_alone]),
        "n_concurrency": http.best,
        "d1_concurrency": best_whole,
        "d0_batch": best_alone[0],
        "d0_callers": best_alone[1],
        "http": closed_loop_figures(http),
        "in_process": {str(concurrency): rounded(rates) for concurrency, rates in whole.items()},
        "engine": {f"batch {batch}, {callers} caller(s)": rounded(rates) for (batch, callers), rates in alone.items()},
    }
    ratios: Ratios = {
        "http_over_in_process": ratio_of_turns(http.best_rates, whole[best_whole]),
        "http_over_engine": ratio_of_turns(http.best_rates, alone[best_alone]),
    }
    return figures, ratios


def closed_loop_figures(rounds: Rounds) -> dict[str, Figures]:
    """Return by concurrency the rate of each run, the numbers of other answers, and the share of the cores for wrk."""
    figures: dict[str, Figures] = {}
    for concurrency in dict.fromkeys(loop.concurrency for loop in rounds.loops):
        loops = [loop for loop in rounds.loops if loop.concurrency == concurrency]
        figures[str(concurrency)] = {
            "median": rounds.rate_at(concurrency),
            "rates": rounded([loop.rate for loop in loops]),
            "ok": sum(loop.ok for loop in loops),
            "shed": sum(loop.shed for loop in loops),
            "shed_without_retry_after": sum(loop.shed - loop.shed_with_retry_after for loop in loops),
            "other": sum(loop.other for loop in loops),
            "lost": sum(loop.lost for loop in loops),
            "client_cpu": median(loop.client_cpu for loop in loops),
        }
    return figures
