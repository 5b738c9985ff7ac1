from __future__ import annotations

import gzip

import httpx
import pytest

from app.http.compression import quality
from app.inference.activations import MAGIC
from tests.app.http.test_api import is_problem
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio

TEXTS = ["/", "/static/js/see.js", "/static/css/see.css", "/model", "/openapi.json"]
PICTURES = ["/static/samples/coffee.webp", "/static/samples/small/coffee.webp", "/model/filters.png"]
SCRIPT = "/static/js/see.js"


async def fetch(
    client: httpx.AsyncClient, path: str, accept: str = "gzip", method: str = "GET", body: bytes | None = None
) -> tuple[httpx.Response, bytes]:
    """The answer, and its bytes as they were sent."""
    async with client.stream(method, path, content=body, headers={"Accept-Encoding": accept}) as answer:
        return answer, b"".join([chunk async for chunk in answer.aiter_raw()])


@pytest.mark.parametrize("path", TEXTS)
async def test_text_is_packed_for_those_who_take_it(client: httpx.AsyncClient, path: str) -> None:
    plain, whole = await fetch(client, path, "identity")
    packed, sent = await fetch(client, path, "br, gzip;q=0.8")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(sent) == whole
    for answer, body in ((plain, whole), (packed, sent)):
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-length"] == str(len(body))
    assert len(sent) < 0.6 * len(whole)


@pytest.mark.parametrize("accept", ["gzip;q=0", "gzip; q=0.0, br", "*;q=0.5", "identity", "x"])
async def test_who_does_not_take_gzip_gets_none(client: httpx.AsyncClient, accept: str) -> None:
    answer, _ = await fetch(client, SCRIPT, accept)
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("path", PICTURES)
async def test_pictures_are_not_packed_again(client: httpx.AsyncClient, path: str) -> None:
    answer, sent = await fetch(client, path)
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == str(len(sent))
    assert sent[:4] in (b"RIFF", b"\x89PNG")


@pytest.mark.parametrize("accept", ["gzip", "identity"])
async def test_head_says_what_get_says(client: httpx.AsyncClient, accept: str) -> None:
    for path in [*TEXTS, *PICTURES, "/livez", "/readyz", "/nothing"]:
        (get, _), (head, body) = await fetch(client, path, accept), await fetch(client, path, accept, "HEAD")
        assert (head.status_code, body) == (get.status_code, b"")
        differing = {name for name in get.headers if get.headers[name] != head.headers.get(name)}
        assert differing <= {"x-request-id"}, path


async def test_head_of_what_takes_only_post_is_405(client: httpx.AsyncClient) -> None:
    answer, _ = await fetch(client, "/predict", method="HEAD")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("accept", ["gzip", "identity"])
@pytest.mark.parametrize("path", [SCRIPT, "/static/samples/coffee.webp"])
async def test_what_did_not_change_is_not_sent_again(client: httpx.AsyncClient, path: str, accept: str) -> None:
    first, _ = await fetch(client, path)
    assert first.headers["etag"].startswith('W/"')
    assert first.headers["cache-control"] == "no-cache"
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for condition in ({"If-None-Match": tag}, {"If-None-Match": f'"other", {tag}'}, {"If-Modified-Since": date}):
        again = await client.get(path, headers={"Accept-Encoding": accept, **condition})
        assert (again.status_code, again.content) == (304, b"")
        assert "content-encoding" not in again.headers
        assert again.headers["vary"] == "Accept-Encoding"
        assert again.headers["etag"] == tag
    changed = await client.get(path, headers={"If-None-Match": 'W/"other"'})
    assert changed.status_code == 200


async def test_a_part_of_a_file_is_sent_as_it_is(client: httpx.AsyncClient) -> None:
    whole = (await client.get(SCRIPT)).content
    part = await client.get(SCRIPT, headers={"Range": "bytes=2-9", "Accept-Encoding": "gzip"})
    assert (part.status_code, part.content) == (206, whole[2:10])
    assert "content-encoding" not in part.headers


@pytest.mark.parametrize("accept", ["gzip", "identity"])
async def test_activations_are_packed_once(client: httpx.AsyncClient, accept: str) -> None:
    answer, sent = await fetch(client, "/activations", accept, "POST", corpus.jpeg())
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-length"] == str(len(sent))
    assert ("content-encoding" in answer.headers) == (accept == "gzip")
    assert (gzip.decompress(sent) if accept == "gzip" else sent).startswith(MAGIC)


async def test_problems_are_read_as_before(client: httpx.AsyncClient) -> None:
    missing = await client.get("/static/js/none.js", headers={"Accept-Encoding": "gzip"})
    assert is_problem(missing, 404, "not-found")
    wrong = await client.post("/predict?top_k=0", content=corpus.jpeg(), headers={"Accept-Encoding": "gzip"})
    assert is_problem(wrong, 422, "invalid-request")
    assert wrong.json()["detail"].startswith("top_k: ")


def test_a_weight_belongs_to_exactly_what_was_named() -> None:
    assert quality("text/html, image/png;q=0.3", "image/png") == 0.3
    assert quality("GZIP", "gzip") == 1
    assert quality("x-gzip, *", "gzip") == 0
    assert quality("gzip;q=many", "gzip") == 0
