"""The program as its users start it: a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.__main__ import main
from app.folder import find
from tests.app import corpus

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env=os.environ | environment,
    )  # fmt: skip


def is_one_sentence(text: str) -> bool:
    return text.startswith("glassbot: ") and text.count("\n") == 1 and "Traceback" not in text


@contextmanager
def served(checkpoint: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address, once it says that it looks."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--checkpoint", str(checkpoint)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environment
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("Glassbot looks at http://127.0.0.1:"), said
        yield process, said.split()[3]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


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


def test_a_bad_setting_is_one_sentence_and_status_2() -> None:
    for environment in ({"GLASSBOT_PORT": "many"}, {"GLASSBOT_PROT": "1"}):
        done = run("serve", **environment)
        assert done.returncode == 2
        assert is_one_sentence(done.stderr)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run("serve", "--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert is_one_sentence(done.stderr)


@pytest.mark.anyio
@pytest.mark.slow
@pytest.mark.parametrize("drain", ["0", "1"])
async def test_sigterm_under_load_answers_everything_and_ends_with_0(checkpoint_file: Path, drain: str) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)
    with served(checkpoint_file, GLASSBOT_DRAIN_SECONDS=drain, GLASSBOT_CACHE_OUTPUTS="0") as (process, address):
        async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client:
            bodies = [corpus.jpeg(800, 600, seed=seed) for seed in range(24)]
            asked = [asyncio.create_task(client.post("/predict", content=body)) for body in bodies]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            process.send_signal(signal.SIGTERM)
            if drain == "1":
                await asyncio.sleep(0.3)
                assert (await client.get("/readyz")).status_code == 503
                assert (await client.post("/predict", content=bodies[0])).status_code == 200
            assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * 24
        assert await asyncio.to_thread(process.wait, 30) == 0


@pytest.mark.slow
def test_a_folder_becomes_json_lines_and_bad_files_are_listed(tmp_path: Path, checkpoint_file: Path) -> None:
    (tmp_path / "pictures" / "deep").mkdir(parents=True)
    (tmp_path / "pictures" / "b.jpg").write_bytes(corpus.jpeg())
    (tmp_path / "pictures" / "deep" / "a.png").write_bytes(corpus.deep_png())
    (tmp_path / "pictures" / "broken.jpg").write_bytes(corpus.jpeg()[:900])
    (tmp_path / "pictures" / "notes.txt").write_text("not a picture")
    out = tmp_path / "out.jsonl"
    done = run("caption", str(tmp_path / "pictures"), "--checkpoint", str(checkpoint_file), "--out", str(out))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "broken.jpg" in done.stderr.splitlines()[-1]
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["b.jpg", "a.png"]
    assert all(line["caption"]["alt_text"].endswith(".") for line in lines)
    assert "timing_ms" not in lines[0]


def test_captions_of_nothing_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["caption", str(tmp_path)]) == 1
    assert is_one_sentence(capsys.readouterr().err)


def test_a_mistyped_path_is_said_before_the_network_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", str(tmp_path / "holidya"), "--checkpoint", str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert is_one_sentence(said)
    assert "holidya" in said


def test_files_are_found_once_sorted_and_hidden_ones_not_at_all(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", ".c.jpg", "d.txt", ".git/e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = tmp_path / "d.txt"
    assert find([tmp_path, tmp_path / "a.png", named]) == [tmp_path / "a.png", tmp_path / "b.JPG", named]
