"""The page of the API, with the network watched."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A page on which nothing may be logged, refused by the policy, or asked of another origin."""
    troubles: list[str] = []
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})

    def judge(request: Request) -> None:
        if not request.url.startswith((f"{server}/", "data:", "blob:")):
            troubles.append(request.url)

    page.on("console", lambda said: troubles.append(said.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on("request", judge)
    yield page
    page.close()
    assert troubles == []


def try_out(page: Page, operation: str) -> str:
    """The address that was asked, once 200 came back."""
    block = page.locator(f"#operations-{operation}")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    return block.locator(".request-url pre").inner_text()


def test_every_operation_is_shown_and_can_be_tried(page: Page, server: str) -> None:
    page.goto(f"{server}/docs")
    expect(page.locator(".opblock")).to_have_count(9)
    expect(page.locator(".opblock-summary-path", has_text="activations")).to_be_visible()
    assert try_out(page, "health-readyz_readyz_get") == f"{server}/readyz"
    page.locator("#operations-pictures-predict_predict_post .opblock-summary-control").click()
    problems = page.locator("#operations-pictures-predict_predict_post .response[data-code='415']")
    expect(problems).to_contain_text("urn:glassbot:problem:unsupported-body")


def test_every_page_leads_to_it(page: Page, server: str) -> None:
    for start in ("", "learn", "training"):
        page.goto(f"{server}/{start}", wait_until="networkidle")
        page.get_by_role("link", name="API for developers").click()
        expect(page.locator(".opblock")).to_have_count(9)


def test_it_works_below_any_prefix(page: Page, server: str) -> None:
    asked: list[str] = []

    def gateway(route: Route) -> None:
        path = urlsplit(route.request.url).path
        asked.append(path)
        route.fulfill(response=route.fetch(url=server + path.removeprefix("/deep/down")))

    page.route(f"{server}/**", gateway)
    page.goto(f"{server}/deep/down/docs")
    expect(page.locator(".opblock")).to_have_count(9)
    assert try_out(page, "health-readyz_readyz_get") == f"{server}/deep/down/readyz"
    assert [path for path in asked if not path.startswith("/deep/down/")] == []
