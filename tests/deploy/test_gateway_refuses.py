"""What the gateway answers by itself: the form of every other problem of the service, and no hang."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app import errors
from app.http.schemas import Problem
from app.settings import Settings
from benchmarks.fleet import CONFIGURATION, ENVIRONMENT, Fleet, Gateway, gateway, require_haproxy, wait_until
from benchmarks.load import LoadError
from tests.deploy.conftest import with_haproxy

TEXT = CONFIGURATION.read_text("utf-8")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Gateway]:
    """The gateway, with no replica behind it, and with limits that a test can reach."""
    with (
        Fleet(tmp_path / "no network", tmp_path) as nobody,
        gateway(nobody, tmp_path, GATEWAY_RATE="5", GATEWAY_BODY_BYTES="1000") as running,
    ):
        yield running


@pytest.fixture
def client(alone: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{alone.port}", trust_env=False, timeout=60) as client:
        yield client


def problem(answer: httpx.Response) -> Problem:
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = Problem.model_validate(answer.json())
    assert problem.status == answer.status_code
    assert problem.request_id == answer.headers["X-Request-ID"] != ""
    return problem


@with_haproxy
def test_haproxy_takes_the_configuration_as_it_is_deployed() -> None:
    done = subprocess.run(["haproxy", "-c", "-f", str(CONFIGURATION)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


@with_haproxy
def test_without_any_replica_each_request_is_refused_and_told_to_ask_again(client: httpx.Client) -> None:
    answer = client.post("/predict", content=b"x", headers={"X-Request-ID": "mine"})
    assert answer.headers["Retry-After"] == "1"
    assert problem(answer).request_id == "mine"
    for foreign in (['not "ours"'], ["mine,also"], ["mine", "also"], ["mine", '""']):
        told = problem(client.get("/", headers=[("X-Request-ID", one) for one in foreign])).request_id
        assert len(told) == 36  # one of its own
        assert told not in foreign
    assert client.get("/readyz").status_code == 503


@with_haproxy
@pytest.mark.parametrize("variable", ["GATEWAY_MAXCONN", "GATEWAY_RATE", "GATEWAY_BODY_BYTES"])
@pytest.mark.parametrize("value", ["many", ""])
def test_a_limit_that_is_no_number_is_refused_at_the_start(variable: str, value: str) -> None:
    environment = {**os.environ, variable: value}
    command = ["haproxy", "-c", "-f", str(CONFIGURATION)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1


@with_haproxy
def test_a_body_that_no_replica_would_take_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    assert problem(client.post("/predict", content=bytes(1000))).status == 503
    assert problem(client.post("/predict", content=bytes(1001))).type.endswith(":body-too-large")


@with_haproxy
def test_an_address_that_sends_too_much_work_is_told_when_to_come_again(client: httpx.Client) -> None:
    answers = [client.post("/predict", content=b"x") for _ in range(6)]
    assert [answer.status_code for answer in answers] == 5 * [503] + [429]
    assert problem(answers[-1]).type == "urn:glassbot:problem:too-many-requests"
    assert answers[-1].headers["Retry-After"] == "10"
    assert client.get("/").status_code == 503  # pages go on


@with_haproxy
def test_metrics_are_each_replicas_own_and_the_gateways_are_elsewhere(client: httpx.Client, alone: Gateway) -> None:
    assert problem(client.get("/metrics")).status == 404
    assert problem(client.get("/%6detrics")).status == 404
    own = httpx.get(f"http://127.0.0.1:{alone.metrics_port}/metrics", trust_env=False, timeout=60).text
    assert 'haproxy_frontend_http_responses_total{proxy="gateway",code="4xx"}' in own


@with_haproxy
def test_the_log_is_one_json_object_for_each_request_and_holds_no_address(client: httpx.Client, alone: Gateway) -> None:
    client.get("/model?of=me", headers={"X-Request-ID": "seen"})
    wait_until(lambda: len(alone.requests()) > 0, "the log")  # the answer is sent before its line is written
    [line] = alone.requests()
    assert line["request_id"] == "seen"
    assert line["status"] == 503
    assert "/model" not in alone.log.read_text("utf-8")


def test_its_problems_have_the_titles_of_the_services_own() -> None:
    told = dict(re.findall(r'"type":"urn:glassbot:problem:([\w-]+)","title":"([^"]*)"', TEXT))
    ours = {error.slug: error.title for error in errors.raised()}
    assert set(told) - set(ours) == {"bad-gateway", "too-many-requests"}
    assert {slug: title for slug, title in told.items() if slug in ours and ours[slug] != title} == {}


def test_its_times_and_sizes_fit_those_of_the_replicas() -> None:
    settings = Settings(drain_seconds=float(ENVIRONMENT["GLASSBOT_DRAIN_SECONDS"]))

    def number(pattern: str) -> float:
        [found] = re.findall(pattern, TEXT)
        return float(found)

    assert number(r"timeout server (\d+)s") == settings.longest_request_seconds + 1
    assert number(r"hard-stop-after (\d+)s") > number(r"timeout server (\d+)s")
    assert number(r"GATEWAY_BODY_BYTES (\d+)") == max(settings.max_batch_body_bytes, settings.max_body_bytes)
    assert number(r"GATEWAY_MAXCONN (\d+)") == settings.max_in_flight
    longest_until_out = number(r" fall (\d)") * (number(r" inter (\d+)ms") / 1000 + number(r"timeout check (\d+)s"))
    assert longest_until_out <= settings.drain_seconds, "a leaving replica gets no more requests when it is gone"


def test_without_haproxy_one_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(LoadError, match="apt-get install haproxy"):
        require_haproxy()
