"""``glassbot caption --server``: a service elsewhere, with retries after temporary failures."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from app.__main__ import main
from app.captioning import remote_network
from app.captioning.files import OneByOne, PredictionFields
from app.captioning.remote_network import RefusedError, ServiceError, retry_after_seconds
from app.http import examples
from app.settings import read_api_key
from benchmarks.servers import kept_port
from tests.app.captioning.test_files import PREDICTION
from tests.app.inference import corpus
from tests.app.server import ROOT, Running, served
from tests.app.test_cli import is_one_sentence, run

pytestmark = pytest.mark.anyio

VERSION = PREDICTION["model"]["version"]
GOOD = httpx.Response(200, json=examples.PREDICT)
Reply = httpx.Response | Exception
Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


def busy(status: int = 503, after: str = "2") -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": after}, json={"detail": "Too busy."})


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds between two attempts, which take no time here."""
    seconds_slept: list[float] = []

    async def sleep(seconds: float) -> None:
        seconds_slept.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("app.captioning.remote_network.sleep", sleep)
    return seconds_slept


@asynccontextmanager
async def service(handle: Handler, *, concurrency: int = 2, key: str | None = None) -> AsyncIterator[OneByOne]:
    """A captioner behind ``http://x/glass``, whose ``POST /predict`` is ``handle``."""

    async def route(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            assert request.url == "http://x/glass/model"
            return httpx.Response(200, json={"version": VERSION})
        assert request.url == "http://x/glass/predict"
        return await handle(request)

    transport = httpx.MockTransport(route)
    url = remote_network.parse_address("http://x/glass")
    async with remote_network.open_captioner(url, key=key, concurrency=concurrency, transport=transport) as captioner:
        assert captioner.version == VERSION
        yield captioner


async def predict(*replies: Reply) -> PredictionFields:
    """Caption one picture by a service that gives these replies, the last one again and again."""
    left = list(replies)

    async def handle(_: httpx.Request) -> httpx.Response:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async with service(handle) as captioner:
        return await captioner.predict(b"picture")


async def connect(*replies: Reply) -> None:
    """Send the first request, ``GET /model``, to a service that gives these replies."""
    left = list(replies)

    def handle(_: httpx.Request) -> httpx.Response:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    url = remote_network.parse_address("http://x")
    async with remote_network.open_captioner(url, key=None, concurrency=1, transport=httpx.MockTransport(handle)):
        pass


async def test_bytes_are_sent_as_they_are_with_the_key() -> None:
    requests: list[httpx.Request] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return GOOD

    async with service(handle, key="secret") as captioner:
        assert await captioner.predict(b"\xff\xd8 picture") == PREDICTION
        await captioner.predict(b"")
    assert [request.content for request in requests] == [b"\xff\xd8 picture", b""]
    for request in requests:
        assert request.headers["Content-Type"] == "application/octet-stream"
        assert request.headers["X-API-Key"] == "secret"


async def test_the_request_id_and_the_times_are_left_out() -> None:
    assert set(examples.PREDICT) - set(await predict(GOOD)) == {"request_id", "timing_ms"}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_service_is_asked_again_and_not_before_its_retry_after(pauses: list[float], status: int) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert (
        await predict(busy(status), httpx.ReadError("reset"), busy(status, soon), busy(status, "?"), GOOD) == PREDICTION
    )
    first, broken, date, unreadable = pauses
    assert 2.25 <= first <= 2.5
    assert 0.5 <= broken <= 1
    assert 10 < date <= 32
    assert 2 <= unreadable <= 4


async def test_a_busy_service_gets_at_most_max_attempts_requests(pauses: list[float]) -> None:
    with pytest.raises(RefusedError, match=r"^Too busy\.$"):
        await predict(busy())
    assert len(pauses) == remote_network.MAX_ATTEMPTS - 1
    assert all(2 < pause <= 10 for pause in pauses)
    assert pauses[-1] > 4 > pauses[0]


async def test_a_service_that_asks_for_a_long_pause_is_not_waited_for(pauses: list[float]) -> None:
    for after in ("3600", "9" * 400):
        with pytest.raises(RefusedError, match="Too busy"):
            await predict(busy(after=after))
    assert pauses == []


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (httpx.Response(422, json={"detail": "It is damaged."}), "It is damaged."),
        (httpx.Response(413, text="<h1>nginx</h1>"), "The service answered 413 Request Entity Too Large."),
        (httpx.Response(500, json=["no object"]), "The service answered 500 Internal Server Error."),
    ],
)
async def test_a_problem_is_the_error_of_one_file_without_a_retry(
    pauses: list[float], reply: Reply, detail: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        await predict(reply)
    assert caught.value.detail == detail
    assert pauses == []


async def test_a_connection_that_breaks_at_every_attempt_is_the_error_of_one_file(pauses: list[float]) -> None:
    with pytest.raises(RefusedError, match=f"broke {remote_network.MAX_ATTEMPTS} times"):
        await predict(httpx.ReadError("reset"))
    assert len(pauses) == remote_network.MAX_ATTEMPTS - 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (httpx.ConnectError("refused"), "http://x does not answer any more (refused)."),
        (
            httpx.Response(401, json={"detail": "The key is missing."}),
            "http://x refuses our requests: The key is missing.",
        ),
        (httpx.Response(200, text="<h1>Hello</h1>"), "http://x does not answer like this version of Glassbot."),
        (
            httpx.Response(200, json={**examples.PREDICT, "model": {"name": "x", "version": "new"}}),
            f"http://x changed its network from {VERSION} to new.",
        ),
    ],
)
async def test_a_failure_of_every_picture_ends_the_command(reply: Reply, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await predict(reply)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (httpx.ConnectError("refused"), "http://x does not answer (refused)."),
        (httpx.ReadTimeout(""), "http://x does not answer (ReadTimeout)."),
        (httpx.Response(200, text="<h1>Hello</h1>"), "not a Glassbot service: GET /model answered 200"),
        (httpx.Response(200, json=[1]), "not a Glassbot service"),
        (httpx.Response(301, headers={"Location": "https://x"}), "not a Glassbot service: GET /model answered 301"),
    ],
)
async def test_an_address_without_a_service_is_not_waited_for(pauses: list[float], reply: Reply, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await connect(reply)
    assert message in str(caught.value)
    assert pauses == []


async def test_a_service_that_is_starting_is_waited_for(pauses: list[float]) -> None:
    await connect(busy(), busy(), httpx.Response(200, json={"version": "a"}))
    assert len(pauses) == 2
    with pytest.raises(ServiceError, match="refuses our requests: Too busy"):
        await connect(busy())


async def test_only_concurrency_requests_are_sent_at_once_and_a_pausing_one_keeps_its_place() -> None:
    inside = most = done = 0
    full = asyncio.Event()
    refused: set[bytes] = set()

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        inside -= 1
        if request.content in refused:
            return GOOD
        refused.add(request.content)
        assert len(refused) <= 3 + done
        return busy()

    async with asyncio.timeout(60), service(handle, concurrency=3) as captioner:

        async def predict_one(number: int) -> None:
            nonlocal done
            await captioner.predict(b"%d" % number)
            done += 1

        await asyncio.gather(*map(predict_one, range(20)))
    assert most == 3


async def test_retry_after_is_seconds_or_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=60)
    assert retry_after_seconds("7") == 7
    assert 30 < retry_after_seconds(format_datetime(soon, usegmt=True)) <= 60
    assert 30 < retry_after_seconds(soon.strftime("%a, %d %b %Y %H:%M:%S -0000")) <= 60
    for header in ("Mon, 01 Jan 2001 00:00:00 GMT", "soon", "", "²"):
        assert retry_after_seconds(header) == 0


