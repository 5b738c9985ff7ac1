from __future__ import annotations

import asyncio
import io
import itertools
import json
import logging
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app import logs
from app.__main__ import main
from app.main import create_app
from app.settings import Settings, SettingsError
from benchmarks.servers import kept_port
from model.checkpoint import Checkpoint
from tests.app.conftest import STARTS_WITHIN_S, FakeEngine, serving, until
from tests.app.http.collector import Collector, attributes, collecting
from tests.app.http.test_api import post
from tests.app.inference import corpus
from tests.app.server import ROOT, served

pytestmark = pytest.mark.anyio

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KEPT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
NOT_KEPT = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
STEPS = ["decode", "queue", "engine", "sentence"]
HANGS_S = 25
"""Far more seconds than the end of a service waits for a collector, and fewer than the SDK would by itself."""


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a service waits for a collector that answers as long as a busy machine may take."""
    monkeypatch.setattr("app.http.tracing._FLUSH_SECONDS", 60)


@pytest.fixture
def collector(patient: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:  # noqa: ARG001
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        yield collector


@asynccontextmanager
async def traced(network: Checkpoint, engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A service that sends what it has when the block ends."""
    app = create_app(Settings(traces="otlp", max_wait_ms=60_000), network, create_engine=engine.create)
    async with serving(app) as client:
        yield client


def children(spans: list[Span], of: Span) -> list[Span]:
    return [span for span in spans if span.parent_span_id == of.span_id]


def request_span(spans: list[Span]) -> Span:
    (span,) = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    return span


