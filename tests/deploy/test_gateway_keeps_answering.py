"""Clients of the gateway while replicas really leave, die and come; ``benchmarks.gateway`` measures the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks import photos
from benchmarks.fleet import Fleet, Gateway, gateway, wait_until
from benchmarks.outages import leaving, slowed, traffic
from benchmarks.photos import Body
from tests.deploy.conftest import with_haproxy

pytestmark = [pytest.mark.slow, with_haproxy]
CLIENTS = 12


@pytest.fixture(scope="module")
def bodies() -> list[Body]:
    """Photos that no buffer of the gateway holds, so that it could not send them twice."""
    return [photos.encoded(jpeg, "raw") for jpeg in photos.ordinary(4)]


@pytest.fixture
def running(fleet: Fleet, tmp_path: Path) -> Iterator[Gateway]:
    """The gateway before three replicas."""
    with gateway(fleet, tmp_path) as running:
        for _ in range(3):
            fleet.start()
        running.await_replicas(3)
        yield running


def test_a_replica_that_is_told_to_end_costs_no_answer(fleet: Fleet, running: Gateway, bodies: list[Body]) -> None:
    outage = leaving(fleet, running, bodies, CLIENTS, kill=False)
    assert outage.statuses() == {200: len(outage.sent)}
    assert any(one.began > outage.ended for one in outage.sent)
    names = {line["replica"] for line in running.requests()}
    assert len(names) == 3
    running.await_replicas(2)


def test_a_replica_that_dies_costs_only_what_it_was_answering(
    fleet: Fleet, running: Gateway, bodies: list[Body]
) -> None:
    outage = leaving(fleet, running, bodies, CLIENTS, kill=True)
    # Where an upload or an answer was under way, there is nothing but the end of the connection.
    cut_off = [line for line in running.requests() if line["end"] == "SD"]
    assert set(outage.statuses()) <= {200, 502, 503, 0}
    assert outage.statuses().get(0, 0) <= len(cut_off)
    assert [one for one in outage.failures if one.began > outage.ended] == []
    for one in outage.failures:
        if one.status:
            assert json.loads(one.content)["type"] in {
                f"urn:glassbot:problem:{slug}" for slug in ("bad-gateway", "overloaded")
            }
    assert any(one.began > outage.ended for one in outage.sent)


def test_one_more_replica_takes_its_share_without_being_told_of_to_anybody(
    fleet: Fleet, running: Gateway, bodies: list[Body]
) -> None:
    def answering(latest: int) -> list[str]:
        return [line["replica"] for line in running.requests()[-latest:]]

    with traffic(running.port, bodies, CLIENTS) as sent:
        wait_until(lambda: len(set(answering(400))) == 3, "the older replicas")
        older = set(answering(400))
        fleet.start()
        running.await_replicas(4)
        share = 0.8 * 100 / 4
        wait_until(lambda: sum(name not in older for name in answering(100)) >= share, "the newest replica's share")
    assert {one.status for one in sent} == {200}


def test_a_slow_replica_gets_less_to_do_and_costs_no_answer(fleet: Fleet, running: Gateway, bodies: list[Body]) -> None:
    with slowed(fleet.replicas[0]), traffic(running.port, bodies, CLIENTS) as sent:
        time.sleep(5)
    assert {one.status for one in sent} == {200}
    answered = [line["replica"] for line in running.requests() if line["status"] == 200]
    assert min(answered.count(name) for name in set(answered)) < len(answered) / 4


def test_a_page_stays_with_the_replica_that_remembers_its_photo(
    fleet: Fleet, tmp_path: Path, bodies: list[Body]
) -> None:
    with (
        gateway(fleet, tmp_path) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=60, trust_env=False) as page,
    ):
        for number in (1, 2):
            fleet.start(GLASSBOT_CACHE_PICTURES="8")
            running.await_replicas(number)
        raw = {"Content-Type": bodies[0].content_type}
        assert "Set-Cookie" not in page.post("/predict", content=bodies[0].content, headers=raw).headers
        assert page.get("/").headers["Set-Cookie"].startswith("replica=app")
        image = page.post("/predict", content=bodies[1].content, headers=raw).json()["image"]["sha256"]
        assert {page.post("/predict", params={"image": image}).status_code for _ in range(8)} == {200}
        fleet.end(next(one for one in fleet.replicas if f"app{one.address[-1]}" == page.cookies["replica"]))
        assert page.post("/predict", content=bodies[1].content, headers=raw).status_code == 200
