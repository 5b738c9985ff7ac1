"""Open loops: requests that arrive by chance, whether or not those before them were answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from benchmarks.client import Answer, Client
from benchmarks.photos import Body
from benchmarks.servers import CORES

IN_A_ROW = 20
_AT_MOST = 30.0
"""Seconds that are waited for recovery."""


@dataclass(frozen=True)
class Flow:
    """What came of one open loop."""

    rate: float
    """Arrivals a second."""
    answers: tuple[Answer, ...]
    recovery: float | None
    """Seconds from the last arrival until a single client is served as if nothing had been; None where not asked."""
    client_cpu: float
    """This client's share of all cores."""

    @property
    def accepted(self) -> list[float]:
        """Seconds from arrival to answer, of those that were answered 200."""
        return [answer.seconds for answer in self.answers if answer.status == 200]

    def count(self, status: int) -> int:
        """How many were answered so; 0 counts those that got no answer."""
        return sum(answer.status == status for answer in self.answers)

    @property
    def untold(self) -> int:
        """Refusals that did not say when to come again."""
        return sum(answer.status == 503 and not answer.retry_after for answer in self.answers)


def percentile(seconds: Sequence[float], percent: float) -> float:
    """The smallest of ``seconds`` that so many per cent do not exceed: one that was measured, not one between two."""
    return float(np.percentile(seconds, percent, method="inverted_cdf"))


def schedule(rate: float, seconds: float, seed: int) -> list[float]:
    """When each request arrives: a Poisson process of ``rate`` a second."""
    random = np.random.default_rng(seed)
    times: list[float] = []
    now = float(random.exponential(1 / rate))
    while now < seconds:
        times.append(now)
        now += float(random.exponential(1 / rate))
    return times


async def sequential(port: int, bodies: Sequence[Body], count: int) -> list[Answer]:
    """One client that asks again once it was answered, on one connection."""
    async with Client(port) as client:
        return [await client.post(body) for body in islice(cycle(bodies), count)]


async def together(port: int, bodies: Sequence[Body], count: int, clients: int) -> list[Answer]:
    """``count`` answers by several clients, in the order of the bodies."""
    async with Client(port, most=clients) as client:
        return list(await asyncio.gather(*(client.post(body) for body in islice(cycle(bodies), count))))


async def open_loop(
    port: int, bodies: Sequence[Body], *, rate: float, seconds: float, seed: int, usual: float | None = None
) -> Flow:
    """Arrivals at ``rate`` for so long. With ``usual``, also wait until answers take no more than that again."""
    times = schedule(rate, seconds, seed)
    used, began = time.process_time(), time.perf_counter()
    async with Client(port) as client:
        asked: list[asyncio.Task[Answer]] = []
        for at, body in zip(times, cycle(bodies), strict=False):
            if (wait := began + at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            asked.append(asyncio.create_task(client.post(body, since=began + at)))
        recovery = None if usual is None else await recovered(port, bodies, usual)
        answers = await asyncio.gather(*asked)
        share = (time.process_time() - used) / ((time.perf_counter() - began) * CORES)
    return Flow(rate, tuple(answers), recovery, share)


async def recovered(port: int, bodies: Sequence[Body], usual: float) -> float:
    """Seconds until one client was answered 200 within ``usual``, ``IN_A_ROW`` times; infinite if it never was."""
    began, row = time.perf_counter(), 0
    async with Client(port) as client:
        for body in cycle(bodies):
            answer = await client.post(body)
            row = row + 1 if answer.status == 200 and answer.seconds <= usual else 0
            if row == IN_A_ROW:
                break
            if time.perf_counter() - began > _AT_MOST:
                return float("inf")
            if answer.status != 200:
                await asyncio.sleep(0.01)
    return time.perf_counter() - began
