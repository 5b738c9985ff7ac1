"""Closed loops: as many clients as one says, each of which asks again once it was answered. wrk drives them."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.photos import Body
from benchmarks.servers import CORES, Server

SCRIPT = Path(__file__).with_name("wrk.lua")


class LoadError(RuntimeError):
    """The load could not be made, or was not answered; the message is one sentence."""


@dataclass(frozen=True)
class Loop:
    """What came of one closed loop."""

    concurrency: int
    seconds: float
    ok: int
    shed: int
    """Answers 503."""
    told: int
    """Of those: how many said when to come again."""
    other: int
    lost: int
    """Connections that failed or were not answered in time."""
    client_cpu: float
    """wrk's share of all cores."""

    @property
    def rate(self) -> float:
        """Successful answers a second."""
        return self.ok / self.seconds


@dataclass(frozen=True)
class Rounds:
    """Closed loops of several concurrencies, several times each."""

    loops: tuple[Loop, ...]

    @property
    def best(self) -> int:
        """The concurrency whose median is the highest."""
        return max((loop.concurrency for loop in self.loops), key=self.rate_at)

    @property
    def rate(self) -> float:
        """Successful answers a second at the best concurrency: the median."""
        return self.rate_at(self.best)

    def rate_at(self, concurrency: int) -> float:
        """The median at one concurrency."""
        return median(loop.rate for loop in self.loops if loop.concurrency == concurrency)


def need_wrk() -> str:
    """wrk's version. Raises LoadError with how to get it."""
    if shutil.which("wrk") is None:
        raise LoadError("The load comes from wrk, which is not installed: apt-get install wrk (Debian, Ubuntu).")
    said = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)  # ends with status 1
    return said.stdout.split()[1]


@contextmanager
def files(bodies: Sequence[Body]) -> Iterator[list[str]]:
    """wrk's arguments for posting these in turn: one content type, then files."""
    with tempfile.TemporaryDirectory(prefix="glassbot-benchmark-") as folder:
        paths = [Path(folder, str(number)) for number in range(len(bodies))]
        for path, body in zip(paths, bodies, strict=True):
            path.write_bytes(body.content)
        yield [bodies[0].content_type, *map(str, paths)]


def closed(server: Server, arguments: Sequence[str], concurrency: int, seconds: int) -> Loop:
    """So many clients for so long. Raises LoadError where wrk fails or nothing at all was answered well."""
    _settle(server, arguments)
    command = [
        "wrk", "--threads", "1", "--connections", str(concurrency), "--duration", f"{seconds}s", "--timeout", "30s",
        "--script", str(SCRIPT), f"{server.address}/predict", "--", *arguments,
    ]  # fmt: skip
    status, said, share = _run(command)
    if status or not said.rstrip().endswith("}"):
        raise LoadError(f"wrk ended with status {status}: {said.strip()[-300:]}")
    loop = Loop(concurrency=concurrency, client_cpu=share, **json.loads(said.splitlines()[-1]))
    if not loop.ok:
        raise LoadError(f"{server.name} answered no request well: {loop}")
    return loop


def _settle(server: Server, arguments: Sequence[str]) -> None:
    """Wait until one request was answered: what the clients of the loop before left behind is done by then."""
    content_type, first, *_ = arguments
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        connection.request("POST", "/predict", Path(first).read_bytes(), {"Content-Type": content_type})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise LoadError(f"{server.name} does not answer: {error!r}") from error
    finally:
        connection.close()


def _run(command: Sequence[str]) -> tuple[int, str, float]:
    """Status, what was said, and the share of all cores that it took."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        wall = time.perf_counter() - began
        out.seek(0)
        return process.returncode, out.read(), (used.ru_utime + used.ru_stime) / (wall * CORES)
