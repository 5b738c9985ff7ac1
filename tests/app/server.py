"""The service as its users start it: a process of its own, on a free port."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Running:
    """One that looks already."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def resident(self) -> int:
        """Bytes that it has in memory now."""
        return resident(self.process.pid)


def resident(pid: int) -> int:
    """Bytes that a process has in memory now; none where it has just ended."""
    status = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return sum(1024 * int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


@contextmanager
def served(checkpoint: Path, log: Path, *, program: Sequence[str] = ("app",), **environment: str) -> Iterator[Running]:
    """``glassbot serve`` until the block ends, with SIGTERM and status 0."""
    command = [sys.executable, "-m", *program, "serve", "--port", "0", "--checkpoint", str(checkpoint)]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | environment
        )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("Glassbot is running at http://127.0.0.1:"), said + log.read_text()
        yield Running(process, said.split()[4], log)
        process.terminate()
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def until_ready_is(client: httpx.AsyncClient, status: int, *, seconds: float = 60) -> None:
    """Returns once ``/readyz`` answers with the status. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while (await client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.02)
