"""The benchmark of serving runs, compares answers, and ends its servers; speed is not tested."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks import serving
from benchmarks.builds import engine_alone, older_build
from benchmarks.load import ClosedLoop, LoadError, require_wrk, run_closed_loop
from benchmarks.servers import ROOT, Program, Server, ServerError, running
from model.checkpoint import PRETRAINED
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
    file = network.with_name("report.json")
    command = [sys.executable, "-m", "benchmarks.serving", "--quick", "--checkpoint", str(network), "--json", str(file)]
    done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(file.read_text("utf-8")), done.stdout


def processes_of(network: Path) -> list[str]:
    """Return the command lines of all processes that name the network."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_text("utf-8", "replace"))
        except OSError:  # it has just ended
            continue
    return [line for line in lines if str(network) in line]


@slow
@with_wrk
def test_one_command_measures_serving_and_judges_the_goals(network: Path) -> None:
    report, output = run(network, "--parts", "throughput", "arrivals", "bodies", "folder", "footprint", "workers")
    assert set(report["ratios"]) >= {"http_over_in_process", "p99_half_load_over_idle", "folder_over_in_process"}
    assert all(ratio["low"] <= ratio["value"] <= ratio["high"] for ratio in report["ratios"].values())
    # The start is taken off the time of a folder, and of so few photos that may leave less than nothing.
    assert all(ratio["low"] > 0 for name, ratio in report["ratios"].items() if name != "folder_over_in_process")
    assert all(ratio["n"] >= 1 for ratio in report["ratios"].values())
    assert {goal["what"] for goal in report["goals"]} >= {"answers over HTTP / in process (N/D1)"}
    assert report["figures"]["answers"]["compared"] == 2 * 8 + 3 * 5
    assert report["figures"]["arrivals"]["loads"]["500 %"]["shed_without_retry_after"] == 0
    assert report["figures"]["footprint"]["memory"]["answered"] == 40
    assert report["conditions"]["seconds"] == 1
    assert "MISSED" in output or "met" in output
    assert processes_of(network) == []


@slow
@with_wrk
@with_litserve
def test_peers_answer_the_same_and_are_measured_the_same_way(network: Path) -> None:
    report, output = run(network, "--parts", "peers")
    assert set(report["ratios"]) >= {"over_fastapi_torch", "over_litserve", "over_litserve_at_8"}
    assert report["figures"]["peers"]["agreed_on"] == 8
    assert set(report["figures"]["peers"]["servers"]) == {"Glassbot", "FastAPI + torch", "LitServe"}
    assert "LitServe's best settings" in output
    assert processes_of(network) == []


@pytest.mark.soak
@slow
@with_wrk
def test_another_checkout_is_one_more_peer_in_turns(network: Path, tmp_path: Path) -> None:
    for room in ("app", "model", "static", "templates"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    report, output = run(network, "--parts", "today", "--today", str(tmp_path))
    ratios = {"http_over_today", "engine_over_today", "memory_over_today", "start_over_today"}
    assert set(report["ratios"]) == ratios == {goal["ratio"] for goal in report["goals"]}
    assert report["figures"]["today"]["network"] == "the same network"
    assert set(report["figures"]["today"]["engine"]) == {"Glassbot", "older build"}
    assert "engine alone, older build" in output
    assert processes_of(network) == []


@slow
def test_a_build_that_cannot_read_the_network_serves_its_own(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "model", tmp_path / "model", ignore=shutil.ignore_patterns("__pycache__"))
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(b"not a network")
    build = older_build(tmp_path, foreign)
    assert build.checkpoint == tmp_path / PRETRAINED.relative_to(ROOT)
    with engine_alone(build, foreign) as engine:
        assert engine.name.startswith("openvino")
        assert engine.rate(2, 1, 0.05) > 0


@slow
def test_a_folder_without_a_build_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="holds no build of Glassbot"):
        older_build(tmp_path, tmp_path / "none.safetensors")


def test_the_older_build_must_be_named_to_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("wrk"):
        assert serving.main(["--parts", "today"]) == 2
        assert "--today PATH" in capsys.readouterr().err
        assert serving.main(["--parts", "today", "--today", "/no/such/folder"]) == 2
        assert "is no folder" in capsys.readouterr().err


@pytest.mark.soak
@slow
@with_wrk
def test_benchmark_app_runs_the_graphs_that_the_engine_compiles(network: Path) -> None:
    report, output = run(network, "--parts", "openvino")
    rates = report["figures"]["openvino"]["rates"]
    assert set(rates) == {"1", "8", "16"}
    assert all(value > 0 for of_batch in rates.values() for values in of_batch.values() for value in values)
    assert "engine_over_benchmark_app_batch_8" in report["ratios"]
    assert "benchmark_app" in output


@slow
def test_the_error_of_a_server_that_does_not_start_ends_with_its_output(network: Path) -> None:
    wrong = Program("ours", ("app", "serve", "--threads", "-1"), "/readyz", "raw")
    with pytest.raises(ServerError, match=r"ours did not get ready: .*GLASSBOT_THREADS"), running(wrong, network):
        pass


@slow
@with_wrk
def test_a_server_is_ended_after_an_error(network: Path) -> None:
    from benchmarks.servers import GLASSBOT

    with pytest.raises(ZeroDivisionError), running(GLASSBOT, network) as server:  # noqa: PT012 the block is the test
        assert server.memory()["rss"] > 50e6
        assert processes_of(network)
        raise ZeroDivisionError
    assert processes_of(network) == []


def test_without_wrk_one_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(LoadError, match="apt-get install wrk"):
        require_wrk()


def test_a_loop_in_which_nothing_was_answered_runs_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = cast("Server", SimpleNamespace(name="ours"))
    lengths = []

    def loop(_server: Server, _arguments: object, concurrency: int, seconds: int) -> ClosedLoop:
        lengths.append(seconds)
        return ClosedLoop(concurrency, seconds, enough <= seconds, 18, 18, 0, 0, 1330.0, 0.01)

    monkeypatch.setattr("benchmarks.load._closed_loop", loop)
    enough = 8
    assert run_closed_loop(server, [], 32, 2).seconds == 8
    assert lengths == [2, 8]
    enough = 100
    with pytest.raises(LoadError, match="ours answered no request with 200"):
        run_closed_loop(server, [], 32, 2)
    assert lengths == [2, 8, 2, 8, 32]
