"""A run that is killed, or finds the disk full, and goes on ends in the same weights, bit for bit."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import checkpoint
from model.runlog import reader
from training.__main__ import main
from training.commands import inspect_data
from training.trainer.state import read_state

ROOT = Path(__file__).resolve().parents[3]
DEADLINE = 600.0  # seconds for whatever is waited for; only a test that fails takes that long
LONG = 300  # epochs: a run that does not end before it is stopped
KILLS = int(os.environ.get("GLASSBOT_KILLS", "2"))  # `make soak` asks for more
COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30)}
EVERYTHING = (
    "stages=67:0.5,99:0.5",
    "dropout=0.3",
    "ema=0.9",
    "mixup=0.4",
    "cutmix=0.4",
    "colour_noise=0.1",
    "label_smoothing=0.1",
    "lr=1e-3",
)


@pytest.fixture(scope="module")
def mugs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, chance = tmp_path_factory.mktemp("data") / "mugs", np.random.default_rng(0)
    for colour, mean in COLOURS.items():
        (folder / colour).mkdir(parents=True)
        for number in range(44):
            noise = chance.integers(-30, 30, (72, 72, 3))
            Image.fromarray((np.array(mean) + noise).clip(0, 255).astype(np.uint8)).save(
                folder / colour / f"{number}.png"
            )
    return folder


def command(out: Path, data: Path, epochs: int = 2) -> list[str]:
    settings = [item for setting in EVERYTHING for item in ("--set", setting)]
    return [
        sys.executable,
        "-m",
        "training",
        "train",
        "--recipe",
        "smoke",
        "--data",
        str(data),
        "--out",
        str(out),
        "--epochs",
        str(epochs),
        "--device",
        "cpu",
        "--save-every",
        "4",
        "--resume",
        *settings,
    ]


def train_to_the_end(out: Path, data: Path) -> None:
    subprocess.run(command(out, data), cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE)


@contextmanager
def running(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed at the end of the context, however the test ends."""
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def save_time(out: Path) -> int:
    """Changes each time a state is saved."""
    path = out / "state.pt"
    return path.stat().st_mtime_ns if path.exists() else 0


def wait_for_a_save(out: Path, process: subprocess.Popen[str], before: int = 0) -> None:
    """Until a state is saved or the process has ended; fails after :data:`DEADLINE` seconds."""
    end = time.monotonic() + DEADLINE
    while save_time(out) == before and process.poll() is None:
        assert time.monotonic() < end, "no state was saved"
        time.sleep(0.01)


def kill_after_a_save(out: Path, data: Path, delay: float) -> None:
    before = save_time(out)
    with running(command(out, data)) as process:
        wait_for_a_save(out, process, before)
        time.sleep(delay)  # somewhere in the next steps, or in the next save


def small_files_only() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))


@pytest.mark.slow
def test_a_killed_run_ends_in_the_same_weights(mugs: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_to_the_end(whole, mugs)
    chance = random.Random(0)
    for _ in range(KILLS):
        kill_after_a_save(parts, mugs, chance.uniform(0, 0.8))
    state = (parts / "state.pt").read_bytes()
    disk_full = subprocess.run(
        command(parts, mugs),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files_only,
        timeout=DEADLINE,
    )
    if disk_full.returncode:  # it was not finished before
        assert disk_full.returncode == 2, disk_full.stderr
        assert "could not be written" in disk_full.stderr
        assert disk_full.stderr.count("\n") == 1, disk_full.stderr
    assert (parts / "state.pt").read_bytes() == state
    train_to_the_end(parts, mugs)
    first, second = (checkpoint.load(folder / "last.safetensors", fold=False) for folder in (whole, parts))
    assert first.weights.keys() == second.weights.keys()
    for name, weight in first.weights.items():
        np.testing.assert_array_equal(weight, second.weights[name], err_msg=name)
    assert not list(parts.glob("*.half"))
    ends = [[e for e in reader.entries(folder / "metrics.jsonl") if "measured" in e] for folder in (whole, parts)]
    assert ends[0] == ends[1]


def test_a_polite_stop_waits_for_the_step_and_goes_on(mugs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with running(command(out, mugs, epochs=LONG)) as process:
        wait_for_a_save(out, process)
        process.send_signal(signal.SIGTERM)
        _, messages = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, messages
    assert "--resume goes on" in messages
    assert read_state(out / "state.pt")["step"] > 0


def test_a_command_that_cannot_be_resumed_is_not_said_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect_data, "run", interrupted)
    assert main(["inspect", "photos"]) == 130
    assert capsys.readouterr().err == "training: stopped.\n"


def test_a_folder_in_which_another_process_trains_is_left_to_it(
    mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    with running(command(out, mugs, epochs=LONG)) as process:
        wait_for_a_save(out, process)
        process.send_signal(signal.SIGSTOP)  # it must not take our time
        before = (out / "config.json").read_bytes()
        assert main(command(out, mugs)[3:]) == 2
        assert "Another process trains in" in capsys.readouterr().err
        assert (out / "config.json").read_bytes() == before
