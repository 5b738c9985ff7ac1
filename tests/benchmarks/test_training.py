"""The benchmark of training runs and says what it measured; no test asks how fast."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import training as benchmark


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="the compiled step needs a C++ compiler")
def test_the_benchmark_writes_its_ratios_and_conditions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--rules",
        "modern",
        "--size",
        "67",
        "--side",
        "80",
        "--pictures",
        "16",
        "--batch-size",
        "4",
        "--steps",
        "1",
        "--rounds",
        "1",
        "--workers",
        "0",
        "--device",
        "cpu",
        "--json",
        str(tmp_path / "found.json"),
    ]
    monkeypatch.setattr(sys, "argv", ["benchmarks.training", *arguments])
    benchmark.main()
    assert "end to end over plain loop" in capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert {"end_to_end_over_plain_loop", "end_to_end_over_step_only", "ours_step_over_layers_alone"} <= set(
        found["ratios"]
    )
    assert all(0 < ratio["low"] <= ratio["value"] <= ratio["high"] for ratio in found["ratios"].values())
    assert found["gigaflops_per_picture"] > 0
    assert found["conditions"]["n"] == 1
    assert found["images_per_second"]["ours"]["loader"] > 0
