from __future__ import annotations

import html
import re
from urllib.parse import urljoin

import httpx
import pytest

from app.http.routes import pages
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("address", ["/", "/teach"])
async def test_the_page_is_there_and_all_its_addresses_are_relative(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:src|href|action)="([^"]*)"', answer.text)
    assert links
    assert [link for link in links if link.startswith("/")] == []


@pytest.mark.parametrize("address", ["/", "/teach"])
async def test_what_the_page_loads_is_there(client: httpx.AsyncClient, address: str) -> None:
    page = (await client.get(address)).text
    for link in re.findall(r'(?:src|href)="(static/[^"]*)"', page):
        assert (await client.get(link)).status_code == 200, link


async def test_without_scripts_the_form_answers_in_html(client: httpx.AsyncClient) -> None:
    body = corpus.jpeg(seed=5)
    said = (await client.post("/predict", content=body)).json()["caption"]["text"]
    answer = await client.post("/", files={"file": ("a.jpg", body)})
    assert answer.status_code == 200
    words = " ".join(re.sub(r"<[^>]*>", " ", html.unescape(answer.text)).replace("’", "'").split())
    assert " ".join(said.removesuffix(".").split()) in words
    assert "data:image/jpeg;base64," in answer.text


@pytest.mark.parametrize(("body", "status"), [(b"text", 415), (b"", 422), (corpus.bomb_png(), 413)])
async def test_a_problem_is_told_on_the_page(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post("/", files={"file": ("a", body)})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


async def test_another_method_is_told_which_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "path", ["/model", "/model/filters.png", "/livez", "/docs", "/openapi.json", "/static/js/see.js"]
)
async def test_head_is_allowed_wherever_get_is(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await client.head(path)).status_code == 200


async def test_each_lesson_leads_to_its_part_of_the_notebook(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = (await client.get("/learn")).text
    parts = set(re.findall(r'href="notebook#([^"]*)"', lessons))
    book = await client.get("/notebook")
    assert book.status_code == 200
    assert parts <= set(re.findall(r'id="([^"]*)"', book.text))
    assert len(parts) == 12
    assert "default-src 'none'" in book.headers["content-security-policy"]
    assert re.findall(r'<(?:script|link)|src="(?!data:)', book.text) == []
    monkeypatch.setattr(pages, "notebook", lambda: None)
    assert (await client.get("/notebook")).json()["type"].endswith("not-found")
    assert 'href="notebook' not in (await client.get("/learn")).text


@pytest.mark.parametrize(
    ("address", "reference"),
    [
        ("/learn/", "../learn"),
        ("/learn/?a=1&b", "../learn?a=1&b"),
        ("/predict/", "../predict"),
        ("/static", "static/"),
    ],
)
async def test_a_slash_too_many_is_redirected_whatever_a_proxy_in_front_strips(
    client: httpx.AsyncClient, address: str, reference: str
) -> None:
    answer = await client.get(address, headers={"Host": "inside:8000"})
    assert (answer.status_code, answer.headers["Location"]) == (307, reference)
    seen_from_outside = urljoin(f"https://photos.example/glassbot{address}", reference)
    assert seen_from_outside == f"https://photos.example/glassbot/{reference.lstrip('./')}"
