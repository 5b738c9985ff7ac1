"""Options of the benchmarks: what cannot be measured is refused in one sentence; SIGTERM ends what was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPOSSIBLE = {
    "no rounds": ("training", ["--rounds", "0"], "--rounds: 0 is no whole number of at least 1"),
    "no steps": ("training", ["--steps", "0"], "--steps: 0 is no whole number of at least 1"),
    "no batch": ("training", ["--pictures", "4"], "--pictures 4 do not fill one batch: --batch-size is 128"),
    "half a second": ("serving", ["--seconds", "1.5"], "--seconds: 1.5 is no whole number from 1 to 600"),
    "too long": ("serving", ["--seconds", "601"], "--seconds: 601 is no whole number from 1 to 600"),
    "no requests": ("gateway", ["--rate", "0"], "--rate: 0 is no number above 0"),
    "requests without end": ("gateway", ["--rate", "inf"], "--rate: inf is no number above 0"),
    "no turns": ("gateway", ["--rounds", "none"], "--rounds: none is no whole number of at least 1"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_measured_is_refused(name: str) -> None:
    benchmark, arguments, sentence = IMPOSSIBLE[name]
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


_BENCHMARK = """
from benchmarks.options import exit_on_sigterm
from benchmarks.servers import GLASSBOT, running
from model.checkpoint import PRETRAINED
exit_on_sigterm()
with running(GLASSBOT, PRETRAINED) as server:
    print(server.pid, flush=True)
    while True:
        pass
"""


def test_a_benchmark_that_is_ended_ends_its_server() -> None:
    with subprocess.Popen([sys.executable, "-c", _BENCHMARK], cwd=ROOT, stdout=subprocess.PIPE, text=True) as benchmark:
        try:
            assert benchmark.stdout is not None
            server = int(benchmark.stdout.readline())
            benchmark.terminate()
            assert benchmark.wait(60) == 128 + signal.SIGTERM
        finally:
            benchmark.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
