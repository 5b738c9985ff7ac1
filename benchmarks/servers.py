"""Servers as their users start them: one process at a time, on the loopback address, which is always ended."""

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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks.photos import Encoding

ROOT = Path(__file__).resolve().parents[1]
CORES = len(os.sched_getaffinity(0))


def processor() -> str:
    """Return the name of this machine's processor."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


class ServerError(RuntimeError):
    """Report that a server did not start; the message ends with its last output."""


@dataclass(frozen=True)
class Program:
    """How to start a server, and how to know that it is ready."""

    name: str
    """The name in the report."""
    module: Sequence[str]
    """The arguments after ``python -m``, before ``--port`` and ``--checkpoint``."""
    ready: str
    """The path that is answered 200 once the server is ready."""
    encoding: Encoding
    """The fastest encoding that its ``POST /predict`` accepts."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for it, besides ours."""
    folder: Path = ROOT
    """The folder that it runs in, and that its modules come from."""
    python: Path = Path(sys.executable)
    """The interpreter that runs it."""
    checkpoint: Path | None = None
    """The network that it serves, where that is another than everyone's."""


NO_CACHE = {"GLASSBOT_CACHE_PICTURES": "0", "GLASSBOT_CACHE_OUTPUTS": "0"}
GLASSBOT = Program("Glassbot", ("app", "serve"), "/readyz", "raw", NO_CACHE)
PLAIN = Program("FastAPI + torch", ("benchmarks.peers.plain",), "/openapi.json", "multipart")


@dataclass(frozen=True)
class Server:
    """A server that is ready."""

    name: str
    """The name in the report."""
    pid: int
    """The id of its first process."""
    port: int
    """The port on which it listens."""
    start_seconds: float
    """Seconds from the start of its process until it was ready."""

    @property
    def address(self) -> str:
        """The URL at which it listens."""
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> dict[str, int]:
        """Return the memory of its ``processes``, in bytes: ``rss``, and ``pss``, which counts shared pages once."""
        return memory_of(_session(self.pid))


def memory_of(processes: Iterable[Path]) -> dict[str, int]:
    """Return the memory of some ``processes``, folders in /proc, in bytes: ``rss``, and ``pss``, as in Server."""
    totals = {"rss": 0, "pss": 0, "processes": 0}
    for process in processes:
        with suppress(OSError):  # a process that has just ended
            rows = [line.split() for line in (process / "smaps_rollup").read_text("ascii").splitlines()[1:]]
            sizes = {row[0]: 1024 * int(row[1]) for row in rows}
            totals["rss"] += sizes["Rss:"]
            totals["pss"] += sizes["Pss:"]
            totals["processes"] += 1
    return totals


@contextmanager
def running(program: Program, checkpoint: Path, *, timeout_seconds: float = 300) -> Iterator[Server]:
    """Start a server, wait until it is ready, and end it when the block ends.

    Raises ServerError where it is not ready after ``timeout_seconds``.
    """
    network = program.checkpoint or checkpoint
    with kept_port() as port, tempfile.TemporaryFile() as log:
        command = [str(program.python), "-m", *program.module, "--port", str(port), "--checkpoint", str(network)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, **program.environment},
        )
        try:
            _await_ready(process, port, program, began + timeout_seconds, log)
            yield Server(program.name, process.pid, port, time.perf_counter() - began)
        finally:
            _end(process)


def _await_ready(
    process: subprocess.Popen[bytes], port: int, program: Program, deadline: float, log: IO[bytes]
) -> None:
    while not _answers(port, program.ready):
        if process.poll() is not None or time.perf_counter() > deadline:
            log.seek(0)
            output = log.read()[-600:].decode("utf-8", "replace").strip()
            raise ServerError(f"{program.name} did not get ready: {output}")
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
    """Send SIGTERM to the server, and after at most ten seconds SIGKILL to the rest of its session."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for remaining in _session(process.pid):
        with suppress(ProcessLookupError):
            os.kill(int(remaining.name), signal.SIGKILL)
    process.wait()


def _session(leader: int) -> Iterator[Path]:
    """Yield the folders in /proc of one session: a server and the processes that it started."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            after_name = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(after_name[3]) == leader:
                yield folder


@contextmanager
def kept_port() -> Iterator[int]:
    """A port of the loopback address that the system gives to nobody else while the block runs.

    It is taken and not listened to: a server that asks for it by its number, with SO_REUSEADDR as servers do, gets it.
    """
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
