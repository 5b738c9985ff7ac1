"""Bodies made to break the service, sent to a real one: GLASSBOT_FUZZ=10000 sends more of them, and new ones."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.app.http.bodies import GOOD, Hostile, requests
from tests.app.server import Running

MORE = os.environ.get("GLASSBOT_FUZZ", "")
MARGIN = 150_000_000
"""Bytes that the allocator may keep, for 10,000 bodies as for 500."""

pytestmark = pytest.mark.slow


class Connection(http.client.HTTPConnection):
    """One that stays open, but for what uvicorn closes after five idle seconds, as it may."""

    used = 0.0

    def refresh(self) -> None:
        if time.monotonic() - self.used > 3:
            self.close()
            self.connect()
        self.used = time.monotonic()


@pytest.fixture(scope="module")
def connection(running_server: Running) -> Iterator[Connection]:
    """One connection, which is not opened again while it is in use."""
    connection = Connection(running_server.address.removeprefix("http://"), timeout=60)
    connection.connect()
    connection.auto_open = 0
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def before(connection: Connection, running_server: Running) -> int:
    """Its memory, once it has seen every kind of picture, and as many as it remembers."""
    for number in range(80):
        send(connection, Hostile("/activations", "image/png", GOOD[number % len(GOOD)] + bytes(number), False))
    return running_server.resident()


@pytest.fixture(scope="module")
def statuses() -> Counter[int]:
    return Counter()


def send(connection: Connection, asked: Hostile) -> tuple[http.client.HTTPResponse, bytes]:
    chunks = iter([asked.body[:7], asked.body[7:]] if len(asked.body) > 7 else [asked.body])
    body = (chunk for chunk in chunks if chunk) if asked.chunked else asked.body
    connection.refresh()
    connection.request("POST", asked.path, body, asked.headers, encode_chunked=asked.chunked)
    answer = connection.getresponse()
    whole = answer.read()
    connection.used = time.monotonic()
    return answer, whole


@settings(
    max_examples=int(MORE or 500),
    derandomize=not MORE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(asked=requests())
def test_no_body_breaks_the_service_or_the_connection(
    connection: Connection, before: int, statuses: Counter[int], asked: Hostile
) -> None:
    assert before > 0
    answer, body = send(connection, asked)
    statuses[answer.status] += 1
    assert answer.getheader("Connection") != "close"
    if answer.status != 200:
        problem = json.loads(body)
        assert answer.getheader("Content-Type") == "application/problem+json"
        assert problem["detail"].endswith(".")
        assert answer.status in (413, 415, 422, 503), problem


def test_afterwards_it_takes_no_more_memory_and_answers_as_before(
    connection: Connection, before: int, statuses: Counter[int], running_server: Running
) -> None:
    if not statuses:
        pytest.skip("nothing was sent")
    assert {200, 413, 415, 422} <= set(statuses), statuses
    assert running_server.resident() - before < MARGIN, statuses
    answer, _ = send(connection, Hostile("/predict", "image/jpeg", GOOD[0], False))
    assert answer.status == 200
    assert "Traceback" not in running_server.log.read_text()
