"""Replicas of the service on this machine, one DNS name for all of them, and the gateway before it.

Each replica has a loopback address of its own and the same port, as containers have, so that the gateway runs with the
very configuration that is deployed (``deploy/haproxy/haproxy.cfg``); only
environment variables tell it where things are.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import DatagramRequestHandler, UDPServer
from typing import Any

from benchmarks.load import LoadError
from benchmarks.servers import NO_CACHE, ROOT, ServerError, kept_port

CONFIGURATION = ROOT / "deploy/haproxy/haproxy.cfg"
"""The gateway's configuration, as it is deployed."""
ENVIRONMENT = {"GLASSBOT_DRAIN_SECONDS": "5", "GLASSBOT_MAX_WAIT_MS": "2000"}
"""What ``docker-compose.yml`` sets for a replica behind the gateway."""
_NAME = "replicas.test"
_WAIT_SECONDS = 120.0
_UP = re.compile(r'^haproxy_server_status{[^}]*server="(\w+)",state="UP"} 1', re.MULTILINE)


class Names(UDPServer):
    """A DNS server that knows one name: it answers every question for IPv4 addresses with all of ``addresses``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.addresses: set[str] = set()

    def answer(self, question: bytes) -> bytes:
        """Return the answer to a question (RFC 1035, section 4): one record for each address."""
        end = question.index(b"\0", 12) + 5
        asks_for_ipv4 = question[end - 4 : end - 2] == b"\0\1"
        addresses = sorted(self.addresses) if asks_for_ipv4 else []
        head = question[:2] + struct.pack("!5H", 0x8580, 1, len(addresses), 0, 0)
        record = struct.pack("!3HIH", 0xC00C, 1, 1, 0, 4)  # it points back to the name in the question
        return head + question[12:end] + b"".join(record + socket.inet_aton(address) for address in addresses)


class _Question(DatagramRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Names)
        self.wfile.write(self.server.answer(self.rfile.read()))


@dataclass(frozen=True, eq=False)
class Replica:
    """One process that serves, on an address of its own."""

    address: str
    """Its IPv4 address; all replicas have the same port."""
    process: subprocess.Popen[bytes]
    """The process, which this machine runs."""

    def cpu_seconds(self) -> float:
        """Return the seconds of processor time that it has used so far."""
        return cpu_seconds(self.process.pid)


def cpu_seconds(pid: int) -> float:
    """Return the seconds of processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Fleet(AbstractContextManager["Fleet"]):
    """Replicas of one network, which come and go, and their name; all of them end with the block."""

    def __init__(self, checkpoint: Path, folder: Path) -> None:
        self.replicas: list[Replica] = []
        self.names = Names()
        self._checkpoint = checkpoint
        self._folder = folder
        self._started = 0
        self._ends = ExitStack()
        self.port = self._ends.enter_context(kept_port())  # replicas listen on it at addresses of their own

    def __enter__(self) -> Fleet:
        thread = threading.Thread(target=self.names.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self._ends.callback(self.names.server_close)
        self._ends.callback(self.names.shutdown)
        return self

    def __exit__(self, *_: object) -> None:
        for replica in list(self.replicas):
            self.kill(replica)
        self._ends.close()

    def start(self, **environment: str) -> Replica:
        """Start one more replica, and wait until it is ready. Raises ServerError where it does not get ready.

        It has the name from the first moment on, long before it is ready, as a container has.
        """
        self._started += 1
        address = f"127.0.1.{self._started}"
        command = [sys.executable, "-m", "app", "serve", "--host", address, "--port", str(self.port)]
        log = self._folder / f"replica-{self._started}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, "--checkpoint", str(self._checkpoint)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **ENVIRONMENT, **NO_CACHE, **environment},
            )
        replica = Replica(address, process)
        self.replicas.append(replica)
        self.names.addresses.add(address)
        wait_until(lambda: process.poll() is not None or _get(address, self.port, "/readyz")[0] == 200, "a replica")
        if process.poll() is not None:
            raise ServerError(f"A replica did not get ready: {log.read_text('utf-8', 'replace')[-600:].strip()}")
        return replica

    def end(self, replica: Replica) -> int:
        """Tell a replica to end, wait until it has, and return its exit status; then it has no name any more."""
        replica.process.send_signal(signal.SIGTERM)
        status = replica.process.wait(_WAIT_SECONDS)
        self._forget(replica)
        return status

    def kill(self, replica: Replica) -> None:
        """End a replica at once, in the middle of its answers; then it has no name any more."""
        replica.process.kill()
        replica.process.wait()
        self._forget(replica)

    def _forget(self, replica: Replica) -> None:
        self.names.addresses.discard(replica.address)
        self.replicas.remove(replica)


@dataclass(frozen=True)
class Gateway:
    """HAProxy, as it is deployed, before the replicas of a fleet."""

    port: int
    """The port on which it answers clients."""
    pid: int
    """The id of its process."""
    log: Path
    """What it writes: one JSON object for each request."""
    metrics_port: int
    """The port on which it answers Prometheus."""

    def replicas_up(self) -> int:
        """Return how many replicas it sends requests to."""
        _, text = _get("127.0.0.1", self.metrics_port, "/metrics?scope=server&no-maint")
        return len(_UP.findall(text))

    def await_replicas(self, number: int) -> None:
        """Wait until it sends requests to that many replicas. Raises ServerError after two minutes."""
        wait_until(lambda: self.replicas_up() == number, f"the gateway, with {number} replicas,")

    def requests(self) -> list[dict[str, Any]]:
        """Return what its log says of every request so far, in the order in which they ended."""
        lines = self.log.read_text("utf-8").splitlines(keepends=True)  # of which the last may be half written
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


def require_haproxy() -> str:
    """Return the version of HAProxy. Raises LoadError, saying how to install it, where there is none."""
    if shutil.which("haproxy") is None:
        raise LoadError("The gateway is HAProxy, which is not installed: apt-get install haproxy (Debian, Ubuntu).")
    said = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2]


@contextmanager
def gateway(fleet: Fleet, folder: Path, configuration: Path = CONFIGURATION, **environment: str) -> Iterator[Gateway]:
    """Start HAProxy before a fleet, and end it with the block. Raises ServerError where it does not start."""
    host, dns_port = fleet.names.server_address[:2]
    log = folder / "gateway.log"
    with kept_port() as port, kept_port() as metrics_port, log.open("wb") as file:
        places = {
            "GATEWAY_BIND": f"127.0.0.1:{port}",
            "GATEWAY_METRICS": f"127.0.0.1:{metrics_port}",
            "GATEWAY_REPLICAS": f"{_NAME}:{fleet.port}",
            "GATEWAY_DNS": f"{host!s}:{dns_port}",
        }
        process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **places, **environment},
        )
        try:
            wait_until(
                lambda: process.poll() is not None or _get("127.0.0.1", metrics_port, "/livez")[0] == 200, "the gateway"
            )
            if process.poll() is not None:
                raise ServerError(f"The gateway did not start: {log.read_text('utf-8')[-600:].strip()}")
            yield Gateway(port, process.pid, log, metrics_port)
        finally:
            process.kill()
            process.wait()


def wait_until(holds: Callable[[], bool], who: str) -> None:
    """Wait until something holds. Raises ServerError, which names who did not get there, after two minutes."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise ServerError(f"{who[0].upper()}{who[1:]} did not get ready within {_WAIT_SECONDS:g} seconds.")
        time.sleep(0.02)


def _get(host: str, port: int, path: str) -> tuple[int, str]:
    """The status and the body that are answered; status 0 where nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
