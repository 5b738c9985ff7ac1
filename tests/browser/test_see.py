"""The page as a person uses it, in headless Chromium against the real server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, Route, expect

from app.http.routes.pages import templates
from model.language.sentence import _OPENINGS
from tests.browser.conftest import CAT, NOTES, Visit, answered, drawn, upload

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]


def drawing(page: Page) -> str:
    return str(page.evaluate("document.querySelector('#cam').toDataURL()"))


def test_a_photo_becomes_a_sentence_five_bars_a_map_and_every_layer(visit: Visit) -> None:
    page = visit()
    upload(page)
    expect(page.locator("#sentence mark")).not_to_be_empty()
    expect(page.locator("#tier")).to_contain_text(re.compile("times in 10|not been measured yet|can’t say how often"))
    expect(page.locator("#bars button")).to_have_count(5)
    expect(page.locator("#cam")).to_be_visible()
    expect(page.locator("#overview canvas")).to_have_count(10)
    expect(page.locator("#overview")).to_be_visible()


SENTENCES = [(tier, opening) for tier, openings in _OPENINGS.items() for opening in dict.fromkeys(openings)]


@pytest.mark.parametrize(("tier", "opening"), SENTENCES)
def test_the_doubt_is_marked_and_the_claim_is_not_with_scripts_and_without(
    visit: Visit, tier: str, opening: str
) -> None:
    text = opening.format(phrase="a man riding a bike")
    doubt = text.partition(". ")[0] + "." if tier == "pass" else text.removesuffix(" it's a man riding a bike.")
    assert doubt != text
    marked = visit().evaluate(
        """async (caption) => {
      const { sentence } = await import(new URL("static/js/answer.js", location.href));
      const node = document.createElement("p");
      node.append(...sentence(caption));
      return node.innerHTML;
    }""",
        {"text": text, "tier": tier},
    )
    assert marked == f"<mark>{doubt}</mark>{text.removeprefix(doubt)}".replace("'", "’")
    macros: Any = templates().get_template("answer_text.html").module
    assert " ".join(str(macros.sentence({"text": text, "tier": tier})).split()) == marked


def test_what_is_added_with_a_maybe_counts_apart_with_scripts_and_without(visit: Visit) -> None:
    def claim(node: str, probability: float) -> dict[str, Any]:
        return {"node": node, "phrase": node, "probability": probability, "combination": "sum", "members": []}

    said = {
        "tier": "sure",
        "confidence": 0.95,
        "threshold": 0.92,
        "right_times_in_ten": 9,
        "claims": [claim("dog", 0.95)],
        "additions": [claim("brown", 0.8), claim("running", 0.9)],
    }
    line, right = visit().evaluate(
        """async (caption) => {
      const { reliability } = await import(new URL("static/js/answer.js", location.href));
      const { derivation } = await import(new URL("static/js/derivation.js", location.href));
      const node = document.createElement("p");
      node.append(...derivation(caption, () => {}));
      return [node.textContent, reliability(caption)];
    }""",
        said,
    )
    assert line.endswith("I say it like this from 92% on. The “maybe” counts apart: brown 80% × running 90%.")
    assert right.endswith("I’m right about 9 times in 10 when I put it like this, the “maybe” left out.")
    macros: Any = templates().get_template("answer_text.html").module
    assert line in " ".join(str(macros.derivation(said)).replace("<b>", "").replace("</b>", "").split())
    assert right in " ".join(str(macros.reliability(said)).split())


def test_the_map_lies_on_the_square_that_the_network_saw(visit: Visit) -> None:
    page = visit()
    upload(page)  # 451 x 300: the square is 300 wide and begins at 75
    photo, cam = page.locator("#photo").bounding_box(), page.locator("#cam").bounding_box()
    assert photo is not None
    assert cam is not None
    assert cam["width"] == pytest.approx(cam["height"], abs=2)
    assert cam["x"] - photo["x"] == pytest.approx(photo["width"] * 75 / 451, abs=2)


def test_another_bar_or_word_shows_another_map(visit: Visit) -> None:
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


def test_of_a_picture_that_the_browser_cannot_draw_the_square_is_shown(visit: Visit, tmp_path: Path) -> None:
    Image.open(CAT).save(tmp_path / "cat.tiff")
    page = visit()
    upload(page, tmp_path / "cat.tiff")
    expect(page.locator("#undrawn")).to_contain_text("the square that Glassbot looked at")
    expect(page.locator("#bars button")).to_have_count(5)
    size = "img => [img.naturalWidth, img.naturalHeight, img.hidden]"
    assert page.locator("#photo img").evaluate(size) == [227, 227, False]
    photo, cam = page.locator("#photo").bounding_box(), page.locator("#cam").bounding_box()
    assert photo == pytest.approx(cam, abs=1)
    words = page.locator("#undrawn").bounding_box()
    assert photo is not None
    assert words is not None
    assert words["y"] >= photo["y"] + photo["height"]  # below the square, not on it


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_what_a_label_means_is_never_cut_off(visit: Visit, width: int) -> None:
    page = visit(at="/#sample=desk", viewport={"width": width, "height": 900})
    answered(page)
    cut = page.locator("#bars .name").evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth).length"
    )
    assert cut == 0


def test_without_scripts_it_is_a_plain_form(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    page.set_input_files("#plain", CAT)
    page.get_by_role("button", name="Describe it").click()
    expect(page.locator("h1.sentence mark")).not_to_be_empty()
    expect(page.locator(".bars .row")).to_have_count(5)
    expect(page.get_by_alt_text("The square of your photo")).to_be_visible()
    page.set_input_files("#plain", NOTES)
    page.get_by_role("button", name="Describe it").click()
    expect(page.get_by_role("alert")).to_contain_text("JPEG")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_axe_finds_nothing(visit: Visit, scheme: Scheme, width: int) -> None:
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 844})
    assert Axe().run(page).response["violations"] == []
    upload(page)
    page.get_by_text("About this map").click()
    for layer in ("all", "conv1", "conv5", "fc6"):
        page.locator(f"#layer-picker [value={layer}]").check()
        assert Axe().run(page).response["violations"] == [], layer


def test_a_phone_scrolls_only_down(visit: Visit, tmp_path: Path) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= 390
    Image.new("RGB", (300, 500), "teal").save(tmp_path / "tall.png")
    for photo in (CAT, tmp_path / "tall.png"):
        upload(page, photo)
        for layer in ("all", "conv5", "fc7"):
            page.locator(f"#layer-picker [value={layer}]").check()
            assert page.evaluate(wide) <= 390


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_that_is_seen_moves_when_the_answer_comes(visit: Visit, width: int) -> None:
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
    drawn(page)  # else the shift of that itself is told later
    page.evaluate("window.moved = 0")
    page.wait_for_selector("#layers-body:not(.working)")
    page.wait_for_timeout(200)
    assert page.evaluate("window.moved") < 0.02
