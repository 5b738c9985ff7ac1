"""The page of the API, with the network watched."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A page on which nothing may be logged, refused by the policy, or asked of another origin."""
    watch = Watch()
    page = watch.follow(chromium.new_page(viewport={"width": 1280, "height": 1000}), server, strictly=True)
    yield page
    page.close()
    assert watch.troubles == []


@pytest.fixture(scope="module")
def operations(server: str) -> int:
    """How many operations the API has."""
    paths: dict[str, dict[str, object]] = httpx.get(f"{server}/openapi.json").json()["paths"]
    return sum(len(methods) for methods in paths.values())


def try_out(page: Page, operation: str) -> str:
    """The address that was asked, once 200 came back."""
    block = page.locator(f"#operations-{operation}")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    return block.locator(".request-url pre").inner_text()


def test_every_operation_is_shown_and_can_be_tried(page: Page, server: str, operations: int) -> None:
    page.goto(f"{server}/docs")
    expect(page.locator(".opblock")).to_have_count(operations)
    expect(page.locator(".opblock-summary-path", has_text="activations")).to_be_visible()
    assert try_out(page, "health-readyz_readyz_get") == f"{server}/readyz"
    page.locator("#operations-pictures-predict_predict_post .opblock-summary-control").click()
    problems = page.locator("#operations-pictures-predict_predict_post .response[data-code='415']")
    expect(problems).to_contain_text("urn:glassbot:problem:unsupported-body")


def test_every_page_leads_to_it(page: Page, server: str, operations: int) -> None:
    for start in ("", "learn", "training"):
        page.goto(f"{server}/{start}")
        page.get_by_role("link", name="API for developers").click()
        expect(page.locator(".opblock")).to_have_count(operations)


def test_it_works_below_any_prefix(page: Page, server: str, operations: int) -> None:
    asked: list[str] = []

    def gateway(route: Route) -> None:
        path = urlsplit(route.request.url).path
        asked.append(path)
        route.fulfill(response=route.fetch(url=server + path.removeprefix("/deep/down")))

    page.route(f"{server}/**", gateway)
    page.goto(f"{server}/deep/down/docs")
    expect(page.locator(".opblock")).to_have_count(operations)
    assert try_out(page, "health-readyz_readyz_get") == f"{server}/deep/down/readyz"
    assert [path for path in asked if not path.startswith("/deep/down/")] == []
