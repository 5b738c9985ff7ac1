"""What a client may put on the connection itself, over a real socket of the real server."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx
import pytest

from tests.app.inference import corpus
from tests.app.server import Running

JPEG = corpus.jpeg()
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


def request(*headers: bytes, body: bytes = JPEG) -> bytes:
    head = b"".join(header + b"\r\n" for header in (b"Host: x", b"Content-Type: image/jpeg", *headers))
    return b"POST /predict HTTP/1.1\r\n" + head + b"\r\n" + body


def with_length(*headers: bytes) -> bytes:
    return request(b"Content-Length: %d" % len(JPEG), *headers)


def exchange(server: Running, *sent: bytes, number: int = 1, shut: bool = False) -> list[tuple[int, str, bytes]]:
    """Status, content type and body of ``number`` answers on one connection."""
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port), 60) as connection:
        for part in sent:
            connection.sendall(part)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return [read_answer(stream) for _ in range(number)]


def read_answer(stream: object) -> tuple[int, str, bytes]:
    readline, read = stream.readline, stream.read  # type: ignore[attr-defined]
    status = int(readline().split()[1])
    headers = {}
    while line := readline().strip():
        name, _, value = line.partition(b": ")
        headers[name.lower()] = value.decode()
    return status, headers[b"content-type"], read(int(headers[b"content-length"]))


OFFERS = {
    "h2c, as Java's client": (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ"),
    "TLS": (b"Upgrade: TLS/1.2", b"Connection: upgrade"),
    "websocket": (b"Connection: keep-alive, Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    "two": (b"Connection: Upgrade", b"Upgrade: h2c", b"Upgrade: websocket"),
}


@pytest.mark.parametrize("offer", OFFERS)
def test_an_offered_upgrade_is_passed_over_and_the_body_is_read(running_server: Running, offer: str) -> None:
    sent = with_length(*OFFERS[offer])
    answers = exchange(running_server, sent + sent, GET + b"\r\n", number=3)
    assert [status for status, _, _ in answers] == [200, 200, 200]
    assert answers[-1][2] == b'{"status":"alive"}'


@pytest.mark.parametrize("at", [1, 30, 100, 150, 250, 1000])
def test_an_offer_may_arrive_in_pieces(running_server: Running, at: int) -> None:
    sent = with_length(*OFFERS["h2c, as Java's client"])
    assert exchange(running_server, sent[:at], sent[at:])[0][0] == 200


def test_an_offer_with_a_chunked_body_is_read(running_server: Running) -> None:
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(JPEG), JPEG)
    sent = request(b"Transfer-Encoding: chunked", *OFFERS["TLS"], body=body)
    assert exchange(running_server, sent)[0][0] == 200


def test_a_thousand_offers_on_one_connection_are_answered_one_by_one(running_server: Running) -> None:
    sent = (GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n") * 1000
    assert {status for status, _, _ in exchange(running_server, sent, number=1000)} == {200}


MALFORMED = {
    "a method that there is none": b"FETCH / HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a proxy's request": b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
    "a version to come": b"GET / HTTP/3.7\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "an address in UTF-8": "GET /é HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a header with a blank": b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
    "a header with a null": b"GET / HTTP/1.1\r\nX: \0\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    "a negative length": request(b"Content-Length: -4"),
    "a length in words": request(b"Content-Length: four"),
    "two lengths": request(b"Content-Length: 4", b"Content-Length: 5"),
    "a length over 64 bits": request(b"Content-Length: 99999999999999999999"),
    "a length and chunks": with_length(b"Transfer-Encoding: chunked"),
    "a chunk without a length": request(b"Transfer-Encoding: chunked", body=b"zz\r\n"),
    "a chunk of another length": request(b"Transfer-Encoding: chunked", body=b"3\r\nabcdef\r\n0\r\n\r\n"),
    "an unknown coding": request(b"Transfer-Encoding: rot13"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_a_problem(running_server: Running, name: str) -> None:
    status, kind, body = exchange(running_server, MALFORMED[name])[0]
    assert (status, kind) == (400, "application/problem+json")
    assert json.loads(body)["type"] == "urn:glassbot:problem:malformed-request"


@pytest.mark.parametrize("name", ["a method that there is none", "a negative length", "an address in UTF-8"])
def test_a_malformed_request_is_answered_after_the_one_before_it(running_server: Running, name: str) -> None:
    first, second = exchange(running_server, with_length() + MALFORMED[name], number=2)
    assert (first[0], second[0]) == (200, 400)
    assert second[1] == "application/problem+json"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nX: " + b"a" * 3_000_000,
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 50_000 + b"\r\n",
        b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["one large header", "many headers", "a large address"],
)
def test_a_large_head_is_a_problem(running_server: Running, sent: bytes) -> None:
    status, kind, body = exchange(running_server, sent)[0]
    assert (status, kind) == (431, "application/problem+json")
    assert json.loads(body)["type"] == "urn:glassbot:problem:head-too-large"


@pytest.mark.parametrize(
    "sent", [GET, request(b"Content-Length: 999999"), request(b"Transfer-Encoding: chunked", body=b"4\r\n")]
)
def test_a_request_that_stops_early_is_a_problem(running_server: Running, sent: bytes) -> None:
    status, kind, _ = exchange(running_server, sent, shut=True)[0]
    assert (status, kind) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("header", "status"), [(b"Range: bytes=abc", 400), (b"Range: bytes=99999999-", 416), (b"Range: lines=1-2", 400)]
)
def test_a_range_that_there_is_not_is_a_problem(running_server: Running, header: bytes, status: int) -> None:
    sent = b"GET /static/js/see.js HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n"
    assert exchange(running_server, sent)[0][:2] == (status, "application/problem+json")


def test_the_address_may_be_absolute_and_without_a_path(running_server: Running) -> None:
    status, kind, _ = exchange(running_server, b"GET http://example.org HTTP/1.1\r\nHost: example.org\r\n\r\n")[0]
    assert (status, kind) == (200, "text/html; charset=utf-8")


def counted(server: Running) -> Counter[str]:
    """How many requests of each kind were counted, apart from those that machines ask."""
    lines = httpx.get(f"{server.address}/metrics").text.splitlines()
    found = (line.rpartition(" ") for line in lines if line.startswith("glassbot_requests_total{"))
    return Counter({kind: int(float(number)) for kind, _, number in found if "/metrics" not in kind})


@pytest.mark.parametrize("listens", [True, False], ids=["listens", "has left"])
@pytest.mark.parametrize("name", [b"Accept: */*", b"X-Request-ID: broken-off"], ids=["without an id", "with an id"])
def test_an_upload_that_breaks_off_is_counted_once(running_server: Running, name: bytes, *, listens: bool) -> None:
    before = counted(running_server)
    sent = request(b"Content-Length: 999999", name)
    if listens:
        assert exchange(running_server, sent, shut=True)[0][0] == 400
    else:
        exchange(running_server, sent, number=0)
    deadline = time.monotonic() + 60
    while not (new := counted(running_server) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert new == {'glassbot_requests_total{method="POST",route="/predict",status="400"}': 1}
    assert httpx.get(f"{running_server.address}/livez").status_code == 200  # by then the refusal has been sent, too
    new = counted(running_server) - before
    assert new.total() == 2


def test_half_a_connection_may_be_closed_behind_a_malformed_request(running_server: Running) -> None:
    bad = request(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\nzz\r\n")
    answers = exchange(running_server, with_length() + bad, number=2, shut=True)
    assert [status for status, _, _ in answers] == [200, 400]


TRAILED = b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n"


def test_trailers_are_dropped(running_server: Running) -> None:
    trailed = TRAILED + b"X-Request-ID: of a trailer\r\n\r\n"
    answers = exchange(running_server, trailed, GET + b"\r\n", number=2)
    assert [status for status, _, _ in answers] == [200, 200]


@pytest.mark.parametrize("piece", [b"X: " + b"a" * 995 + b"\r\n", b"a" * 1000], ids=["many", "one line"])
def test_trailers_without_end_end_the_connection(running_server: Running, piece: bytes) -> None:
    address = urlsplit(running_server.address)
    with socket.create_connection((address.hostname, address.port), 60) as connection:
        sent = TRAILED + b"X: " + 60_000 * piece
        with pytest.raises(ConnectionError):
            connection.sendall(sent)


def test_a_broken_body_of_another_protocol_is_answered_in_its_form(running_server: Running) -> None:
    path = b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    status, kind, body = exchange(running_server, path + b"Content-Length: 99\r\n\r\n{", shut=True)[0]
    assert (status, kind, set(json.loads(body))) == (400, "application/json", {"error"})
