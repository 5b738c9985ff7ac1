"""Two processes learn what one learns."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from model.runlog import reader
from tests.training.made import folders
from training.distributed import ProcessGroup

ROOT = Path(__file__).resolve().parents[3]


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
