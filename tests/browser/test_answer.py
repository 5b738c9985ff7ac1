"""The answer agrees with itself, says how it came about, and keeps its shape at every width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, SAMPLES, Visit, upload

pytestmark = pytest.mark.browser


def predicted(page: Page, sample: str) -> Any:
    """What the service says of a sample."""
    photo = (SAMPLES / f"{sample}.webp").read_bytes()
    return httpx.post(page.url.split("#")[0] + "predict", content=photo, timeout=PATIENCE).json()


def test_the_map_that_is_shown_first_is_of_what_the_sentence_says(visit: Visit) -> None:
    page = visit()
    for name, summed in (("bridge", True), ("dunes", False)):  # a claim of many labels, and one of one
        with page.expect_request(lambda request: "/explain" in request.url) as asked:
            upload(page, SAMPLES / f"{name}.webp")
        answer = predicted(page, name)
        [claim] = answer["caption"]["claims"]
        assert (len(claim["members"]) > 1) is summed
        assert ("claim=0" in asked.value.url) is summed
        expect(page.locator("#map-note")).to_contain_text(f"“{claim['phrase' if summed else 'node']}”")
        pressed = page.locator("#answer [aria-pressed=true]")
        expect(pressed).to_have_attribute("data-label", claim["members"][0]["id"])
        assert pressed.evaluate("one => one.matches('.whole')") is summed


def test_the_sentence_shows_in_one_line_how_it_came_about(visit: Visit) -> None:
    page = visit()
    upload(page, SAMPLES / "bridge.webp")
    answer = predicted(page, "bridge")
    [claim] = answer["caption"]["claims"]
    line = page.locator("#derivation").inner_text()
    for member in claim["members"][:3]:
        assert f"{member['label']} {percent(member['score'])}" in line
    assert f"→ {claim['phrase']}, {percent(claim['probability'])}" in " ".join(line.split())
    for label in answer["labels"]:
        of_label = f"[data-label='{label['id']}'][data-vocabulary={label['vocabulary']}]"
        row = page.locator(f"#bars {of_label}")
        expect(row.locator(".pct")).to_have_text(percent(label["score"]))
    expect(page.locator("#bars h3")).to_have_text(["Things", "Places"])
    page.locator("#bars button").first.click()
    expect(page.locator(".whole")).to_have_attribute("aria-pressed", "false")
    page.locator(".whole").click()
    expect(page.locator(".whole")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#map-note")).to_contain_text(f"“{claim['phrase']}”")


def percent(share: float) -> str:
    return "<1%" if share < 0.005 else f"{int(100 * share + 0.5)}%"


def test_wrong_leads_to_where_one_can_say_what_it_is(visit: Visit) -> None:
    page = visit()
    upload(page)
    page.evaluate(
        """() => {
          document.addEventListener("glassbot:wrong", () => { window.heard = (window.heard ?? 0) + 1; });
        }"""
    )
    for verdict in ("sort of", "wrong"):
        page.locator("#verdict").get_by_role("radio", name=verdict, exact=True).check()
    assert page.evaluate("window.heard") == 1
    heights = page.locator("#verdict label").evaluate_all("all => all.map((one) => one.offsetHeight)")
    assert min(heights) >= 44


@pytest.mark.parametrize(("width", "height"), [(720, 450), (740, 360), (390, 844), (1440, 900)])
def test_the_photo_keeps_its_shape(visit: Visit, width: int, height: int, tmp_path: Path) -> None:
    page = visit(viewport={"width": width, "height": height})
    for name, size in (("wide", (600, 400)), ("tall", (400, 600))):
        Image.new("RGB", size, "teal").save(tmp_path / f"{name}.png")
        upload(page, tmp_path / f"{name}.png")
        box = page.locator("#photo").bounding_box()
        assert box is not None
        assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.01)
        assert box["height"] <= height
        assert box["width"] <= width


@pytest.mark.parametrize("width", [820, 390])
def test_on_a_phone_the_sentence_stands_under_the_photo(visit: Visit, width: int) -> None:
    page = visit(viewport={"width": width, "height": 844})
    upload(page)
    tops = [page.locator(one).bounding_box() for one in ("#photo", "#sentence", "#about-map", "#bars")]
    ys = [box["y"] for box in tops if box]
    assert ys == sorted(ys)
    assert len(ys) == 4


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_there_is_no_hole_in_the_answer(visit: Visit, width: int) -> None:
    page = visit(viewport={"width": width, "height": 900})
    upload(page)
    gaps = page.locator(".answer-text").evaluate(
        """text => [...text.querySelectorAll(":scope > *, .claim > *")].map((one) => one.getBoundingClientRect())
          .filter(({ height }) => height).sort((a, b) => a.top - b.top)
          .reduce(({ end, gaps }, { top, bottom }) => ({ end: Math.max(end, bottom), gaps: [...gaps, top - end] }),
                  { end: Infinity, gaps: [] }).gaps"""
    )
    assert max(gaps[1:]) <= 40


def test_the_first_view_is_a_worked_answer(visit: Visit) -> None:
    for scripts in (True, False):
        page = visit(java_script_enabled=scripts)
        expect(page.locator("h1.about")).to_contain_text("This is Glassbot: it describes your photo in one sentence")
        expect(page.locator(".worked .sentence mark")).not_to_be_empty()
        expect(page.locator(".worked .derivation")).to_contain_text("→")
        expect(page.locator(".worked .strip img")).to_have_count(5)
