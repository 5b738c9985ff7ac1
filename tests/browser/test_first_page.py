"""What the first page weighs, before anybody has chosen a photo."""

from __future__ import annotations

from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Request

from tests.browser.conftest import PATIENCE, prefetched, until, unwatched, upload

pytestmark = pytest.mark.browser

PARTS: tuple[Literal["responseBodySize", "responseHeadersSize"], ...] = ("responseBodySize", "responseHeadersSize")


def test_the_first_page_is_light_and_its_text_is_packed(chromium: Browser, server: str) -> None:
    page = unwatched(chromium, viewport={"width": 1440, "height": 1800})  # so tall that the kernels are fetched, too
    sizes: dict[str, int] = {}
    plain: list[str] = []

    def weigh(request: Request) -> None:
        answer = request.response()
        assert answer is not None
        sizes[request.url] = sum(request.sizes()[part] for part in PARTS)
        text = answer.headers["content-type"].startswith("text/")
        small = int(answer.headers.get("content-length", "500")) < 500  # which packing would not make smaller
        if text and not small and answer.headers.get("content-encoding") != "gzip":
            plain.append(request.url)

    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.on("requestfinished", weigh)
    page.goto(server, wait_until="networkidle")
    prefetched(page)
    awaited = {f"{server}/model/filters.png", f"{server}/static/js/strings.js"}
    until(page, lambda: awaited | asked <= sizes.keys())  # the network counts as idle from its first pause on
    page.remove_listener("requestfinished", weigh)  # what ends with the page cannot be weighed
    page.close()
    assert plain == []
    assert sum(sizes.values()) <= 150_000


def test_an_answer_is_light_and_the_layers_are_most_of_it(chromium: Browser, server: str) -> None:
    page = unwatched(chromium)
    page.goto(server, wait_until="networkidle")
    prefetched(page)
    asked_for: set[str] = set()
    sizes: dict[str, int] = {}

    def name_of(request: Request) -> str:
        return request.url.removeprefix(server).split("?")[0]

    def weigh(request: Request) -> None:
        if name_of(request) in asked_for:  # and not of the page itself, told late
            sizes[name_of(request)] = sum(request.sizes()[part] for part in PARTS)

    page.on("request", lambda request: asked_for.add(name_of(request)))
    page.on("requestfinished", weigh)
    upload(page)
    until(page, lambda: asked_for <= sizes.keys())
    page.remove_listener("requestfinished", weigh)  # what ends with the page cannot be weighed
    page.close()
    assert sizes["/activations"] <= 560_000  # 780,736 numbers
    assert sizes["/predict"] <= 2500
    assert sizes["/explain"] <= 4000
    asked = {name for name in sizes if not name.startswith(("/static/img", "blob:"))}
    assert asked == {"/predict", "/model", "/activations", "/explain"}
    assert sum(size for name, size in sizes.items() if name != "/activations") <= 25_000


def test_a_second_visit_asks_after_every_file_and_fetches_none_again(chromium: Browser, server: str) -> None:
    page = unwatched(chromium)
    page.goto(server, wait_until="networkidle")
    before = unchanged(server)
    page.reload(wait_until="networkidle")
    page.close()
    assert unchanged(server) - before >= 15  # two style sheets, eight scripts, six samples, perhaps the icon


def unchanged(server: str) -> float:
    """How many 304 the service counts."""
    lines = httpx.get(f"{server}/metrics", timeout=PATIENCE).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if "requests_total" in line and 'status="304"' in line)


def test_head_is_answered_as_get_without_the_body(server: str) -> None:
    # On one connection, where a stray body would garble what follows.
    with httpx.Client(base_url=server, timeout=PATIENCE) as client:
        for path in ("/", "/static/js/see.js", "/static/samples/chelsea.webp", "/model", "/livez"):
            head, whole = client.head(path), client.get(path)
            assert (head.status_code, head.content) == (200, b"")
            for name in ("content-length", "content-encoding", "content-type", "etag", "vary"):
                assert head.headers.get(name) == whole.headers.get(name), (path, name)
