"""A job on Ray, seen from the command: a process that drives Ray, and a watch over it.

Ray is never called in the command's own process, because it may wait for ever: for an address that does not answer, for
machines that left, for its own end. A process can be ended whatever it waits for.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib.util import find_spec
from queue import Empty, Queue
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any

from app.captioning.buckets.worker import Part, PartDone, Plan
from app.inference.offline.paths import printable
from app.settings import LAST_PORT, SettingsError
from app.startup import StartError

ANSWERS_WITHIN_S = 5.0
"""Seconds in which a machine takes the connection to an address."""
JOINS_WITHIN_S = 20.0
"""Seconds in which a cluster is joined."""
STARTS_WITHIN_S = 120.0
"""Seconds in which Ray's package is imported, and seconds in which Ray starts here, on a busy machine."""
PATIENCE_S = 600.0
"""Seconds without a part, or a sign of its end, after which a job is ended."""
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")
_DRIVER = "from app.captioning.buckets.ray_driver import main; main()"
_ENDS_WITHIN_S = 10.0


def check_address(address: str) -> None:
    """Raise SettingsError where Ray is missing here, or nothing listens at the address; empty starts a Ray here."""
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise SettingsError("--ray needs more packages: pip install 'glassbot[bucket,ray]'.")
    if not address:
        return
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match[2]) > LAST_PORT:
        raise SettingsError(
            printable(f"--ray takes host:port of a Ray cluster, port {LAST_PORT} at most, or nothing, not {address!r}.")
        )
    try:
        socket.create_connection((match[1].strip("[]"), int(match[2])), ANSWERS_WITHIN_S).close()
    except (OSError, UnicodeError) as error:  # no name of a machine has an empty part
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise SettingsError(f"No Ray cluster answers at {address} ({reason}).") from error


def do_on_ray(plan: Plan, todo: list[Part], address: str) -> Generator[PartDone]:
    """Yield what came of each part, as soon as it is done by any machine of the cluster at ``address``.

    Raises SettingsError where the cluster cannot be joined, and StartError where it cannot go on.
    """
    job = {"address": address, "plan": plan.as_json(), "parts": [asdict(part) for part in todo]}
    with TemporaryFile() as log, _driver(job, log) as messages:
        _next(messages, STARTS_WITHIN_S, StartError("Ray's package was not imported in time."), log)
        place = f"No Ray cluster answers at {address}" if address else "Ray does not start here"
        seconds = JOINS_WITHIN_S if address else STARTS_WITHIN_S
        late = f"{place}: nothing came of it in {seconds:.0f} seconds."
        _next(messages, seconds, SettingsError(late) if address else StartError(late), log)
        stopped = StartError(
            f"No part was done for {PATIENCE_S:.0f} seconds, and the job was ended: run the same command with --resume "
            "to continue."
        )
        while not (message := _next(messages, PATIENCE_S, stopped, log)).get("ended"):
            errors = [(name, error) for name, error in message.pop("errors")]
            yield PartDone(**message, errors=errors)


@contextmanager
def _driver(job: dict[str, Any], log: IO[bytes]) -> Iterator[Queue[str]]:
    """Run the process that drives Ray, and yield its messages; an empty one is its end. It ends with the block."""
    seconds = round(STARTS_WITHIN_S)  # of its own 30 a busy machine needs more
    waits = [f"RAY_raylet_start_wait_time_s={seconds}", f"RAY_agent_register_timeout_ms={1000 * seconds}"]
    command = ["env", "RAY_USAGE_STATS_ENABLED=0", *waits, sys.executable, "-c", _DRIVER]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    messages: Queue[str] = Queue()
    # Both on threads: a process that hangs or has ended takes no job, and its watch goes on all the same.
    threads = [
        Thread(target=_listen, args=(process.stdout, messages), daemon=True),
        Thread(target=_tell, args=(process.stdin, job), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield messages
        process.wait(_ENDS_WITHIN_S)  # Ray's own end, which takes its processes along
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()
        for thread in threads:
            thread.join(_ENDS_WITHIN_S)
        for end in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                end.close()


def _tell(out: IO[str], job: dict[str, Any]) -> None:
    with suppress(OSError):  # it ended before it read the job, which the end of its messages tells
        print(json.dumps(job), file=out, flush=True)


def _listen(lines: IO[str], messages: Queue[str]) -> None:
    for line in lines:
        messages.put(line)
    messages.put("")


def _next(messages: Queue[str], seconds: float, late: Exception, log: IO[bytes]) -> dict[str, Any]:
    """Return the next message. Raises ``late`` where there is none in time, or what the message tells of."""
    try:
        line = messages.get(timeout=seconds)
    except Empty:
        raise late from None
    if not line:
        raise StartError(f"Ray ended before the job did{_last_words(log)}: run the same command with --resume.")
    message: dict[str, Any] = json.loads(line)
    if sentence := message.get("failed"):
        raise SettingsError(sentence) if message["status"] == 2 else StartError(sentence)
    return message


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return printable(f" ({lines[-1].strip()[:200]})") if lines else ""
