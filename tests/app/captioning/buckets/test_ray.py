"""``glassbot caption --ray`` on two nodes, whose actors, nodes and driver are killed at random times."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.captioning.buckets import ray_job
from app.captioning.buckets.parts import Layout
from app.captioning.buckets.pictures import StoredPicture
from app.captioning.buckets.stores import open_store
from app.captioning.buckets.worker import Part, Plan
from app.settings import Settings, SettingsError
from benchmarks.buckets import descendants, s3_environment
from tests.app.captioning.buckets.conftest import fill, lines_in
from tests.app.server import ROOT

pytest.importorskip("ray")

PICTURES = int(os.environ.get("GLASSBOT_BUCKET", "300"))
PER_PART = max(5, PICTURES // 60)
WITHIN_S = 900 + PICTURES // 10
"""Far more seconds than a job takes, even on a busy machine."""

SMALL_PARTS = "from app.__main__ import main; from app.captioning.buckets import parts; parts.PICTURES"

CLUSTER = """
import sys
from ray.cluster_utils import Cluster
size = {"num_cpus": 1, "object_store_memory": 100_000_000}
cluster = Cluster(initialize_head=True, head_node_args={**size, "include_dashboard": False})
node = cluster.add_node(**size)
print(cluster.address, flush=True)
for _ in sys.stdin:
    cluster.remove_node(node, allow_graceful=False)
    node = cluster.add_node(**size)
    print("killed", flush=True)
"""
"""Two nodes of one core; each line on stdin kills the second one and adds another."""


class Nodes:
    """A cluster of two nodes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.address = process.stdout.readline().strip()
        if not self.address:
            pytest.skip("Ray's nodes did not start: they give their own parts 15 seconds, too few on a busy machine")

    def kill_node(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "killed\n"

    def kill_actor(self) -> None:
        """Kill one of the processes that hold a network, if there is any."""
        for pid in descendants(self._process.pid):
            with suppress(OSError):
                if b"Answerer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    return


@pytest.fixture(scope="module")
def nodes(s3_url: str) -> Iterator[Nodes]:
    patience = {"RAY_raylet_start_wait_time_s": "200", "RAY_agent_register_timeout_ms": "200000"}  # a busy machine
    environment = {**os.environ, **s3_environment(s3_url), "RAY_USAGE_STATS_ENABLED": "0", **patience}
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Nodes(process)
    finally:
        for pid in [*descendants(process.pid), process.pid]:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with process:  # waits for it, and closes its pipes
            pass


def command(bucket: str, out: str, checkpoint: Path, *arguments: str) -> list[str]:
    program = f"import sys; {SMALL_PARTS} = {PER_PART}; sys.exit(main(sys.argv[1:]))"
    places = [f"{bucket}/photos", "--out", f"{bucket}/{out}", "--checkpoint", str(checkpoint)]
    return [sys.executable, "-c", program, "caption", *places, *arguments]


def parts_in(address: str) -> int:
    store, path = open_store(address)
    return len(store.files(path) or [])


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(3 * WITHIN_S)
@pytest.mark.parametrize("seed", [0])
def test_kills_at_random_times_cost_no_answer_and_double_none(
    bucket: str, nodes: Nodes, checkpoint_file: Path, seed: int
) -> None:
    fill(f"{bucket}/photos", PICTURES)
    subprocess.run(command(bucket, "here", checkpoint_file), cwd=ROOT, check=True, timeout=WITHIN_S)
    expected = lines_in(f"{bucket}/here")
    assert len(expected) == PICTURES
    chance = random.Random(seed)
    kills = ["actor", "node", "driver"] * max(1, PICTURES // 5000)
    chance.shuffle(kills)
    deadline = time.monotonic() + WITHIN_S
    status, runs, struck = 1, 0, 0
    while status != 0:
        written = parts_in(f"{bucket}/there")
        arguments = ["--ray", nodes.address, "--format", "parquet", *(["--resume"] if written else [])]
        process = subprocess.Popen(command(bucket, "there", checkpoint_file, *arguments), cwd=ROOT)
        runs += 1
        print(f"run {runs}: {written} parts", file=sys.stderr)
        while process.poll() is None:
            assert time.monotonic() < deadline, "the job hangs"
            time.sleep(0.1)
            if kills and parts_in(f"{bucket}/there") >= written + chance.randint(1, 9):
                strike(kills.pop(), nodes, process)
                written, struck = parts_in(f"{bucket}/there"), struck + 1
        status = process.wait()
    print(f"{struck} kills, {runs} runs", file=sys.stderr)
    assert struck
    assert lines_in(f"{bucket}/there") == expected


def strike(what: str, nodes: Nodes, process: subprocess.Popen[bytes]) -> None:
    print(f"killed: {what}", file=sys.stderr)
    if what == "actor":
        nodes.kill_actor()
    elif what == "node":
        nodes.kill_node()
    else:
        process.kill()


def plan(checkpoint: Path, out: str) -> Plan:
    return Plan(out, Layout(1, "0123456789ab", "jsonl"), Settings(checkpoint=checkpoint))


def test_a_ray_that_ends_before_the_job_is_one_sentence(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    picture = StoredPicture("memory://a.jpg", "/a.jpg", 1, "memory://a.jpg")
    todo = [Part(0, [picture] * 20_000)]  # more than a pipe holds
    with pytest.raises(Exception, match="Ray ended before the job did"):
        list(ray_job.do_on_ray(plan(checkpoint_file, str(tmp_path)), todo, ""))


@pytest.mark.slow
def test_an_address_where_something_else_listens_is_one_sentence_in_time(
    s3_url: str, checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_job, "JOINS_WITHIN_S", 3.0)
    todo = [Part(0, [StoredPicture("memory://a.jpg", "/a.jpg", 1, "memory://a.jpg")])]
    address = s3_url.removeprefix("http://")
    ray_job.check_address(address)
    with pytest.raises(SettingsError, match="No Ray cluster answers"):
        list(ray_job.do_on_ray(plan(checkpoint_file, str(tmp_path)), todo, address))


@pytest.mark.soak
@pytest.mark.slow
def test_a_node_with_another_network_is_refused(checkpoint_file: Path, tmp_path: Path, nodes: Nodes) -> None:
    fill(str(tmp_path / "photos"), 1)
    file = str(tmp_path / "photos/0/00000.jpg")
    todo = [Part(0, [StoredPicture(f"file://{file}", file, 1, f"file://{file}")])]
    (done,) = ray_job.do_on_ray(plan(checkpoint_file, str(tmp_path / "answers")), todo, nodes.address)
    assert done.status == 2
    assert "copy the same file to all" in done.failure
    assert not (tmp_path / "answers").exists()