async def test_a_password_in_the_address_is_not_repeated() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    url = remote_network.parse_address("http://me:secret@x:81/a")
    with pytest.raises(ServiceError, match=r"^http://x:81 does not answer \(refused\)\.$"):
        async with remote_network.open_captioner(url, key=None, concurrency=1, transport=httpx.MockTransport(refuse)):
            pass


async def test_the_key_comes_from_the_flag_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_api_key(None) is None
    monkeypatch.setenv("GLASSBOT_API_KEY", "from-outside")
    assert read_api_key(None) == "from-outside"
    assert read_api_key("mine") == "mine"


def test_a_service_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    with kept_port() as port:
        assert main(["caption", str(tmp_path), "--server", f"http://127.0.0.1:{port}"]) == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert f"http://127.0.0.1:{port} does not answer (" in error


def test_a_service_is_asked_without_an_engine_here(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    asks = f"main(['caption', {str(tmp_path)!r}, '--server', 'http://127.0.0.1:1'])"
    engines = "{'openvino', 'torch', 'app.captioning.local_network'} & set(sys.modules)"
    code = f"import sys; from app.__main__ import main; status = {asks}; print(status, {engines})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.stdout == "1 set()\n"


@pytest.mark.slow
def test_a_service_writes_the_same_lines_as_the_same_network_here(
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
def test_a_service_with_api_keys_needs_one_of_them(tmp_path: Path, checkpoint_file: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    with served(checkpoint_file, tmp_path / "log", GLASSBOT_API_KEYS="right") as running:
        common = ("caption", str(tmp_path / "a.jpg"), "--quiet", "--server", running.address)
        for key, status in (("wrong", 1), ("right", 0)):
            done = run(*common, GLASSBOT_API_KEY=key)
            assert done.returncode == status
            assert status == 0 or is_one_sentence(done.stderr)
        assert json.loads(done.stdout)["file"] == str(tmp_path / "a.jpg")
