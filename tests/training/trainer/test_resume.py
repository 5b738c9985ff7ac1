"""A run that is killed, or finds the disk full, and goes on ends in the same weights, bit for bit."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model import checkpoint
from model.runlog import reader
from training.__main__ import main
from training.trainer.state import read_state, write_state

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("GLASSBOT_KILLS", "3"))  # `make soak` asks for more
COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30)}
EVERYTHING = (
    "stages=67:0.5,99:0.5", "dropout=0.3", "ema=0.9", "mixup=0.4", "cutmix=0.4", "colour_noise=0.1",
    "label_smoothing=0.1", "lr=1e-3",
)  # fmt: skip


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


def command(out: Path, data: Path) -> list[str]:
    settings = [item for setting in EVERYTHING for item in ("--set", setting)]
    return [sys.executable, "-m", "training", "train", "--recipe", "smoke", "--data", str(data), "--out", str(out),
            "--epochs", "2", "--device", "cpu", "--save-every", "4", "--resume", *settings]  # fmt: skip


def saved(out: Path) -> int:
    """Changes each time a state is saved."""
    path = out / "state.pt"
    return path.stat().st_mtime_ns if path.exists() else 0


def kill_after_a_save(out: Path, data: Path, delay: float) -> None:
    before = saved(out)
    with subprocess.Popen(command(out, data), cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while saved(out) == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)  # somewhere in the next steps, or in the next save
        process.send_signal(signal.SIGKILL)


def small_files_only() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))


@pytest.mark.slow
def test_a_killed_run_ends_in_the_same_weights(mugs: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(command(whole, mugs), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    chance = random.Random(0)
    for _ in range(KILLS):
        kill_after_a_save(parts, mugs, chance.uniform(0, 0.8))
    state = (parts / "state.pt").read_bytes()
    full = subprocess.run(
        command(parts, mugs), cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=small_files_only
    )
    if full.returncode:  # it was not finished before
        assert full.returncode == 2, full.stderr
        assert "could not be written" in full.stderr
        assert full.stderr.count("\n") == 1, full.stderr
    assert (parts / "state.pt").read_bytes() == state
    subprocess.run(command(parts, mugs), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    first, second = (checkpoint.load(folder / "last.safetensors", fold=False) for folder in (whole, parts))
    assert first.weights.keys() == second.weights.keys()
    for name, weight in first.weights.items():
        np.testing.assert_array_equal(weight, second.weights[name], err_msg=name)
    assert not list(parts.glob("*.half"))
    ends = [[e for e in reader.entries(folder / "metrics.jsonl") if "measured" in e] for folder in (whole, parts)]
    assert ends[0] == ends[1]


def test_a_polite_stop_waits_for_the_step_and_goes_on(mugs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with subprocess.Popen(
        command(out, mugs), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        while not saved(out):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, words = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "--resume goes on" in words
    assert read_state(out / "state.pt")["step"] > 0


def test_a_folder_in_which_another_process_trains_is_left_to_it(
    mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    with subprocess.Popen(
        command(out, mugs), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while not saved(out):
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)  # it must not be finished before we ask
        before = (out / "config.json").read_bytes()
        assert main(command(out, mugs)[3:]) == 2
        assert "Another process trains in" in capsys.readouterr().err
        assert (out / "config.json").read_bytes() == before
        process.kill()


def test_half_a_state_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    write_state(path, {"step": 1, "weight": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="not a whole state"):
        read_state(path)
    with pytest.raises(ValueError, match="not a whole state"):
        read_state(tmp_path / "absent.pt")
