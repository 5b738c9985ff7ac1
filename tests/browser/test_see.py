"""The page as a person uses it, in headless Chromium against the real server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import CAT, NOTES, upload

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]


def drawing(page: Page) -> str:
    return str(page.evaluate("document.querySelector('#cam').toDataURL()"))


def test_a_photo_becomes_a_sentence_five_bars_a_map_and_tiles(visit: Callable[..., Page]) -> None:
    page = visit()
    upload(page)
    expect(page.locator("#sentence mark")).not_to_be_empty()
    expect(page.locator("#tier")).to_contain_text(re.compile("times in 10|not been measured yet|no promise"))
    expect(page.locator("#bars button")).to_have_count(5)
    expect(page.locator("#cam")).to_be_visible()
    expect(page.locator("#rail input")).to_have_count(10)
    for name, channels in (("conv1", 96), ("conv3", 384), ("pool5", 256)):
        page.get_by_role("radio", name=name).check(force=True)
        expect(page.locator("#tiles button")).to_have_count(channels)
        expect(page.locator("#tiles button").first).to_be_visible()
    page.get_by_role("radio", name="fc6").check(force=True)
    expect(page.locator("#tiles canvas")).to_be_visible()


def test_the_map_lies_on_the_square_that_the_network_saw(visit: Callable[..., Page]) -> None:
    page = visit()
    upload(page)  # 451 x 300: the square is 300 wide and begins at 75
    photo, cam = page.locator("#photo").bounding_box(), page.locator("#cam").bounding_box()
    assert photo is not None
    assert cam is not None
    assert cam["width"] == pytest.approx(cam["height"], abs=2)
    assert cam["x"] - photo["x"] == pytest.approx(photo["width"] * 75 / 451, abs=2)


def test_another_bar_or_word_shows_another_map(visit: Callable[..., Page]) -> None:
    page = visit()
    upload(page)
    seen = {drawing(page)}
    for button in (page.locator("#bars button").nth(1), page.locator("#words button").first):
        before = page.locator("#cam").get_attribute("data-label")
        button.click()
        page.wait_for_function("was => document.querySelector('#cam').dataset.label !== was", arg=before)
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#answer [aria-pressed=true]")).to_have_count(1)
        seen.add(drawing(page))
    assert len(seen) == 3


def test_order_and_brightness_ask_the_server_nothing(visit: Callable[..., Page]) -> None:
    page = visit()
    upload(page)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    page.get_by_label("strongest", exact=True).check(force=True)
    sheet = page.evaluate("document.querySelector('#tiles').style.cssText")
    page.get_by_label("per layer").check(force=True)
    page.wait_for_function("was => document.querySelector('#tiles').style.cssText !== was", arg=sheet)
    page.get_by_role("radio", name="conv2").check(force=True)
    assert asked == []


def test_tiles_are_one_tab_stop_with_arrow_keys(visit: Callable[..., Page]) -> None:
    page = visit()
    upload(page)
    expect(page.locator("#tiles [tabindex='0']")).to_have_count(1)
    page.locator("#tiles button").nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#one-h")).to_have_text("Channel 2 of 96")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#one-h")).to_have_text("Channel 14 of 96")
    page.keyboard.press("End")
    expect(page.locator("#tiles button").last).to_be_focused()
    expect(page.locator("#tiles [tabindex='0']")).to_have_count(1)


def test_a_kernel_opens_its_channel(visit: Callable[..., Page]) -> None:
    page = visit()
    upload(page)
    page.get_by_role("button", name="Kernel 50:").click()
    expect(page.locator("#one-h")).to_have_text("Channel 50 of 96")


def test_a_text_file_gets_one_clear_sentence_and_one_way_on(visit: Callable[..., Page]) -> None:
    page = visit()
    page.set_input_files("#file", NOTES)
    expect(page.locator("#start-p")).to_contain_text("notes.txt")
    expect(page.locator("#start-p")).to_contain_text("JPEG")
    expect(page.locator("#start-h")).to_be_focused()
    upload(page)
    expect(page.locator("#start")).to_be_hidden()


def unavailable(slug: str, title: str) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        problem = {"type": f"urn:glassbot:problem:{slug}", "title": title, "status": 503, "detail": "Ask again soon."}
        kind = "application/problem+json"
        route.fulfill(status=503, body=json.dumps(problem), headers={"Retry-After": "1"}, content_type=kind)

    return answer


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (unavailable("overloaded", "Too busy"), "Too many people"),
        (unavailable("not-ready", "Not ready"), "Not ready."),
        (lambda route: route.abort(), "does not answer"),
    ],
    ids=["busy", "loading", "gone"],
)
def test_a_server_in_trouble_keeps_the_photo(visit: Callable[..., Page], fault: Any, words: str) -> None:
    page = visit()
    page.route("**/predict", fault)
    page.set_input_files("#file", CAT)
    expect(page.locator("#sentence")).to_contain_text(words)
    expect(page.locator("#photo img")).to_be_visible()
    page.unroute("**/predict")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#cam[data-label]:not([hidden])")


def test_a_picture_that_the_browser_cannot_draw_is_still_answered(visit: Callable[..., Page], tmp_path: Path) -> None:
    Image.open(CAT).save(tmp_path / "cat.tiff")
    page = visit()
    upload(page, tmp_path / "cat.tiff")
    expect(page.locator(".undrawn")).to_be_visible()
    expect(page.locator("#bars button")).to_have_count(5)


def test_without_scripts_it_is_a_plain_form(visit: Callable[..., Page]) -> None:
    page = visit(java_script_enabled=False)
    page.set_input_files("#plain", CAT)
    page.get_by_role("button", name="Describe it").click()
    expect(page.locator("h1.sentence mark")).not_to_be_empty()
    expect(page.locator(".bars .row")).to_have_count(5)
    expect(page.get_by_alt_text("The square of your photo")).to_be_visible()
    page.set_input_files("#plain", NOTES)
    page.get_by_role("button", name="Describe it").click()
    expect(page.get_by_role("alert")).to_contain_text("JPEG")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Page], scheme: Scheme, width: int) -> None:
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 844})
    assert Axe().run(page).response["violations"] == []
    upload(page)
    assert Axe().run(page).response["violations"] == []


def test_a_phone_scrolls_only_down(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= 390
    Image.new("RGB", (300, 500), "teal").save(tmp_path / "tall.png")
    for photo in (CAT, tmp_path / "tall.png"):
        upload(page, photo)
        assert page.evaluate(wide) <= 390


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_that_is_seen_moves_when_the_answer_comes(visit: Callable[..., Page], width: int) -> None:
    page = visit(viewport={"width": width, "height": 844})

    def slowly(route: Route) -> None:
        page.wait_for_timeout(700)  # past the half second in which a shift counts as the reader's own doing
        route.continue_()

    page.route("**/predict", slowly)
    page.evaluate(
        """() => { window.moved = 0; new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.moved += shift.value;
        }).observe({ type: "layout-shift" }); }"""
    )
    page.set_input_files("#file", CAT)
    page.wait_for_selector("#answer.working")
    page.evaluate("window.moved = 0")
    page.wait_for_selector("#layers-body:not(.working)")
    page.wait_for_timeout(200)
    assert page.evaluate("window.moved") < 0.02


def test_maps_are_smoothed_within_their_range_and_each_cell_lies_at_its_place(visit: Callable[..., Page]) -> None:
    found = visit().evaluate(
        """async () => {
      const { upsample, cellAt, spline, paint } = await import(new URL("static/js/heatmap.js", location.href));
      const { CIVIDIS } = await import(new URL("static/js/cividis.js", location.href));
      const conv5 = { start: -64, jump: 16, receptiveField: 163 };
      const map = (value) => Array.from({ length: 13 }, (_, i) => Array.from({ length: 13 }, (_, j) => value(i, j)));
      const flat = upsample(map(() => 1), 227, conv5, 227);
      const spot = map((i, j) => Number(i === 3 && j === 7));
      const drawn = upsample(spot, 227, conv5, 227);
      const peak = drawn.indexOf(Math.max(...drawn));
      const canvas = document.createElement("canvas");
      paint(canvas, spot, conv5, 227);
      const at = 4 * (227 * (17 + 16 * 3) + 17 + 16 * 7);
      const painted = canvas.getContext("2d").getImageData(0, 0, 227, 227).data;
      return { top: [...painted.slice(at, at + 4)],
        flat: [Math.min(...flat), Math.max(...flat)], peak: [Math.floor(peak / 227), peak % 227],
        at: cellAt(17, 227, conv5, 227), sum: spline(0.3).reduce((a, b) => a + b),
        first: [...CIVIDIS.slice(0, 3)], last: [...CIVIDIS.slice(-3)], colours: CIVIDIS.length / 3 };
    }"""
    )
    assert found["top"] == pytest.approx([254, 232, 56, 0.92 * 255], abs=2)
    assert found["flat"] == pytest.approx([1, 1])
    assert found["peak"] == [17 + 16 * 3, 17 + 16 * 7]
    assert found["at"] == pytest.approx(0)
    assert found["sum"] == pytest.approx(1)
    assert (found["first"], found["last"], found["colours"]) == ([0, 34, 78], [254, 232, 56], 256)
