"""Closed loops, driven by wrk: each of several clients sends its next request once the last one was answered."""

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
    """Report that the load could not be generated, or was not answered; the message is one sentence."""


@dataclass(frozen=True)
class ClosedLoop:
    """The counts of one closed loop."""

    concurrency: int
    """The number of clients that ask at once."""
    seconds: float
    """How long it took, in seconds."""
    ok: int
    """The number of answers 200."""
    shed: int
    """The number of answers 503."""
    shed_with_retry_after: int
    """The number of answers 503 with a ``Retry-After`` header."""
    other: int
    """The number of answers with another status."""
    lost: int
    """The number of connections that failed or timed out."""
    p99_ms: float
    """Milliseconds within which 99 % of all answers came, refusals included."""
    client_cpu: float
    """The share of all cores that wrk used."""

    @property
    def rate(self) -> float:
        """Answers with status 200, per second."""
        return self.ok / self.seconds


@dataclass(frozen=True)
class Rounds:
    """Closed loops of several concurrencies, several times each."""

    loops: tuple[ClosedLoop, ...]
    """All loops, in the order in which they ran."""

    @property
    def best(self) -> int:
        """The concurrency with the highest median rate."""
        return max((loop.concurrency for loop in self.loops), key=self.rate_at)

    @property
    def best_rates(self) -> list[float]:
        """Answers 200 per second at the best concurrency, of each of its loops."""
        return self.rates_at(self.best)

    @property
    def rate(self) -> float:
        """Answers 200 per second at the best concurrency, as the median of its loops."""
        return self.rate_at(self.best)

    def rate_at(self, concurrency: int) -> float:
        """Return the answers 200 per second at one concurrency, as the median of its loops."""
        return median(self.rates_at(concurrency))

    def rates_at(self, concurrency: int) -> list[float]:
        """Return the answers 200 per second at one concurrency, of each of its loops."""
        return [loop.rate for loop in self.loops if loop.concurrency == concurrency]


def require_wrk() -> str:
    """Return the version of wrk. Raises LoadError, saying how to install it, where there is none."""
    if shutil.which("wrk") is None:
        raise LoadError("The load comes from wrk, which is not installed: apt-get install wrk (Debian, Ubuntu).")
    process = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)  # its status is 1
    return process.stdout.split()[1]


@contextmanager
def wrk_arguments(bodies: Sequence[Body]) -> Iterator[list[str]]:
    """Write the bodies to files, and yield what makes wrk post them in turn: one content type, then the files."""
    with tempfile.TemporaryDirectory(prefix="glassbot-benchmark-") as folder:
        paths = [Path(folder, str(number)) for number in range(len(bodies))]
        for path, body in zip(paths, bodies, strict=True):
            path.write_bytes(body.content)
        yield [bodies[0].content_type, *map(str, paths)]


def run_closed_loop(server: Server, arguments: Sequence[str], concurrency: int, seconds: int) -> ClosedLoop:
    """Run ``concurrency`` clients for ``seconds``, or longer where no request is answered in that time.

    Raises LoadError where wrk fails, or no request was answered 200 in 16 times as long either.
    """
    for longer in (1, 4, 16):
        loop = _closed_loop(server, arguments, concurrency, longer * seconds)
        if loop.ok:
            return loop
    raise LoadError(f"{server.name} answered no request with 200: {loop}")


def _closed_loop(server: Server, arguments: Sequence[str], concurrency: int, seconds: int) -> ClosedLoop:
    _await_idle(server, arguments)
    options = {
        "--threads": "1",
        "--connections": str(concurrency),
        "--duration": f"{seconds}s",
        "--timeout": "30s",
        "--script": str(SCRIPT),
    }
    flags = [part for option in options.items() for part in option]
    status, output, share = _run(["wrk", *flags, f"{server.address}/predict", "--", *arguments])
    if status or not output.rstrip().endswith("}"):
        raise LoadError(f"wrk ended with status {status}: {output.strip()[-300:]}")
    return ClosedLoop(concurrency=concurrency, client_cpu=share, **json.loads(output.splitlines()[-1]))


def _await_idle(server: Server, arguments: Sequence[str]) -> None:
    """Send one request: once it is answered, so are those that the previous loop left behind."""
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
    """Run a command, and return its status, its output, and the share of all cores that it used."""
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
