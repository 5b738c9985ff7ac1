"""The page where an API key is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.app.server import served
from tests.browser.conftest import CAT, PATIENCE, PATIENT, unwatched, upload

pytestmark = pytest.mark.browser

KEY = "the-key-of-this-test"


@pytest.fixture(scope="module")
def locked(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(network, tmp_path_factory.mktemp("locked") / "log", GLASSBOT_API_KEYS=KEY, **PATIENT) as running:
        yield running.address


@pytest.fixture
def page(chromium: Browser, locked: str) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(locked)
    yield page
    context.close()


def test_a_photo_without_the_key_gets_a_sentence_and_with_it_an_answer(page: Page) -> None:
    page.set_input_files("#file", CAT)
    expect(page.locator("#start-h")).to_have_text("An API key is needed.")
    expect(page.get_by_role("alert")).to_contain_text("Type the key")
    page.get_by_role("textbox", name="API key").fill(f" {KEY} ")
    page.get_by_role("textbox", name="API key").press("Enter")
    upload(page)
    expect(page.locator("#bars button")).to_have_count(5)


def test_the_key_is_kept_for_this_tab_and_for_no_other(page: Page, locked: str, chromium: Browser) -> None:
    page.get_by_role("textbox", name="API key").fill(KEY)
    page.reload()
    expect(page.get_by_role("textbox", name="API key")).to_have_value(KEY)
    upload(page)
    kept = page.evaluate("JSON.stringify(localStorage) + document.cookie + location + JSON.stringify(history.state)")
    assert KEY not in kept
    other = unwatched(chromium)
    other.goto(locked)
    expect(other.get_by_role("textbox", name="API key")).to_have_value("")
    other.close()


def test_what_cannot_be_a_key_is_not_sent(page: Page) -> None:
    page.get_by_role("textbox", name="API key").fill("schlüssel")
    page.set_input_files("#file", CAT)
    expect(page.locator("#start-h")).to_have_text("An API key is needed.")


def test_photos_that_came_before_the_key_are_taken_with_it(page: Page, locked: str) -> None:
    page.goto(f"{locked.rstrip('/')}/teach")
    page.wait_for_selector("html[data-ready]")
    page.fill("#name", "Mimi")
    page.set_input_files("#files", CAT)
    expect(page.get_by_role("alert")).to_contain_text("chelsea.webp: Type the key")
    page.get_by_role("textbox", name="API key").fill(KEY)
    page.get_by_role("button", name="Try these again").click()
    expect(page.locator(".thing").first).to_contain_text("2 more photos, and it is learned.")


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_where_a_key_is_asked_for(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_the_page_says_that_it_cannot_send_one(chromium: Browser, locked: str) -> None:
    page = unwatched(chromium, java_script_enabled=False)
    page.goto(locked)
    said = page.locator("noscript p")  # which get_by_text passes over
    expect(said).to_be_visible()
    expect(said).to_contain_text("only with an API key")
    expect(page.locator("input:visible")).to_have_count(0)
    page.close()
