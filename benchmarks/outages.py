"""What clients of the gateway see while replicas leave, die, come, or become slow."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from threading import Event, Thread

import httpx

from benchmarks.arrivals import OpenLoop, open_loop, percentile
from benchmarks.fleet import Fleet, Gateway, Replica
from benchmarks.photos import Body

_BEFORE_SECONDS = 2.0
"""Seconds of traffic before anything happens."""
_AFTER_SECONDS = 2.0
"""Seconds of traffic after it has happened."""
_SHARE_SECONDS = 10.0
"""Seconds of traffic after a new replica is ready."""
_STOPPED_SECONDS = 0.08
"""How long a slow replica stands still, again and again; then it runs for a quarter of that."""


@dataclass(frozen=True)
class Sent:
    """One request, and what came of it."""

    began: float
    """When it was sent, in ``time.perf_counter()``."""
    seconds: float
    """Seconds until the end of its answer."""
    status: int
    """The HTTP status; 0 where there was no answer."""
    content: bytes = b""
    """The body of the answer, or what the client says of its absence."""


@dataclass(frozen=True)
class Outage:
    """All requests of some clients, while one replica left, died or came."""

    sent: tuple[Sent, ...]
    """The requests, in the order in which they ended."""
    began: float
    """When the replica was told to end, was killed or was started, in ``time.perf_counter()``."""
    ended: float
    """When its process had ended, or was ready, in ``time.perf_counter()``."""

    @property
    def failures(self) -> list[Sent]:
        """The requests that were not answered 200."""
        return [one for one in self.sent if one.status != 200]

    def statuses(self) -> dict[int, int]:
        """Return how many requests had each status; status 0 stands for no answer."""
        return dict(Counter(one.status for one in self.sent))


@contextmanager
def traffic(port: int, bodies: Sequence[Body], clients: int) -> Iterator[list[Sent]]:
    """Let several clients, which share a pool of connections, ask again and again while the block runs.

    The list that it yields grows. When the block ends, what was sent is still answered.
    """
    sent: list[Sent] = []
    stopped = Event()
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)

    def ask(client: httpx.Client, first: int) -> None:
        for body in cycle((*bodies[first:], *bodies[:first])):
            if stopped.is_set():
                return
            sent.append(_post(client, body))

    address = f"http://127.0.0.1:{port}"
    with (
        httpx.Client(base_url=address, limits=limits, timeout=60, trust_env=False) as client,
        ThreadPoolExecutor(clients) as threads,
    ):
        asking = [threads.submit(ask, client, number % len(bodies)) for number in range(clients)]
        try:
            yield sent
        finally:
            stopped.set()
            for one in asking:
                one.result()


def _post(client: httpx.Client, body: Body) -> Sent:
    began = time.perf_counter()
    try:
        answer = client.post("/predict", content=body.content, headers={"Content-Type": body.content_type})
    except httpx.HTTPError as error:
        return Sent(began, time.perf_counter() - began, 0, repr(error).encode())
    return Sent(began, time.perf_counter() - began, answer.status_code, answer.content)


def leaving(fleet: Fleet, gateway: Gateway, bodies: Sequence[Body], clients: int, *, kill: bool) -> Outage:
    """Let the first replica of a fleet end under traffic: told to, or with ``kill`` in the middle of its answers."""
    with traffic(gateway.port, bodies, clients) as sent:
        time.sleep(_BEFORE_SECONDS)
        began = time.perf_counter()
        (fleet.kill if kill else fleet.end)(fleet.replicas[0])
        ended = time.perf_counter()
        time.sleep(_AFTER_SECONDS)
    return Outage(tuple(sent), began, ended)


def coming(fleet: Fleet, gateway: Gateway, bodies: Sequence[Body], clients: int) -> tuple[Outage, float]:
    """Start one more replica under traffic; the requests, and the seconds from its readiness until it has its share.

    That is 0.8 times an equal part of the answers of one second; infinite where it has less within ten seconds.
    """
    with traffic(gateway.port, bodies, clients) as sent:
        time.sleep(_BEFORE_SECONDS)
        began = time.perf_counter()
        older = {line["replica"] for line in gateway.requests()}
        fleet.start()
        ended, ready_ms = time.perf_counter(), 1000 * time.time()
        time.sleep(_SHARE_SECONDS)
    answers = [(line["ended"] - ready_ms, line["replica"] not in older) for line in gateway.requests()]
    for end_ms in range(0, int(1000 * _SHARE_SECONDS), 100):
        second = [new for ended_ms, new in answers if end_ms - 1000 <= ended_ms < end_ms]
        if second and sum(second) >= 0.8 * len(second) / len(fleet.replicas):
            return Outage(tuple(sent), began, ended), end_ms / 1000
    return Outage(tuple(sent), began, ended), float("inf")


@contextmanager
def slowed(replica: Replica) -> Iterator[None]:
    """Make a replica five times as slow while the block runs: its process stands still most of the time."""
    stopped = Event()

    def hold_up() -> None:
        while not stopped.wait(_STOPPED_SECONDS / 4):
            replica.process.send_signal(signal.SIGSTOP)
            stopped.wait(_STOPPED_SECONDS)
            replica.process.send_signal(signal.SIGCONT)

    thread = Thread(target=hold_up)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@dataclass(frozen=True)
class Neighbours:
    """The answers of some seconds by all replicas but one, as the gateway timed them."""

    loop: OpenLoop
    """The requests, as the client saw them, of all replicas."""
    milliseconds: tuple[float, ...]
    """Of each answer of the other replicas: from the request's arrival at the gateway until its end."""
    of_the_one: int
    """How many answers the one replica gave."""

    @property
    def p99(self) -> float:
        """The 99th percentile of ``milliseconds``."""
        return percentile(self.milliseconds, 99)


def neighbours(
    gateway: Gateway, name: str, bodies: Sequence[Body], *, rate: float, seconds: float, seed: int
) -> Neighbours:
    """Send requests at a rate, and return the times of those that other replicas than the one of that name answered."""
    before = len(gateway.requests())
    loop = asyncio.run(open_loop(gateway.port, bodies, rate=rate, seconds=seconds, seed=seed))
    lines = [line for line in gateway.requests()[before:] if line["status"] == 200]
    others = tuple(float(line["total_ms"]) for line in lines if line["replica"] != name)
    return Neighbours(loop, others, len(lines) - len(others))
