"""The cards of what is taught, while photos come and go."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, Visit, kept, until
from tests.browser.teaching import CUP, card, give, learned, opened, photos_of

pytestmark = pytest.mark.browser

TAUGHT = "glassbot-taught"
HOLD_DRAWING = """() => {
  const { decode } = HTMLImageElement.prototype;
  const held = new Promise((resolve) => { window.draw = resolve; });
  HTMLImageElement.prototype.decode = async function () { await held; return decode.call(this); };
}"""


def names(page: Page) -> list[str | None]:
    """What the buttons that remove a photo are called."""
    return [button.get_attribute("aria-label") for button in card(page, "my cup").locator(".thumbs button").all()]


def give_undrawn(page: Page, folder: Path) -> None:
    """Give three photos of which no small picture is drawn until `draw()`."""
    page.evaluate(HOLD_DRAWING)
    give(page, "my cup", photos_of(CUP, 3, folder))
    learned(page, "my cup", 3)


def test_each_photo_has_a_number_of_its_own_whatever_was_removed(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 4, tmp_path))
    learned(page, "my cup", 4)
    card(page, "my cup").get_by_role("button", name="Remove photo 1 of “my cup”").click()
    learned(page, "my cup", 3)
    assert names(page) == [f"Remove photo {i} of “my cup”" for i in (1, 2, 3)]
    images = card(page, "my cup").locator(".thumbs img")
    expect(images).to_have_count(3)
    assert [image.get_attribute("alt") for image in images.all()] == [f"Photo {i} of “my cup”" for i in (1, 2, 3)]


def test_a_picture_that_is_drawn_takes_the_focus_from_nobody(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give_undrawn(page, tmp_path)
    second = card(page, "my cup").locator(".thumbs button").nth(1)
    second.focus()
    expect(card(page, "my cup").locator(".thumbs img")).to_have_count(0)
    page.evaluate("() => draw()")
    expect(card(page, "my cup").locator(".thumbs img")).to_have_count(3)
    expect(second).to_be_focused()


def test_what_another_tab_removed_is_not_put_back_by_its_picture(visit: Visit, tmp_path: Path, server: str) -> None:
    page = visit(at="/livez")
    page.add_init_script("delete window.BroadcastChannel")  # so this tab hears of nothing in time
    page.goto(f"{server}/teach")
    page.wait_for_selector("html[data-ready]")
    give_undrawn(page, tmp_path)
    other = page.context.new_page()
    other.set_default_timeout(1000 * PATIENCE)
    other.goto(f"{server}/teach")
    card(other, "my cup").get_by_role("button", name="Remove photo 2 of “my cup”").click()
    until(other, lambda: len(kept(other, TAUGHT)) == 2)
    page.evaluate("() => draw()")
    expect(card(page, "my cup").locator(".thumbs img")).to_have_count(2)
    expect(card(page, "my cup").locator(".thumbs li")).to_have_count(2)
    assert len(kept(other, TAUGHT)) == 2
