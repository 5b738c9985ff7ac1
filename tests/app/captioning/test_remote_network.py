"""``glassbot caption --server``: a service elsewhere, asked with patience."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from app.__main__ import main
from app.captioning import remote_network
from app.captioning.files import Answer, Network
from app.captioning.remote_network import RefusedError, ServiceError
from app.http import examples
from app.settings import read_api_key
from tests.app.captioning.test_files import ANSWER
from tests.app.inference import corpus
from tests.app.server import Running, served
from tests.app.test_cli import is_one_sentence, run

pytestmark = pytest.mark.anyio

VERSION = ANSWER["model"]["version"]
GOOD = httpx.Response(200, json=examples.PREDICT)
Reply = httpx.Response | Exception
Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


def busy(status: int = 503, after: str = "2") -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": after}, json={"detail": "Too busy."})


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between two tries, which take no time here."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("app.captioning.remote_network.sleep", sleep)
    return pauses


@asynccontextmanager
async def service(handle: Handler, *, concurrency: int = 2, key: str | None = None) -> AsyncIterator[Network]:
    """A network behind ``http://x/glass``, whose ``POST /predict`` is ``handle``."""

    async def route(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            assert request.url == "http://x/glass/model"
            return httpx.Response(200, json={"version": VERSION})
        assert request.url == "http://x/glass/predict"
        return await handle(request)

    transport = httpx.MockTransport(route)
    url = remote_network.address("http://x/glass")
    async with remote_network.network(url, key=key, concurrency=concurrency, transport=transport) as network:
        assert network.version == VERSION
        yield network


async def ask(*replies: Reply) -> Answer:
    """What comes of one picture where the service gives these replies, the last one for ever."""
    left = list(replies)

    async def handle(_: httpx.Request) -> httpx.Response:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async with service(handle) as network:
        return await network.ask(b"picture")


async def meet(*replies: Reply) -> None:
    """The first question, ``GET /model``."""
    left = list(replies)

    def handle(_: httpx.Request) -> httpx.Response:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    transport = httpx.MockTransport(handle)
    async with remote_network.network(remote_network.address("http://x"), key=None, concurrency=1, transport=transport):
        pass


async def test_bytes_are_sent_as_they_are_with_the_key() -> None:
    seen: list[httpx.Request] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return GOOD

    async with service(handle, key="secret") as network:
        assert await network.ask(b"\xff\xd8 picture") == ANSWER
        await network.ask(b"")
    assert [request.content for request in seen] == [b"\xff\xd8 picture", b""]
    for request in seen:
        assert request.headers["Content-Type"] == "application/octet-stream"
        assert request.headers["X-API-Key"] == "secret"


async def test_what_belongs_to_the_request_is_left_out() -> None:
    assert set(examples.PREDICT) - set(await ask(GOOD)) == {"request_id", "timing_ms"}


@pytest.mark.parametrize("status", [429, 503, 504])
async def test_who_is_busy_is_asked_again_and_not_before_he_says(slept: list[float], status: int) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert await ask(busy(status), httpx.ReadError("reset"), busy(status, soon), busy(status, "?"), GOOD) == ANSWER
    first, broken, date, unreadable = slept
    assert 2.25 <= first <= 2.5
    assert 0.5 <= broken <= 1
    assert 28 < date <= 32
    assert 2 <= unreadable <= 4


async def test_a_busy_service_is_asked_so_many_times_and_no_more(slept: list[float]) -> None:
    with pytest.raises(RefusedError, match=r"^Too busy\.$"):
        await ask(busy())
    assert len(slept) == remote_network.TRIES - 1
    assert all(2 < pause <= 10 for pause in slept)
    assert slept[-1] > 4 > slept[0]


async def test_a_service_that_wants_to_be_left_alone_for_long_is_not_waited_for(slept: list[float]) -> None:
    for after in ("3600", "9" * 400):
        with pytest.raises(RefusedError, match="Too busy"):
            await ask(busy(after=after))
    assert slept == []


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (httpx.Response(422, json={"detail": "It is damaged."}), "It is damaged."),
        (httpx.Response(413, text="<h1>nginx</h1>"), "The service answered 413 Request Entity Too Large."),
        (httpx.Response(500, json=["no object"]), "The service answered 500 Internal Server Error."),
    ],
)
async def test_a_problem_is_the_fault_of_the_file_at_once(slept: list[float], reply: Reply, detail: str) -> None:
    with pytest.raises(RefusedError) as caught:
        await ask(reply)
    assert caught.value.detail == detail
    assert slept == []


