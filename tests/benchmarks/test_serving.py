"""The benchmark of serving runs, compares, and leaves nothing behind; how fast is not a test's business."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import LoadError, need_wrk
from benchmarks.servers import ROOT, Program, ServerError, running
from tests.tiny import tiny_checkpoint

slow = pytest.mark.slow
with_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="the load comes from wrk: apt-get install wrk")
with_litserve = pytest.mark.skipif(
    importlib.util.find_spec("litserve") is None, reason="LitServe comes with: pip install -e '.[bench]'"
)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("benchmark") / "tiny-for-serving.safetensors", input_size=67)


def run(network: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    file = network.with_name("found.json")
    command = [sys.executable, "-m", "benchmarks.serving", "--quick", "--checkpoint", str(network), "--json", str(file)]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(file.read_text("utf-8")), done.stdout


def started_for(network: Path) -> list[str]:
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_text("utf-8", "replace"))
        except OSError:  # ended meanwhile
            continue
    return [line for line in lines if network.name in line]


@slow
@with_wrk
def test_one_command_measures_serving_and_says_what_was_met(network: Path) -> None:
    found, said = run(network, "--parts", "throughput", "arrivals", "bodies", "footprint")
    assert set(found["ratios"]) >= {"http_over_in_process", "p99_half_load_over_idle"}
    assert all(ratio["value"] > 0 and ratio["n"] >= 1 for ratio in found["ratios"].values())
    assert {goal["what"] for goal in found["goals"]} >= {"start to ready", "answers over HTTP / in process (N/D1)"}
    assert found["figures"]["answers"]["compared"] == 2 * 8 + 3 * 5
    assert found["figures"]["arrivals"]["loads"]["500 %"]["shed_without_retry_after"] == 0
    assert found["figures"]["footprint"]["memory"]["answered"] == 40
    assert found["conditions"]["seconds"] == 1
    assert "MISSED" in said or "met" in said
    assert started_for(network) == []


@slow
@with_wrk
@with_litserve
def test_peers_answer_the_same_and_are_measured_the_same_way(network: Path) -> None:
    found, said = run(network, "--parts", "peers")
    assert set(found["ratios"]) == {"over_fastapi_torch", "over_litserve"}
    assert found["figures"]["peers"]["agreed_on"] == 8
    assert set(found["figures"]["peers"]["servers"]) == {"Glassbot", "FastAPI + torch", "LitServe"}
    assert "LitServe's best settings" in said
    assert started_for(network) == []


@slow
def test_a_server_that_does_not_start_is_told_with_its_own_last_words(network: Path) -> None:
    wrong = Program("ours", ("app", "serve", "--threads", "-1"), "/readyz", "raw")
    with pytest.raises(ServerError, match=r"ours did not get ready: .*GLASSBOT_THREADS"), running(wrong, network):
        pass


@slow
@with_wrk
def test_a_server_is_ended_whatever_happens(network: Path) -> None:
    from benchmarks.servers import GLASSBOT

    with pytest.raises(ZeroDivisionError), running(GLASSBOT, network) as server:  # noqa: PT012 the block is the test
        assert server.memory()["rss"] > 50e6
        assert started_for(network)
        raise ZeroDivisionError
    assert started_for(network) == []


def test_without_wrk_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(LoadError, match="apt-get install wrk"):
        need_wrk()
