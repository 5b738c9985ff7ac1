"""The page of the API, with the network watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import PATIENCE, Watch, close

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A page on which nothing may be logged, refused by the policy, or asked of another origin."""
    watch = Watch()
    page = watch.follow(chromium.new_page(viewport={"width": 1280, "height": 1000}), server, strictly=True)
    yield page
    close(page.context)
    assert watch.troubles == []


@pytest.fixture(scope="module")
def operations(server: str) -> int:
    """How many operations the API has."""
    contract = httpx.get(f"{server}/openapi.json", timeout=PATIENCE).json()
    paths: dict[str, dict[str, object]] = contract["paths"]
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
    for start in ("", "learn", "teach", "training"):
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


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (820, "dark"), (390, "light")])
def test_axe_finds_nothing_open_or_closed(visit: Callable[..., Page], width: int, scheme: Any) -> None:
    page = visit(at="/docs", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.locator(".opblock").first.wait_for()
    assert Axe().run(page).response["violations"] == []
    page.locator("#operations-pictures-explain_explain_post .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator("section.models button").first.click()
    page.get_by_role("button", name="Execute").wait_for()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_belongs_to_the_site(visit: Callable[..., Page], server: str) -> None:
    page = visit(at="/docs", color_scheme="dark")
    page.locator(".opblock").first.wait_for()
    expect(page.locator(".authorization__btn, .authorize")).to_have_count(0)  # this service asks for no key
    wall, text = page.evaluate(
        """() => { const sum = (all) => all.reduce((a, b) => a + Number(b), 0);
          const brightness = (colour) => sum(colour.match(/[0-9.]+/g).slice(0, 3));
        return [brightness(getComputedStyle(document.body).backgroundColor),
          brightness(getComputedStyle(document.querySelector(".opblock-summary-path")).color)]; }"""
    )
    assert wall < 150 < 500 < text
    page.get_by_role("link", name="Learn", exact=True).click()
    expect(page).to_have_url(f"{server}/learn")


def test_it_can_be_reached_by_keyboard(visit: Callable[..., Page]) -> None:
    page = visit(at="/docs")
    summary = page.locator(".opblock-summary-control").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(summary).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()


def test_without_scripts_it_names_the_description(visit: Callable[..., Page]) -> None:
    page = visit(at="/docs", java_script_enabled=False)
    expect(page.locator("noscript a, main a[href='openapi.json']").first).to_be_visible()


@pytest.mark.parametrize("width", [320, 720])
def test_a_narrow_window_scrolls_only_down(visit: Callable[..., Page], width: int) -> None:
    page = visit(at="/docs", viewport={"width": width, "height": 800})
    page.locator(".opblock-summary-control").first.click()
    page.get_by_role("button", name="Try it out").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
