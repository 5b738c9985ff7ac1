"""The benchmark of the gateway runs and counts; speed is not tested."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import gateway
from benchmarks.outages import Outage, Sent
from tests.tiny import tiny_checkpoint

with_tools = pytest.mark.skipif(
    shutil.which("haproxy") is None or shutil.which("wrk") is None, reason="takes apt-get install haproxy wrk"
)


@pytest.mark.slow
@with_tools
def test_one_command_measures_neighbours_and_costs(tmp_path: Path) -> None:
    network = tiny_checkpoint(tmp_path / "tiny.safetensors", input_size=67)
    options = ["--parts", "slow", "cost", "--rounds", "1", "--seconds", "2", "--clients", "6", "--rate", "20"]
    report = tmp_path / "report.json"
    assert gateway.main([*options, "--checkpoint", str(network), "--json", str(report)]) == 0
    figures = json.loads(report.read_text("utf-8"))
    assert set(figures) == {"conditions", "slow", "cost"}
    assert figures["slow"]["not answered 200"] == 0
    assert figures["slow"]["ratio"]["n"] > 10
    assert all(value > 0 for value in figures["cost"]["replica, ms of a core for each answer"])
    assert [name for name in figures["cost"] if name.startswith("COMPUTED")]


def test_an_outage_counts_what_was_not_answered() -> None:
    sent = (Sent(1.0, 0.1, 200), Sent(1.5, 0.2, 502), Sent(3.0, 0.1, 200))
    outage = Outage(sent, began=1.4, ended=2.0)
    assert outage.failures == [sent[1]]
    assert outage.statuses() == {200: 2, 502: 1}


@pytest.mark.parametrize("missing", ["haproxy", "wrk"])
def test_without_its_tools_one_sentence_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else there(name))
    assert gateway.main([]) == 2
    assert "apt-get install" in capsys.readouterr().err
