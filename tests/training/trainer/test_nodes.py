"""Two machines train together: what one of them loses, all go back to, and the run ends in the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest

from benchmarks.nodes import LOOPBACK, ROOT, Machine, reason_against_namespaces, torchrun, two_machines
from benchmarks.servers import kept_port
from model import checkpoint
from model.runlog import reader
from tests.training.made import folders
from training.trainer.state import read_state

DEADLINE = 500.0  # seconds for whatever is waited for; only a test that fails takes that long
PROCESSES = (2, 1)  # on the two machines: with fewer than three, every order of adding up is the same
SETTINGS = ("stages=67:0.5,99:0.5", "dropout=0.3", "ema=0.9", "mixup=0.4", "lr=1e-3")
SAVED_EVERY = 4  # steps
IMPATIENT = """
import sys
from datetime import timedelta

from training import distributed
from training.__main__ import main

distributed.PATIENCE = timedelta(seconds=60)
sys.exit(main())
"""

Words = Sequence[str]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders(tmp_path_factory.mktemp("data") / "kinds", {f"kind {number}": 40 for number in range(2)})


def train(out: Path, data: Path, *more: str) -> list[str]:
    flags = f"train --recipe smoke --data {data} --out {out} --epochs 2 --device cpu --log-every 1 --resume"
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return [*flags.split(), "--save-every", str(SAVED_EVERY), *settings, *more]


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three processes that nothing disturbs, on one machine."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "3",
        "-m",
        "training",
    ]
    subprocess.run(
        [*launcher, *train(out, pictures)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=DEADLINE,
    )
    return out


@pytest.fixture(params=["loopback", pytest.param("namespaces", marks=pytest.mark.soak)])
def machines(request: pytest.FixtureRequest) -> Iterator[tuple[Machine, Machine]]:
    if request.param == "loopback":
        yield LOOPBACK, LOOPBACK
        return
    if reason := reason_against_namespaces():
        pytest.skip(reason)
    with two_machines() as pair:
        yield pair


@contextmanager
def started(
    machines: tuple[Machine, Machine], words: Words, restarts: int = 3
) -> Iterator[list[subprocess.Popen[str]]]:
    """A launcher on each machine; they and what they started are gone after the context, however the test ends."""
    with ExitStack() as running:
        port, launchers = running.enter_context(kept_port()), []
        for machine, processes in zip(machines, PROCESSES, strict=True):
            command, environment = torchrun(machine, machines[0], port, words, processes=processes, restarts=restarts)
            environment["PYTHONPATH"] = str(ROOT)
            launcher = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
            )
            running.callback(end, launcher)
            launchers.append(launcher)
        yield launchers


def end(launcher: subprocess.Popen[str]) -> None:
    for pid in workers(launcher) if launcher.poll() is None else ():
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
    launcher.kill()
    launcher.wait(DEADLINE)


def workers(launcher: subprocess.Popen[str]) -> set[int]:
    """The processes that a launcher has started and that train."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    return {int(pid) for pid in children if b"train" in words_of(pid)}


def words_of(pid: str) -> list[bytes]:
    """The command line of a process; no words of one that has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def wait_until(happened: Callable[[], bool], launchers: Sequence[subprocess.Popen[str]], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen"
        assert all(launcher.poll() is None for launcher in launchers), f"a launcher ended before {what}"
        time.sleep(0.02)


def learned(out: Path) -> dict[str, Any]:
    """What a run has learned, and all that its log says but for how long it took."""
    weights = checkpoint.load(out / "last.safetensors", fold=False).weights
    entries = [{**entry, "images_per_second": 0} for entry in reader.entries(out / "metrics.jsonl")]
    return {"log": entries, **weights}


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def disturbed(machines: tuple[Machine, Machine], out: Path, words: Words, which: int, number: signal.Signals) -> None:
    """Train to the end, though a process on machine ``which`` gets a signal in the middle of the run."""
    with started(machines, words) as launchers:
        wait_until((out / "state.pt").exists, launchers, "a saved state")
        before = workers(launchers[which])
        os.kill(min(before), number)
        wait_until(lambda: bool(workers(launchers[which]) - before), launchers, "the restart")
        assert read_state(out / "state.pt")["step"] < 16, "the run was over before it was disturbed"
        assert [launcher.wait(DEADLINE) for launcher in launchers] == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("which", [0, pytest.param(1, marks=pytest.mark.soak)])
def test_a_killed_process_costs_no_bit(
    machines: tuple[Machine, Machine], which: int, pictures: Path, whole: Path, tmp_path: Path
) -> None:
    disturbed(machines, tmp_path / "run", ["-m", "training", *train(tmp_path / "run", pictures)], which, signal.SIGKILL)
    same(learned(tmp_path / "run"), learned(whole))
    rmtree(tmp_path / "run")  # half a gigabyte


@pytest.mark.soak
@pytest.mark.slow
def test_a_process_that_hangs_is_waited_for_no_longer_than_patience_lasts(
    pictures: Path, whole: Path, tmp_path: Path
) -> None:
    script = tmp_path / "impatient.py"
    script.write_text(IMPATIENT)
    words = [str(script), *train(tmp_path / "run", pictures)]
    disturbed((LOOPBACK, LOOPBACK), tmp_path / "run", words, 1, signal.SIGSTOP)
    same(learned(tmp_path / "run"), learned(whole))
    rmtree(tmp_path / "run")  # half a gigabyte
