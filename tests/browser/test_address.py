"""The address: what is looked at can be sent to somebody, gone back to, and holds no photo of anybody's own."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import CAT, SAMPLES, Visit, answered, one_is_kept, upload

pytestmark = pytest.mark.browser


def hash_of(page: Page) -> str:
    return str(page.evaluate("location.hash"))


def expect_label(page: Page, name: str) -> None:
    expect(page.locator("#answer [aria-pressed=true]")).to_have_attribute("data-label", name)
    page.wait_for_selector(f"#cam[data-label='{name}']")


def attribute(button: Locator, name: str) -> str:
    return str(button.get_attribute(name))


def test_every_choice_is_in_the_address_and_back_takes_it_back(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Espresso").click()
    answered(page)
    assert hash_of(page) == "#sample=coffee"
    first = attribute(page.locator("#bars [aria-pressed=true]"), "data-label")
    other = page.locator("#bars [aria-pressed=false]").first
    second, vocabulary = attribute(other, "data-label"), attribute(other, "data-vocabulary")
    other.click()
    expect_label(page, second)
    assert hash_of(page) == f"#sample=coffee&label={vocabulary}:{second}"
    page.get_by_text("About this map").click()
    page.get_by_role("radio", name="LayerCAM").check()
    page.get_by_role("radio", name="conv4").check()
    assert hash_of(page) == f"#sample=coffee&label={vocabulary}:{second}&method=layercam&layer=conv4"
    page.go_back()
    expect(page.locator("#overview")).to_be_visible()
    expect(page.locator("#layer-picker :checked")).to_have_value("all")
    page.go_back()
    expect(page.locator("[value=gradcam]")).to_be_checked()
    expect_label(page, second)
    page.go_back()
    expect_label(page, first)
    page.go_back()
    expect(page.locator("#start-h")).to_have_text("Show me a photo.")
    expect(page.locator("#answer")).to_be_hidden()
    for _ in range(4):
        page.go_forward()
    answered(page)
    expect_label(page, second)
    expect(page.locator("[value=layercam]")).to_be_checked()
    expect(page.locator("#tiles button")).to_have_count(384)


def test_an_address_opens_what_it_names(visit: Visit) -> None:
    page = visit(at="/#sample=bed&label=word:water&method=hirescam&layer=pool2")
    answered(page)
    expect(page.locator("[value=hirescam]")).to_be_checked()
    expect(page.get_by_role("radio", name="pool2")).to_be_checked()
    page.wait_for_selector("#cam[data-label='water']")
    expect(page.locator("#map-note")).to_contain_text("“water”")
    page.reload()
    answered(page)
    page.wait_for_selector("#cam[data-label='water']")
    page.evaluate("location.hash = '#sample=coffee'")  # typed over
    page.wait_for_selector("#cam:not([data-label='water'])")
    answered(page)
    expect(page.locator("[value=gradcam]")).to_be_checked()
    expect(page.locator("#overview")).to_be_visible()


@pytest.mark.parametrize(
    "at", ["/#sample=nobody&layer=conv1", "/#sample=../secret", "/#sample=", "/#%%%", "/#lens", "/#kernels"]
)
def test_an_address_that_names_nothing_shows_the_empty_state(visit: Visit, at: str) -> None:
    page = visit(at=at)
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#start-h")).to_have_text("Show me a photo.")
    upload(page)


def test_what_an_address_names_and_the_network_lacks_is_told_or_left_out(visit: Visit) -> None:
    page = visit(at="/#sample=coffee&label=object:unicorn&method=magic&layer=conv9")
    page.wait_for_selector("#layers-body:not(.working)")
    expect(page.locator("#map-note")).to_contain_text("There is no map this time.")
    expect(page.locator("[value=gradcam]")).to_be_checked()
    expect(page.locator("#overview")).to_be_visible()
    page.locator("#bars button").first.click()
    expect_label(page, attribute(page.locator("#bars button").first, "data-label"))


def test_a_photo_of_ones_own_is_in_no_address_and_back_still_finds_it(visit: Visit) -> None:
    page = visit()
    upload(page, CAT)
    assert hash_of(page) == ""
    page.get_by_role("radio", name="conv2").check()
    assert hash_of(page) == "#layer=conv2"
    cat = page.locator("#photo img").get_attribute("src")
    upload(page, SAMPLES / "rocket.webp")
    page.wait_for_function("was => document.querySelector('#photo img').src !== was", arg=cat)
    answered(page)
    rocket = page.evaluate("document.querySelector('#photo img').naturalHeight")
    page.go_back()
    page.wait_for_function("was => document.querySelector('#photo img').naturalHeight !== was", arg=rocket)
    answered(page)
    expect(page.locator("#tiles button")).to_have_count(256)
    assert hash_of(page) == "#layer=conv2"
    page.reload()
    answered(page)
    expect(page.locator("#tiles button")).to_have_count(256)
    page.go_forward()
    page.wait_for_function("was => document.querySelector('#photo img').naturalHeight === was", arg=rocket)
    answered(page)
    kept = page.evaluate("location.href + JSON.stringify(history.state)")
    assert "chelsea" not in kept
    assert "blob:" not in kept


def test_a_link_to_the_page_asks_after_no_photo_of_before(visit: Visit) -> None:
    page = visit()
    upload(page, CAT)
    page.get_by_role("link", name="Glassbot").click()
    expect(page.locator("#start")).to_be_visible()  # the page that is left shows the answer
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#start-h")).to_have_text("Show me a photo.")
    expect(page.locator("#start-p")).to_contain_text("Drop one here")
    expect(page.locator("#start-p")).not_to_contain_text("your own photo")


def test_a_link_without_a_photo_says_what_to_show_of_the_next_one(visit: Visit) -> None:
    page = visit(at="/#label=word:man&layer=pool5")
    upload(page)
    page.wait_for_selector("#cam[data-label='man']")
    expect(page.locator("#tiles button")).to_have_count(256)
    assert hash_of(page) == "#label=word:man&layer=pool5"


def test_the_skip_link_costs_nobody_the_answer(visit: Visit) -> None:
    page = visit(at="/#sample=coffee")
    answered(page)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page.locator("#bars button")).to_have_count(5)
    page.go_back()
    expect(page.locator("#answer")).to_be_visible()
    assert hash_of(page) == "#sample=coffee"


def test_the_page_works_below_any_prefix(visit: Visit, server: str) -> None:
    page = visit(at="/livez")
    asked: list[str] = []

    def gateway(route: Route) -> None:
        path = route.request.url.removeprefix(server)
        asked.append(path)
        route.fulfill(response=route.fetch(url=server + path.removeprefix("/deep/down")))

    page.route(f"{server}/**", gateway)
    page.goto(f"{server}/deep/down/#sample=desk&layer=conv1")
    answered(page)
    assert [path for path in asked if not path.startswith("/deep/down/")] == []
    assert page.url == f"{server}/deep/down/#sample=desk&layer=conv1"


def test_a_reload_and_the_way_back_from_elsewhere_find_the_photo_and_the_place_on_the_page(
    visit: Visit, server: str
) -> None:
    page = visit()
    upload(page, CAT)
    one_is_kept(page)
    page.evaluate("scrollTo(0, 700)")
    page.reload()
    answered(page)
    page.wait_for_function("() => scrollY === 700")
    page.goto(f"{server}/learn")  # a click would scroll up to the link
    page.go_back()
    answered(page)
    page.wait_for_function("() => scrollY === 700")
    assert page.locator("#photo img").evaluate("image => image.naturalWidth") == 451