async def test_a_request_is_one_trace_with_its_steps_beneath_the_span_of_its_caller(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    async with traced(network, engine) as client:
        assert (await post(client, headers=KEPT)).status_code == 200
    spans = collector.spans
    request = request_span(spans)
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert request.parent_span_id.hex() == CALLER
    assert request.name == "POST /predict"
    assert attributes(request)["http.response.status_code"] == "200"
    assert [span.name for span in children(spans, request)] == STEPS
    assert len(spans) == 5
    assert collector.resource["service.name"] == "glassbot"


async def test_steps_follow_each_other_within_their_request(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    async with traced(network, engine) as client:
        await post(client)
    request = request_span(collector.spans)
    decode, queue, run, sentence = children(collector.spans, request)
    moments = [
        request.start_time_unix_nano,
        decode.start_time_unix_nano,
        decode.end_time_unix_nano,
        queue.start_time_unix_nano,
        queue.end_time_unix_nano,
        run.start_time_unix_nano,
        run.end_time_unix_nano,
        sentence.start_time_unix_nano,
        sentence.end_time_unix_nano,
        request.end_time_unix_nano,
    ]
    clock = 50_000_000  # each is told by two clocks, read one after the other
    assert all(before <= after + clock for before, after in itertools.pairwise(moments)), moments
    assert run.start_time_unix_nano < run.end_time_unix_nano


async def test_every_picture_of_a_batch_has_the_forward_pass_that_it_was_part_of(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    async with traced(network, engine) as client:
        engine.gate.clear()
        first = asyncio.create_task(post(client, corpus.jpeg(40, 40)))
        runs = len(engine.batches)
        await until(lambda: len(engine.batches) > runs)
        others = [asyncio.create_task(post(client, corpus.jpeg(41 + n, 40))) for n in range(3)]
        host = client._transport.app.state.host  # type: ignore[attr-defined]
        await until(lambda: len(host._batcher) == 3)
        engine.gate.set()
        assert {answer.status_code for answer in await asyncio.gather(first, *others)} == {200}
    sizes = Counter(attributes(span)["batch_size"] for span in collector.spans if span.name == "engine")
    assert sizes == {"1": 1, "3": 3}


async def test_what_its_caller_does_not_keep_is_not_sent(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    async with traced(network, engine) as client:
        assert (await post(client, headers=NOT_KEPT)).status_code == 200
    assert collector.requests == []


async def test_a_share_is_kept_where_the_sdk_is_told_so(
    collector: Collector, network: Checkpoint, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "glassbot-eu")
    async with traced(network, engine) as client:
        await post(client)
        await post(client, headers=KEPT)
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert collector.resource["service.name"] == "glassbot-eu"


async def test_files_of_a_batch_are_steps_of_the_one_request(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    files = [("file", (f"{n}.jpg", corpus.jpeg(30 + n, 30))) for n in range(2)]
    async with traced(network, engine) as client:
        assert (await client.post("/predict/batch", files=files)).status_code == 200
    request = request_span(collector.spans)
    names = Counter(span.name for span in children(collector.spans, request))
    assert names == dict.fromkeys(STEPS, 2)


async def test_other_answers_about_a_picture_and_failures_have_the_steps_that_they_took(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    taken = {}
    async with traced(network, engine) as client:
        for path, content in (("/explain?label=dog", corpus.jpeg()), ("/square", b"none"), ("/predict", b"none")):
            await client.post(path, content=content, headers={"Content-Type": "image/jpeg"})
    requests = [span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER]
    for request in requests:
        taken[request.name] = [span.name for span in children(collector.spans, request)]
    assert taken == {"POST /explain": STEPS[:3], "POST /square": ["decode"], "POST /predict": ["decode"]}
    assert {attributes(span)["http.response.status_code"] for span in requests} == {"200", "415"}


async def test_what_machines_ask_again_and_again_is_not_traced(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    async with traced(network, engine) as client:
        for path in ("/livez", "/readyz", "/metrics", "/v2/health/ready", "/static/css/glassbot.css"):
            await client.get(path, headers=KEPT)
    assert collector.requests == []


async def test_the_log_names_the_trace_that_is_kept(
    collector: Collector, network: Checkpoint, engine: FakeEngine
) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonLines())
    log = logging.getLogger("glassbot.http")
    log.addHandler(handler)
    log.setLevel("INFO")
    try:
        async with traced(network, engine) as client:
            for headers in (KEPT, NOT_KEPT):
                await post(client, headers=headers)
    finally:
        log.removeHandler(handler)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    kept, not_kept = [line for line in lines if line["message"] == "answered"]
    assert kept["trace_id"] == TRACE
    assert kept["request_id"] != not_kept["request_id"]
    assert "trace_id" not in not_kept
    assert collector.spans


async def test_a_collector_that_does_not_answer_holds_up_nothing(
    network: Checkpoint, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600")
        async with asyncio.timeout(STARTS_WITHIN_S) as limit:
            async with traced(network, engine) as client:
                assert (await post(client)).status_code == 200
                limit.reschedule(asyncio.get_running_loop().time() + HANGS_S)  # of the end alone


@pytest.mark.usefixtures("patient")
async def test_a_collector_that_is_gone_is_told_in_one_line(
    network: Checkpoint, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with kept_port() as gone:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{gone}")
        async with traced(network, engine) as client:
            assert (await post(client)).status_code == 200
    said = [record for record in caplog.records if record.name.startswith("opentelemetry")]
    assert [record.levelname for record in said] == ["ERROR"]


@pytest.mark.slow
def test_what_was_answered_last_is_sent_before_the_process_ends(
    collector: Collector, checkpoint_file: Path, tmp_path: Path
) -> None:
    with served(checkpoint_file, tmp_path / "log", GLASSBOT_TRACES="otlp") as running:
        answer = httpx.post(f"{running.address}/predict", content=corpus.jpeg(), headers=KEPT, timeout=60)
        assert answer.status_code == 200
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["trace_id"] for line in lines if line.get("route") == "/predict"] == [TRACE]
    assert [span.name for span in children(collector.spans, request_span(collector.spans))] == STEPS


def test_without_traces_nothing_of_the_sdk_is_imported() -> None:
    code = (
        "import sys\n"
        "from app.main import create_app\n"
        "from app.settings import Settings\n"
        "from tests.tiny import tiny_network\n"
        "create_app(Settings(), tiny_network())\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk') or name == 'app.http.tracing'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_where_the_extra_is_not_installed_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, network: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    monkeypatch.setenv("GLASSBOT_TRACES", "otlp")
    monkeypatch.setattr("model.checkpoint.load", lambda _: network)
    assert main(["serve", "--port", "0"], create_engine=FakeEngine(network).create) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "glassbot: GLASSBOT_TRACES=otlp needs OpenTelemetry: install the extra, pip install 'glassbot[otel]'."
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "'collector:4318/v1/traces' is no URL"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318x", "Port could not be"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "max_queue_size"),
    ],
)
def test_a_variable_of_the_sdk_that_cannot_be_used_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, network: Checkpoint, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"^An OTEL_… variable cannot be used: .*{said}.*[^.]\.$"):
        create_app(Settings(traces="otlp"), network)


def test_a_propagator_that_is_not_installed_ends_the_start_in_one_sentence() -> None:
    code = "import sys; from app.__main__ import main; sys.exit(main(['serve', '--port', '0']))"
    environment = {**os.environ, "OTEL_PROPAGATORS": "no_such"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240, env=environment
    )
    assert done.returncode == 2
    assert done.stderr.startswith("glassbot: OTEL_PROPAGATORS cannot be used (Propagator no_such not found)")
    assert len(done.stderr.splitlines()) == 1
