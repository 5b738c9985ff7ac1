"""Load generators: open loops, whose requests arrive at random times, and sequential or concurrent clients."""

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

RECOVERED_AFTER = 20
"""Fast answers in a row after which a server counts as recovered."""
_RECOVERY_LIMIT_SECONDS = 30.0


@dataclass(frozen=True)
class OpenLoop:
    """The answers of one open loop."""

    rate: float
    """Requests that arrive per second."""
    answers: tuple[Answer, ...]
    """The answers, in the order of their arrivals."""
    recovery_seconds: float | None
    """Seconds from the last arrival until the server answers as fast as when idle; None where not measured."""
    client_cpu: float
    """The share of all cores that this client used."""

    @property
    def accepted(self) -> list[float]:
        """Seconds from arrival to answer, of the requests that were answered 200."""
        return [answer.seconds for answer in self.answers if answer.status == 200]

    def count(self, status: int) -> int:
        """Return the number of answers with a status; status 0 stands for no answer."""
        return sum(answer.status == status for answer in self.answers)

    @property
    def shed_without_retry_after(self) -> int:
        """The number of answers 503 without a ``Retry-After`` header."""
        return sum(answer.status == 503 and not answer.retry_after for answer in self.answers)


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Return the smallest of ``seconds`` that ``percent`` of them do not exceed, without interpolation."""
    return float(np.percentile(seconds, percent, method="inverted_cdf"))


def schedule(rate: float, seconds: float, seed: int) -> list[float]:
    """Return the seconds at which requests arrive: a Poisson process of ``rate`` per second."""
    random = np.random.default_rng(seed)
    times: list[float] = []
    now = float(random.exponential(1 / rate))
    while now < seconds:
        times.append(now)
        now += float(random.exponential(1 / rate))
    return times


async def sequential(port: int, bodies: Sequence[Body], count: int) -> list[Answer]:
    """Send ``count`` requests one after another, on one connection."""
    async with Client(port) as client:
        return [await client.post(body) for body in islice(cycle(bodies), count)]


async def concurrent(port: int, bodies: Sequence[Body], count: int, clients: int) -> list[Answer]:
    """Send ``count`` requests by several clients at once; the answers are in the order of the bodies."""
    async with Client(port, max_connections=clients) as client:
        return list(await asyncio.gather(*(client.post(body) for body in islice(cycle(bodies), count))))


async def open_loop(
    port: int, bodies: Sequence[Body], *, rate: float, seconds: float, seed: int, recovered_within: float | None = None
) -> OpenLoop:
    """Send requests that arrive at ``rate`` per second for ``seconds``.

    With ``recovered_within``, also wait until single answers take at most so many seconds again.
    """
    times = schedule(rate, seconds, seed)
    cpu_before = time.process_time()
    began = time.perf_counter()
    async with Client(port) as client:
        requests: list[asyncio.Task[Answer]] = []
        for arrival, body in zip(times, cycle(bodies), strict=False):
            if (wait := began + arrival - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            requests.append(asyncio.create_task(client.post(body, since=began + arrival)))
        recovery = None
        if recovered_within is not None:
            recovery = await seconds_to_recovery(port, bodies, recovered_within)
        answers = await asyncio.gather(*requests)
        share = (time.process_time() - cpu_before) / ((time.perf_counter() - began) * CORES)
    return OpenLoop(rate, tuple(answers), recovery, share)


async def seconds_to_recovery(port: int, bodies: Sequence[Body], within: float) -> float:
    """Return the seconds until ``RECOVERED_AFTER`` requests in a row were answered 200, each within ``within`` seconds.

    Infinite where that takes longer than ``_RECOVERY_LIMIT_SECONDS``.
    """
    began = time.perf_counter()
    fast = 0
    async with Client(port) as client:
        for body in cycle(bodies):
            answer = await client.post(body)
            fast = fast + 1 if answer.status == 200 and answer.seconds <= within else 0
            if fast == RECOVERED_AFTER:
                break
            if time.perf_counter() - began > _RECOVERY_LIMIT_SECONDS:
                return float("inf")
            if answer.status != 200:
                await asyncio.sleep(0.01)
    return time.perf_counter() - began
