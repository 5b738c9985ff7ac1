"""Two processes learn what one learns, and say so where they cannot."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.servers import kept_port
from model.runlog import reader
from tests.training.made import folders
from training import distributed
from training.__main__ import main
from training.distributed import ProcessGroup
from training.trainer.resume import check_folder
from training.trainer.state import read_state, write_state

ROOT = Path(__file__).resolve().parents[3]
SMOKE = "train --recipe smoke --device cpu"


class Pair(ProcessGroup):
    """A group whose other process sees what it is told to see."""

    other: Any = None

    def gather(self, item: Any) -> list[Any]:
        return [item, self.other]


def test_shares_cover_every_picture_once() -> None:
    for count in (0, 1, 7, 118):
        for size in (1, 2, 3):
            shares = [range(count)[ProcessGroup(rank=rank, world_size=size).share(count)] for rank in range(size)]
            assert [i for share in shares for i in share] == list(range(count))


def test_a_group_of_one_exchanges_nothing() -> None:
    group = ProcessGroup()
    assert group.is_main
    assert group.gather(5) == [5]
    assert group.any(True)
    assert not group.any(False)
    assert group.mean(torch.tensor(2.5)) == 2.5
    group.barrier()
    group.copy_buffers(torch.nn.BatchNorm1d(3))


def test_a_folder_that_another_machine_does_not_have_is_refused(tmp_path: Path) -> None:
    config, saved = {"steps": 9}, {"step": 4, "network": {}}
    check_folder(tmp_path, ProcessGroup(), config, saved)
    group = Pair(rank=1, world_size=2)
    for other in ((False, None, None), (True, config, None), (True, config, 5), (True, {"steps": 8}, 4)):
        object.__setattr__(group, "other", other)
        with pytest.raises(ValueError, match=r"do not see the same in .*: name an --out that all machines share\.$"):
            check_folder(tmp_path, group, config, saved)
    object.__setattr__(group, "other", (True, config, 4))
    check_folder(tmp_path, group, config, saved)


def test_a_run_says_that_another_number_of_processes_comes_to_other_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = [*SMOKE.split(), "--data", str(folders(tmp_path / "data", {"a": 12, "b": 12})), "--out", str(out)]
    assert main(command) == 0
    write_state(out / "state.pt", {**read_state(out / "state.pt"), "processes": 3})
    config = json.loads((out / "config.json").read_text())
    for more in (1, 2):  # the second time it is no news
        (out / "config.json").write_text(json.dumps({**config, "steps": config["steps"] + more}))
        capsys.readouterr()
        assert main([*command, "--resume"]) == 0
        assert ("the run has 1 process, where it had 3" in capsys.readouterr().out) == (more == 1)
    [note] = [entry["note"] for entry in reader.entries(out / "metrics.jsonl") if "note" in entry]
    assert note["label"] == "1 process"
    assert read_state(out / "state.pt")["processes"] == 1


def test_a_process_that_finds_no_others_says_so_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    launched = {"TORCHELASTIC_RUN_ID": "none", "RANK": 1, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1"}
    monkeypatch.setattr(distributed, "PATIENCE", timedelta(seconds=1))
    with kept_port() as port:
        for name, value in {**launched, "MASTER_PORT": port}.items():
            monkeypatch.setenv(name, str(value))
        assert main([*SMOKE.split(), "--data", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("training: The other processes of this run cannot be reached, or no longer")
    assert said.count("\n") == 1
    assert "()" not in said  # what torch says stands in brackets
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    folders(tmp_path / "data", {f"kind {number}": 23 for number in range(3)})

    def losses(name: str, *launcher: str) -> list[float]:
        out = tmp_path / name
        flags = (
            f"--recipe smoke --data {tmp_path / 'data'} --out {out} --epochs 2.5 --device cpu --batch-size 7 "
            "--log-every 1 --lr 0.0003 --set lrn=text --set batch_norm=false --set colour_noise=0.1"
        )
        command = [*launcher, "-m", "training", "train", *flags.split()]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=600)
        entries = reader.entries(out / "metrics.jsonl")
        measured[name] = next(entry["measured"] for entry in entries if "measured" in entry)
        return [entry["loss"] for entry in entries if "loss" in entry]

    measured: dict[str, dict[str, dict[str, float]]] = {}
    one = losses("one", sys.executable)
    two = losses("two", sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    assert len(one) >= 20
    np.testing.assert_allclose(two, one, atol=1e-4)
    assert one[-1] != one[0]
    assert measured["one"] == measured["two"]
    assert measured["two"]["data"]["n"] == 6  # each held-out picture once
    assert json.loads((tmp_path / "two" / "config.json").read_text())["provenance"]["processes"] == 2