async def test_a_connection_that_breaks_each_time_is_the_fault_of_the_file(slept: list[float]) -> None:
    with pytest.raises(RefusedError, match=f"broke {remote_network.TRIES} times"):
        await ask(httpx.ReadError("reset"))
    assert len(slept) == remote_network.TRIES - 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (httpx.ConnectError("refused"), "Nobody answers at http://x any more (refused)."),
        (
            httpx.Response(401, json={"detail": "The key is missing."}),
            "http://x does not let us in: The key is missing.",
        ),
        (httpx.Response(200, text="<h1>Hello</h1>"), "http://x does not answer as this version of Glassbot does."),
        (
            httpx.Response(200, json={**examples.PREDICT, "model": {"name": "x", "version": "new"}}),
            f"http://x has changed its network from {VERSION} to new.",
        ),
    ],
)
async def test_what_holds_for_every_picture_ends_the_job(reply: Reply, said: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await ask(reply)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (httpx.ConnectError("refused"), "Nobody answers at http://x (refused)."),
        (httpx.ReadTimeout(""), "Nobody answers at http://x (ReadTimeout)."),
        (httpx.Response(200, text="<h1>Hello</h1>"), "no Glassbot service: GET /model answers 200"),
        (httpx.Response(200, json=[1]), "no Glassbot service"),
        (httpx.Response(301, headers={"Location": "https://x"}), "no Glassbot service: GET /model answers 301"),
    ],
)
async def test_who_is_no_service_is_not_waited_for(slept: list[float], reply: Reply, said: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await meet(reply)
    assert said in str(caught.value)
    assert slept == []


async def test_a_service_that_is_only_starting_is_waited_for(slept: list[float]) -> None:
    await meet(busy(), busy(), httpx.Response(200, json={"version": "a"}))
    assert len(slept) == 2
    with pytest.raises(ServiceError, match="does not let us in: Too busy"):
        await meet(busy())


async def test_only_so_many_are_asked_at_once_and_whoever_waits_keeps_his_turn() -> None:
    inside = most = 0
    refused: set[bytes] = set()

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.002)
        inside -= 1
        if request.content in refused:
            return GOOD
        refused.add(request.content)
        assert len(refused) <= 3 + done
        return busy()

    async with service(handle, concurrency=3) as network:
        done = 0

        async def one(number: int) -> None:
            nonlocal done
            await network.ask(b"%d" % number)
            done += 1

        await asyncio.gather(*map(one, range(20)))
    assert most == 3


async def test_retry_after_is_seconds_or_a_date() -> None:
    assert remote_network.retry_after("7") == 7
    now = datetime.now(UTC)
    assert 50 < remote_network.retry_after(format_datetime(now + timedelta(seconds=60), usegmt=True)) <= 60
    assert 50 < remote_network.retry_after((now + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S -0000")) <= 60
    assert remote_network.retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert remote_network.retry_after("soon") == remote_network.retry_after("") == remote_network.retry_after("²") == 0


async def test_a_password_in_the_address_is_not_repeated() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    url = remote_network.address("http://me:secret@x:81/a")
    with pytest.raises(ServiceError, match=r"^Nobody answers at http://x:81 \(refused\)\.$"):
        async with remote_network.network(url, key=None, concurrency=1, transport=httpx.MockTransport(refuse)):
            pass


async def test_the_key_comes_from_the_flag_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_api_key(None) is None
    monkeypatch.setenv("GLASSBOT_API_KEY", "from-outside")
    assert read_api_key(None) == "from-outside"
    assert read_api_key("mine") == "mine"


def test_a_service_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert main(["caption", str(tmp_path), "--server", f"http://127.0.0.1:{port}"]) == 1
    said = capsys.readouterr().err
    assert is_one_sentence(said)
    assert f"Nobody answers at http://127.0.0.1:{port} (" in said


@pytest.mark.slow
def test_a_service_says_what_the_same_network_says_here(
    tmp_path: Path, running_server: Running, checkpoint_file: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(12):
        (pictures / f"{number:02}.jpg").write_bytes(corpus.jpeg(48, 40, seed=number))
    (pictures / "broken.jpg").write_bytes(corpus.jpeg()[:900])
    (pictures / "large.png").write_bytes(corpus.jpeg() + bytes(21_000_000))
    common = ("caption", str(pictures), "--quiet", "--out")
    here = run(*common, str(tmp_path / "here"), "--checkpoint", str(checkpoint_file))
    there = run(*common, str(tmp_path / "there"), "--server", running_server.address)
    assert (here.returncode, there.returncode) == (1, 1)
    assert here.stderr.splitlines() == [line for line in there.stderr.splitlines() if "large.png" not in line]
    assert "large.png: At most 20 MB are taken" in there.stderr
    large = str(pictures / "large.png")
    lines = [line for line in (tmp_path / "here").read_text("utf-8").splitlines() if json.loads(line)["file"] != large]
    assert len(lines) == 12
    assert (tmp_path / "there").read_text("utf-8").splitlines() == lines


@pytest.mark.slow
def test_a_service_with_keys_lets_in_who_has_one(tmp_path: Path, checkpoint_file: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    with served(checkpoint_file, tmp_path / "log", GLASSBOT_API_KEYS="right") as running:
        common = ("caption", str(tmp_path / "a.jpg"), "--quiet", "--server", running.address)
        for key, status in (("wrong", 1), ("right", 0)):
            done = run(*common, GLASSBOT_API_KEY=key)
            assert done.returncode == status
            assert status == 0 or is_one_sentence(done.stderr)
        assert json.loads(done.stdout)["file"] == str(tmp_path / "a.jpg")
