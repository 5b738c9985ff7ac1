"""``glassbot serve --workers 2`` as its users start it: what two processes on one socket promise together."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.http.supervisor import share_of
from app.settings import Settings
from tests.app.inference import corpus
from tests.app.server import ROOT, Running, served
from tests.tiny import tiny_checkpoint

WITHIN_S = 120
"""Far more seconds than a worker needs to start, even on a busy machine."""
PATIENT = {"GLASSBOT_WORKERS": "2", "GLASSBOT_MAX_WAIT_MS": "60000", "GLASSBOT_DEADLINE_SECONDS": "120"}
"""Two workers that refuse nothing, however busy the machine is."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service makes its temporary folder."""
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def network_file(folder: Path) -> Path:
    """A network of few weights: what is told here does not depend on it."""
    return tiny_checkpoint(folder / "tiny.safetensors", input_size=67)


@pytest.fixture(scope="module")
def service(network_file: Path, folder: Path) -> Iterator[Running]:
    """Two workers, which all tests share that ask them or kill one of them; their folder is gone once they are."""
    with served(network_file, folder / "log", TMPDIR=str(folder), **PATIENT) as running:
        yield running
    assert not list(folder.glob("glassbot-*"))


def workers(running: Running) -> list[int]:
    pid = running.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(holds: Callable[[], bool], *, seconds: float = WITHIN_S) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def get(running: Running, path: str) -> httpx.Response:
    """Ask on a connection of its own, which any worker may take."""
    return httpx.get(running.address + path, timeout=WITHIN_S)


def metric(running: Running, name: str, **labels: str) -> list[float]:
    """The values of all series of that name and those labels, among others."""
    return [
        sample.value
        for family in text_string_to_metric_families(get(running, "/metrics").text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def asked(running: Running, route: str) -> float:
    return sum(metric(running, "glassbot_requests_total", route=route))


def test_each_worker_answers_on_the_one_socket_and_their_metrics_add_up(service: Running) -> None:
    pids = workers(service)
    assert len(pids) == 2
    before = asked(service, "/livez")
    for paused in pids:  # what is asked meanwhile, the other one answers
        os.kill(paused, signal.SIGSTOP)
        try:
            assert [get(service, "/livez").status_code for _ in range(5)] == [200] * 5
        finally:
            os.kill(paused, signal.SIGCONT)
    until(lambda: asked(service, "/livez") == before + 10)
    assert metric(service, "glassbot_ready") == [1]
    assert metric(service, "glassbot_model_info") == [1]
    assert {len(metric(service, "process_resident_memory_bytes", pid=str(pid))) for pid in pids} == {1}
    assert len(metric(service, "process_resident_memory_bytes")) == 2


@pytest.mark.anyio
async def test_requests_of_many_connections_are_counted_to_the_last_one(service: Running) -> None:
    before = asked(service, "/predict")
    bodies = [corpus.jpeg(64, 48, seed=seed) for seed in range(40)]
    async with httpx.AsyncClient(base_url=service.address, timeout=WITHIN_S) as client:
        answers = await asyncio.gather(*(client.post("/predict", content=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200] * 40
    await asyncio.to_thread(until, lambda: asked(service, "/predict") == before + 40)


def test_a_worker_that_is_killed_is_replaced_and_no_count_falls(service: Running) -> None:
    before = asked(service, "/livez")
    killed, other = workers(service)
    os.kill(killed, signal.SIGKILL)
    assert [get(service, "/readyz").status_code for _ in range(20)] == [200] * 20  # never 503: the new one is starting
    until(lambda: len(workers(service)) == 2 and killed not in workers(service))
    (new,) = set(workers(service)) - {other}
    until(lambda: metric(service, "process_resident_memory_bytes", pid=str(new)) != [])
    assert metric(service, "process_resident_memory_bytes", pid=str(killed)) == []
    assert asked(service, "/livez") >= before
    os.kill(other, signal.SIGSTOP)
    try:
        assert get(service, "/readyz").status_code == 200  # by the new one
    finally:
        os.kill(other, signal.SIGCONT)


def test_a_worker_that_is_killed_before_it_is_ready_is_replaced_too(service: Running) -> None:
    killed, other = workers(service)
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(workers(service)) == 2 and killed not in workers(service))
    (new,) = set(workers(service)) - {other}
    os.kill(new, signal.SIGKILL)  # long before an engine is built
    until(lambda: len(workers(service)) == 2 and new not in workers(service))
    (newest,) = set(workers(service)) - {other}
    until(lambda: metric(service, "process_resident_memory_bytes", pid=str(newest)) != [])
    assert get(service, "/readyz").status_code == 200


@pytest.mark.anyio
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_under_load_answers_everything_and_ends_with_0(
    network_file: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)
    with served(network_file, tmp_path / "log", GLASSBOT_DRAIN_SECONDS="2", **PATIENT) as running:
        async with httpx.AsyncClient(base_url=running.address, limits=limits, timeout=WITHIN_S) as client:
            bodies = [corpus.jpeg(800, 600, seed=seed) for seed in range(24)]
            requests = [asyncio.create_task(client.post("/predict", content=body)) for body in bodies]
            await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
            running.process.send_signal(sent)
            assert [answer.status_code for answer in await asyncio.gather(*requests)] == [200] * 24
        assert await asyncio.to_thread(running.process.wait, WITHIN_S) == 0


def test_workers_do_not_outlive_their_parent(network_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "serve", "--workers", "2", "--port", "0", "--checkpoint"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, str(network_file)], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        running = Running(process, process.stdout.readline().split()[4], tmp_path / "log")
        pids = workers(running)
        process.kill()
        process.wait()
        process.stdout.close()
    assert len(pids) == 2
    until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids))


SERVE = """
import sys
{before}
from app.__main__ import main

def create_engine(*_, **__):
    {engine}

sys.exit(main(["serve", "--port", "0", "--workers", "2"], create_engine=create_engine))
"""


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        ('raise RuntimeError("no such chip")', "The network cannot be run here: no such chip"),
        ("import os; os.abort()", "A worker did not start: the log says how it ended."),
    ],
)
def test_an_engine_that_does_not_start_ends_all_workers_with_one_sentence(engine: str, reason: str) -> None:
    done = run(SERVE.format(before="", engine=engine))
    assert done.returncode == 1
    *logged, last = done.stderr.splitlines()
    assert last == f"glassbot: {reason}"
    assert "Traceback" not in "".join(logged)
    assert done.stdout == ""


def test_several_workers_without_the_extra_are_one_sentence_and_status_2() -> None:
    done = run(SERVE.format(before="sys.modules['gunicorn'] = None", engine="pass"))
    assert done.returncode == 2
    assert done.stderr == (
        "glassbot: 2 workers need gunicorn, which is not installed: pip install 'glassbot[workers]'.\n"
    )


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240)


def test_workers_share_the_cores_and_caches_but_keep_what_was_chosen() -> None:
    cores = len(os.sched_getaffinity(0))
    share = share_of(Settings(workers=2))
    assert (share.threads, share.decode_threads) == (max(1, cores // 2), 1)
    assert (share.cache_pictures, share.cache_outputs) == (128, 4)
    chosen = share_of(Settings(workers=2, threads=3, decode_threads=2, cache_outputs=0))
    assert (chosen.threads, chosen.decode_threads, chosen.cache_outputs) == (3, 2, 0)
