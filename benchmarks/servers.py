"""Servers as their users start them: processes of their own on loopback, one at a time, ended whatever happens."""

from __future__ import annotations

import http.client
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks.photos import Encoding

ROOT = Path(__file__).resolve().parents[1]
CORES = len(os.sched_getaffinity(0))


def processor() -> str:
    """What this machine computes on, in words."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


class ServerError(RuntimeError):
    """A server that did not start, or did not go on; the message ends with what it said last."""


@dataclass(frozen=True)
class Program:
    """How to start a server, and how to tell that it can answer."""

    name: str
    module: Sequence[str]
    """What stands behind ``python -m``; ``--port`` and ``--checkpoint`` follow."""
    ready: str
    """Path that is answered 200 once it can."""
    encoding: Encoding
    """What its ``POST /predict`` takes, where it is fastest."""
    environment: Mapping[str, str] = field(default_factory=dict)


NO_CACHE = {"GLASSBOT_CACHE_PICTURES": "0", "GLASSBOT_CACHE_OUTPUTS": "0"}
GLASSBOT = Program("Glassbot", ("app", "serve"), "/readyz", "raw", NO_CACHE)
PLAIN = Program("FastAPI + torch", ("benchmarks.peers.plain",), "/openapi.json", "multipart")


@dataclass(frozen=True)
class Server:
    """One that is ready."""

    name: str
    pid: int
    port: int
    start_seconds: float
    """From the start of its process to the first time that it said it was ready."""

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> dict[str, int]:
        """Bytes that its processes hold: ``rss`` of all added up, and ``pss``, which counts shared pages once."""
        totals = {"rss": 0, "pss": 0, "processes": 0}
        for process in _session(self.pid):
            with suppress(OSError):  # one that has just ended
                rows = [line.split() for line in (process / "smaps_rollup").read_text("ascii").splitlines()[1:]]
                sizes = {row[0]: 1024 * int(row[1]) for row in rows}
                totals["rss"] += sizes["Rss:"]
                totals["pss"] += sizes["Pss:"]
                totals["processes"] += 1
        return totals


@contextmanager
def running(program: Program, checkpoint: Path, *, within: float = 300) -> Iterator[Server]:
    """The server, once it is ready, until the block ends. Raises ServerError if that takes longer than ``within``."""
    port = _free_port()
    command = [sys.executable, "-m", *program.module, "--port", str(port), "--checkpoint", str(checkpoint)]
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **program.environment},
        )  # fmt: skip
        try:
            _wait(process, port, program, began + within, log)
            yield Server(program.name, process.pid, port, time.perf_counter() - began)
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], port: int, program: Program, until: float, log: IO[bytes]) -> None:
    while not _answers(port, program.ready):
        if process.poll() is not None or time.perf_counter() > until:
            log.seek(0)
            last = log.read()[-600:].decode("utf-8", "replace").strip()
            raise ServerError(f"{program.name} did not get ready: {last}")
        time.sleep(0.005)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the server, and after ten seconds SIGKILL to whatever is left of its session."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for left in _session(process.pid):
        with suppress(ProcessLookupError):
            os.kill(int(left.name), signal.SIGKILL)
    process.wait()


def _session(leader: int) -> Iterator[Path]:
    """The processes of one session: a server and all that it started."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            after_name = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(after_name[3]) == leader:
                yield folder


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
