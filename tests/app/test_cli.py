"""The program as its users start it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.app.inference import corpus
from tests.app.server import ROOT, Running, served, until_ready_is


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | environment,
    )


def is_one_sentence(text: str) -> bool:
    return text.startswith("glassbot: ") and text.count("\n") == 1 and "Traceback" not in text


def test_a_missing_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    done = run("serve", "--port", "0", "--checkpoint", str(tmp_path / "none"))
    assert done.returncode == 1
    assert is_one_sentence(done.stderr)


def test_a_foreign_or_truncated_checkpoint_is_one_sentence(tmp_path: Path, checkpoint_file: Path) -> None:
    with checkpoint_file.open("rb") as whole:
        truncated = whole.read(1_000_000)
    for content in (b"\x80\x04 a pickle?", truncated):
        (tmp_path / "bad").write_bytes(content)
        done = run("serve", "--port", "0", "--checkpoint", str(tmp_path / "bad"))
        assert done.returncode == 1
        assert is_one_sentence(done.stderr)


BROKEN = """
import sys
from app.__main__ import main

def create_engine(*_, **__):
    raise RuntimeError("no such chip")

sys.exit(main(["serve", "--port", "0"], create_engine=create_engine))
"""
"""``glassbot serve`` on an engine that cannot be built, which happens while the framework is still imported."""


def test_an_engine_that_cannot_be_built_is_one_sentence() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    *logged, reason = done.stderr.splitlines()
    assert reason == "glassbot: The network cannot be run here: no such chip"
    assert "Traceback" not in "".join(logged)


def test_a_bad_setting_is_one_sentence_and_status_2() -> None:
    for environment in ({"GLASSBOT_PORT": "many"}, {"GLASSBOT_PROT": "1"}):
        done = run("serve", **environment)
        assert done.returncode == 2
        assert is_one_sentence(done.stderr)


def test_a_deprecated_variable_is_warned_of_in_the_log(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    done = run("serve", "--port", "0", "--checkpoint", missing, GLASSBOT_UPLOAD_S="9", GLASSBOT_LOG_FORMAT="plain")
    warning, error = done.stderr.splitlines()
    assert "WARNING glassbot GLASSBOT_UPLOAD_S is deprecated" in warning
    assert missing in error


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run("serve", "--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert is_one_sentence(done.stderr)


@pytest.mark.anyio
@pytest.mark.slow
@pytest.mark.parametrize("drain", ["0", "1", "600"])
async def test_sigterm_under_load_answers_everything_and_ends_with_0(
    checkpoint_file: Path, tmp_path: Path, drain: str
) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)
    unlimited = {"GLASSBOT_CACHE_OUTPUTS": "0", "GLASSBOT_MAX_WAIT_MS": "60000"}
    with served(checkpoint_file, tmp_path / "log", GLASSBOT_DRAIN_SECONDS=drain, **unlimited) as running:
        process = running.process
        async with httpx.AsyncClient(base_url=running.address, limits=limits, timeout=60) as client:
            bodies = [corpus.jpeg(800, 600, seed=seed) for seed in range(24)]
            requests = [asyncio.create_task(client.post("/predict", content=body)) for body in bodies]
            await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
            process.send_signal(signal.SIGTERM)
            if drain == "600":
                await until_ready_is(client, 503)
                assert (await client.post("/predict", content=bodies[0])).status_code == 200
                process.send_signal(signal.SIGINT)  # which ends the drain
            assert [answer.status_code for answer in await asyncio.gather(*requests)] == [200] * 24
        assert await asyncio.to_thread(process.wait, 60) == 0


def test_a_container_asks_its_service_directly_also_where_a_proxy_is_set(running_server: Running) -> None:
    port = httpx.URL(running_server.address).port
    command = [sys.executable, "-m", "app.http.healthcheck"]
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    for settings, status in (({"PORT": str(port)}, 0), ({"PORT": str(port), "HOST": "0.0.0.0"}, 0), ({"PORT": "9"}, 1)):
        environment = os.environ | proxies | {f"GLASSBOT_{name}": value for name, value in settings.items()}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == status, done.stderr
