"""Several workers on one socket, in turns with one: answers a second, p99, and the memory of each further one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from statistics import median

from benchmarks.arrivals import concurrent
from benchmarks.load import ClosedLoop, run_closed_loop, wrk_arguments
from benchmarks.photos import Body
from benchmarks.plan import Bench, Figures, Ratios, console, ratio_of_turns, rounded
from benchmarks.servers import GLASSBOT, Program, running

COMPARED = (1, 2)
"""Numbers of workers whose answers are counted."""
WEIGHED = (1, 2, 3)
"""Numbers of workers whose memory is measured."""
CONNECTIONS = 32
_CLIENTS = 8
"""Clients that fill the caches: no more than one worker admits at once, whichever takes their connections."""


def workers(bench: Bench) -> tuple[Figures, Ratios]:
    """Measure one and two workers in turns, and the memory of one to three."""
    loops: dict[int, list[ClosedLoop]] = {number: [] for number in COMPARED}
    with wrk_arguments(bench.bodies("raw")) as arguments:
        for turn in range(bench.plan.runs):
            for number in COMPARED if turn % 2 == 0 else reversed(COMPARED):
                console.log(f"workers: {number}")
                with running(_program(number), bench.plan.checkpoint) as server:
                    run_closed_loop(server, arguments, CONNECTIONS, 1)
                    loops[number].append(run_closed_loop(server, arguments, CONNECTIONS, bench.plan.seconds))
    memory = [_memory(bench, number) for number in WEIGHED]
    pss = [one["pss"] for one in memory]
    figures: Figures = {
        "connections": CONNECTIONS,
        "loops": {str(number): _figures(loops[number]) for number in COMPARED},
        "memory": dict(zip(map(str, WEIGHED), memory, strict=True)),
        "pss_of_each_further_worker": [after - before for before, after in pairwise(pss)],
    }
    one, two = ([loop.rate for loop in loops[number]] for number in COMPARED)
    one_p99, two_p99 = ([loop.p99_ms for loop in loops[number]] for number in COMPARED)
    return figures, {
        "two_workers_over_one": ratio_of_turns(two, one),
        "p99_of_two_workers_over_one": ratio_of_turns(two_p99, one_p99),
    }


def _program(number: int, *, caches: bool = False) -> Program:
    environment = {} if caches else dict(GLASSBOT.environment)
    return replace(GLASSBOT, environment={**environment, "GLASSBOT_WORKERS": str(number)})


def _figures(loops: list[ClosedLoop]) -> Figures:
    return {
        "rate": round(median(loop.rate for loop in loops), 1),
        "rates": rounded([loop.rate for loop in loops], 1),
        "p99_ms": rounded([loop.p99_ms for loop in loops], 1),
        "shed": [loop.shed for loop in loops],
        "lost": [loop.lost for loop in loops],
    }


def _memory(bench: Bench, number: int) -> Figures:
    """Measure the bytes of all processes after photos that all differ, so that the caches are as full as they get."""
    console.log(f"workers: memory of {number}")
    photos = bench.bodies("raw")
    bodies = [
        Body(photo.content_type, photo.content + str(turn).encode())
        for turn in range(-(-bench.plan.memory_photos // len(photos)))
        for photo in photos
    ]
    with running(_program(number, caches=True), bench.plan.checkpoint) as server:
        answers = asyncio.run(concurrent(server.port, bodies, bench.plan.memory_photos, _CLIENTS))
        answered = sum(answer.status == 200 for answer in answers)
        return {**server.memory(), "answered": answered, "start_seconds": round(server.start_seconds, 2)}
