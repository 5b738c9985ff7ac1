"""The notebook as the service shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(autouse=True)
def book(server: str) -> str:
    """The page as it is sent; where none is installed the test is skipped."""
    answer = httpx.get(f"{server}/notebook", timeout=PATIENCE)
    if answer.status_code != 200:
        pytest.skip("no notebook is installed")
    return answer.text


def test_its_links_stay_on_the_service_that_shows_it(book: str, server: str) -> None:
    links = re.findall(r'href="([^"#]*)[^"]*"', book)
    here = {link for link in links if link and not link.startswith("http")}
    assert here == {"./", "learn", "training", "docs"}
    assert "127.0.0.1" not in "".join(links)
    for link in here:
        assert httpx.get(f"{server}/{link}", timeout=PATIENCE).status_code == 200


def test_it_leads_to_the_step_and_back(visit: Visit, server: str) -> None:
    page = visit(at="/notebook")
    page.locator("a[href='learn#stride']").click()
    expect(page).to_have_url(f"{server}/learn#stride")
    page.go_back()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="See").click()
    expect(page).to_have_url(f"{server}/")


def test_it_begins_with_what_the_network_gets_right(visit: Visit) -> None:
    page = visit(at="/notebook")
    answer = page.locator("details.reveal", has_text="caption.text").first
    answer.locator("summary").press("Enter")
    expect(answer.locator(".said").first).to_contain_text("espresso")
    expect(answer.locator("summary")).to_have_text("Hide the answer", use_inner_text=True)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (820, "dark"), (390, "light")])
def test_axe_finds_nothing(visit: Visit, width: int, scheme: Any) -> None:
    page = visit(at="/notebook", color_scheme=scheme, viewport={"width": width, "height": 900})
    assert Axe().run(page).response["violations"] == []
    page.locator("details.reveal summary").first.click()
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("width", [320, 390, 720])
@pytest.mark.parametrize("scripts", [True, False])
def test_it_scrolls_only_down(visit: Visit, width: int, scripts: bool) -> None:
    page = visit(at="/notebook", viewport={"width": width, "height": 800}, java_script_enabled=scripts)
    wide = page.locator("html").bounding_box()
    assert wide is not None
    body = page.locator("main").bounding_box()
    assert body is not None
    assert body["x"] + body["width"] <= width
