"""The whole way by keyboard alone: no pointer is touched."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CAT, Visit, answered

pytestmark = pytest.mark.browser

FOCUS = "document.activeElement.outerHTML.slice(0, 200)"


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until what the selector names has the focus, and can be seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            seen = page.evaluate(
                """() => { const one = document.activeElement;
              const shown = one.matches("[type=radio]") ? one.closest("label") : one;
              return getComputedStyle(shown).outlineStyle; }"""
            )
            assert seen == "solid", selector
            return
    raise AssertionError(f"Tab never came to {selector}, but to {page.evaluate(FOCUS)}")


def test_a_photo_is_chosen_and_all_that_is_said_of_it_is_used(visit: Visit) -> None:
    page = visit()
    page.on("filechooser", lambda _: None)  # or else Playwright begins to listen too late for a key
    tab_to(page, "#pick")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(CAT)
    answered(page)
    expect(page.locator("#sentence")).to_be_focused()
    tab_to(page, "#opacity")
    page.keyboard.press("End")
    expect(page.locator("#cam")).to_have_css("opacity", "1")
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    tab_to(page, "[name=method]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[value=hirescam]")).to_be_checked()
    tab_to(page, "[name=verdict]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#history li")).to_contain_text("You said: sort of")
    tab_to(page, "#bars li:nth-child(2) button")
    page.keyboard.press("Enter")
    label = page.locator("#bars button").nth(1).get_attribute("data-label")
    page.wait_for_selector(f"#cam[data-label='{label}']")
    tab_to(page, "#words button")
    page.keyboard.press("Space")
    expect(page.locator("#words button").first).to_have_attribute("aria-pressed", "true")


def test_the_layers_are_walked_through(visit: Visit) -> None:
    page = visit(at="/#sample=coffee")
    answered(page)
    tab_to(page, "[name=layer]")
    for switch in ("order", "scale", "palette"):
        tab_to(page, f"[name={switch}]")
        page.keyboard.press("ArrowRight")
    for selected in ("strongest", "layer", "viridis"):
        expect(page.locator(f".tools [value={selected}]")).to_be_checked()
    tab_to(page, "[data-layer=conv1] button")
    tab_to(page, "[data-layer=pool1] button", most=1)
    page.keyboard.press("Enter")
    expect(page.locator("#tiles button")).to_have_count(96)
    expect(page.locator("#tiles button").first).to_be_focused()  # the strongest stands first
    page.keyboard.press("ArrowDown")
    expect(page.locator("#tiles button:focus")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".unit-argues button").first).to_be_visible()
    for _ in range(30):  # past what the unit's card leads to
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.id") == "map":
            break
    expect(page.locator("#map")).to_be_focused()
    note = page.locator("#channel-note").inner_text()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#channel-note")).not_to_have_text(note)
    tab_to(page, "#tiles button", most=30)
    tab_to(page, "#history a")
    tab_to(page, "#forget", most=1)
    tab_to(page, "#kernels button", most=1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#channel-h")).to_contain_text("Channel 2 of 96")
    expect(page.locator("#tiles [data-channel='1']")).to_be_focused()


def test_forgetting_leaves_the_focus_on_the_page(visit: Visit) -> None:
    page = visit(at="/#sample=coffee")
    answered(page)
    page.locator("#forget").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_skip_link_comes_first_and_leads_past_the_header(visit: Visit) -> None:
    page = visit()
    tab_to(page, ".skip", most=1)
    page.keyboard.press("Enter")
    tab_to(page, ".worked a", most=1)
