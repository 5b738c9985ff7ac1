"""Playing with a photo: another square, a part covered, what it is really, and the map of what covering changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import CAT, Visit, another_photo, until, upload

pytestmark = pytest.mark.browser

LIVE = ".live [data-part=sentence]"
ABOUT = ".live [data-part=about]"


def opened(visit: Visit, tool: Literal["square", "cover"], **options: object) -> Page:
    """A photo that is answered, with one of the tools open and its first answer there."""
    page = visit(**options)
    upload(page)
    page.locator(f"#play-{tool}").click()
    expect(page.locator(".stage")).to_be_focused()
    expect(page.locator(ABOUT)).to_contain_text("the square that it looked at first")
    return page


def test_the_square_is_dragged_and_the_answer_follows(visit: Visit) -> None:
    page = opened(visit, "square")
    first = page.locator(LIVE).inner_text()
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    middle = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    with page.expect_response("**/predict?top_k=20") as response:
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 60, middle[1], steps=4)
        page.mouse.up()
    assert response.value.request.headers["content-type"] == "image/png"
    expect(page.locator(ABOUT)).to_contain_text("where it is now")
    page.get_by_role("button", name="Back to the middle").click()
    expect(page.locator(ABOUT)).to_contain_text("looked at first")
    expect(page.locator(LIVE)).to_have_text(first)
    expect(page.locator(".change")).to_have_count(0)


def test_the_square_is_moved_and_resized_by_keys(visit: Visit) -> None:
    page = opened(visit, "square")
    for key in ("-", "-", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(ABOUT)).to_contain_text("where it is now")
    page.keyboard.press("Escape")
    expect(page.locator(".stage")).to_have_count(0)
    expect(page.locator("#play-square")).to_be_focused()
    expect(page.locator("#sentence")).to_be_visible()


def test_a_corner_resizes_the_square(visit: Visit) -> None:
    page = opened(visit, "square", viewport={"width": 390, "height": 844}, has_touch=True)
    expect(page.locator(".stage")).to_be_in_viewport(ratio=1)  # the button lies a screen below the photo
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    size = min(stage["width"], stage["height"])
    left = stage["x"] + (stage["width"] - size) / 2
    with page.expect_response("**/predict?top_k=20"):
        page.mouse.move(left + 3, stage["y"] + 3)
        page.mouse.down()
        page.mouse.move(left + 90, stage["y"] + 90, steps=4)
        page.mouse.up()
    expect(page.locator(ABOUT)).to_contain_text("where it is now")


def test_a_square_is_used_as_the_photo(visit: Visit) -> None:
    page = opened(visit, "square")
    page.keyboard.press("-")
    with another_photo(page):
        page.get_by_role("button", name="Use this square").click()
        expect(page.locator(".stage")).to_have_count(0)
    image = page.locator("#photo img")
    assert image.evaluate("image => image.naturalWidth === image.naturalHeight")


def test_a_part_is_covered_and_uncovered(visit: Visit) -> None:
    page = opened(visit, "cover")
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    page.locator("[name=brush][value=large]").check()
    page.mouse.move(stage["x"] + stage["width"] * 0.35, stage["y"] + stage["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.7, stage["y"] + stage["height"] * 0.5, steps=6)
    page.mouse.up()
    expect(page.locator(ABOUT)).to_contain_text("a part covered")
    expect(page.locator(".change").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(ABOUT)).to_contain_text("looked at first")
    page.locator(".stage").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator(ABOUT)).to_contain_text("a part covered")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(ABOUT)).to_contain_text("looked at first")


def test_only_the_latest_square_is_asked_about(visit: Visit) -> None:
    page = opened(visit, "square")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "top_k=20" in request.url else None)
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            return route.continue_()
        return held.append(route)

    page.route("**/predict?top_k=20", hold_the_first)
    for _ in range(12):  # all while the first is asked about, however slowly keys come here
        page.keyboard.press("ArrowRight")
    until(page, lambda: len(held) == 1)
    held[0].continue_()
    expect(page.locator(ABOUT)).to_contain_text("where it is now")
    until(page, lambda: len(asked) >= 2)
    page.wait_for_timeout(500)
    assert len(asked) == 2


def test_what_it_is_really_by_keys_alone(visit: Visit) -> None:
    page = visit()
    upload(page)
    page.evaluate("document.dispatchEvent(new CustomEvent('glassbot:wrong'))")
    field = page.get_by_role("combobox", name="What does the photo show?")
    expect(field).to_be_focused()
    page.keyboard.type("goldf")
    options = page.get_by_role("option")
    expect(options.first).to_contain_text("goldfish")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "really-field-0")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-expanded", "false")
    standing = page.locator(".standing")
    expect(standing).to_contain_text("“goldfish” came")
    expect(standing).to_be_focused()
    expect(page.locator(".sum li")).to_have_count(3)
    expect(page.locator(".deciders li")).to_have_count(6)
    page.get_by_role("button", name="Show its map on the photo").click()
    page.wait_for_selector("#cam[data-label='n01443537']")


def test_the_parts_add_up(visit: Visit) -> None:
    page = visit()
    upload(page)
    with page.expect_response("**/compare?*") as response:
        page.locator("#really").scroll_into_view_if_needed()
        page.locator("#really-field").fill("goldfish")
        page.keyboard.press("Enter")
    compared = response.value.json()
    assert sum(map(sum, compared["cells"])) + compared["elsewhere"] == pytest.approx(compared["lead"], abs=0.01)
    expect(page.locator(".sum")).to_contain_text(f"by {compared['lead']:.1f}:")


def test_a_name_that_it_has_not_is_said_to_be_none(visit: Visit) -> None:
    page = visit()
    upload(page)
    page.locator("#really").scroll_into_view_if_needed()
    page.locator("#really-field").fill("goldfsh")
    note = page.locator("#really-body > .note")
    expect(note).to_contain_text("It has no name for “goldfsh”; the nearest it knows: goldfish")
    note.get_by_role("button", name="goldfish").click()
    expect(page.locator(".standing")).to_contain_text("goldfish")
    page.locator("#really-field").fill("qqqq")
    expect(note).to_contain_text("For this photo it thought most of")


def test_occlusion_is_one_more_kind_of_map(visit: Visit) -> None:
    page = visit()
    rows = [[0.3 if (y, x) == (6, 6) else -0.02 for x in range(13)] for y in range(13)]

    def cover(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps({"cells": 13, "map": rows}))

    page.route("**/occlusion?*", cover)
    upload(page)
    page.locator("#about-map summary").click()
    page.locator("[name=method][value=occlusion]").check()
    expect(page.locator("#map-note")).to_contain_text("drops, by up to 30 points")
    pixel = page.evaluate(
        """() => { const cam = document.querySelector("#cam");
        return [...cam.getContext("2d").getImageData(cam.width / 2, cam.height / 2, 1, 1).data]; }"""
    )
    assert pixel[0] > pixel[2]  # orange
    assert pixel[3] > 128


def test_what_the_browser_cannot_draw_is_not_moved(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    Image.open(CAT).save(tmp_path / "cat.tiff")
    upload(page, tmp_path / "cat.tiff")
    expect(page.locator("#play-why")).to_contain_text("the square can’t be moved")
    expect(page.locator("#play-square")).to_be_disabled()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (820, "dark"), (390, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(visit: Visit, scheme: str, width: int) -> None:
    page = visit(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    upload(page)
    page.locator("#really").scroll_into_view_if_needed()
    page.locator("#really-field").fill("goldfish")
    page.keyboard.press("Enter")
    page.wait_for_selector(".standing")
    page.locator("#play-cover").click()
    expect(page.locator(ABOUT)).to_contain_text("looked at first")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    until(page, lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
