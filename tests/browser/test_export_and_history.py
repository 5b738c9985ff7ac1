"""What can be taken away from an answer, and what this browser keeps: nothing of it goes anywhere."""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Page, expect

from tests.browser.conftest import CAT, SAMPLES, Visit, answered, upload

pytestmark = pytest.mark.browser


def judge(page: Page, verdict: str) -> None:
    page.locator("#verdict").get_by_role("radio", name=verdict, exact=True).check(force=True)


def test_the_numbers_are_saved_as_the_service_said_them(visit: Visit, server: str) -> None:
    page = visit()
    upload(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save JSON").click()
    assert saved.value.suggested_filename == "glassbot-chelsea.json"
    kept = json.loads(Path(saved.value.path()).read_text("utf-8"))
    said = httpx.post(f"{server}/predict", content=CAT.read_bytes(), headers={"Content-Type": "image/webp"}).json()
    assert {key: kept[key] for key in ("image", "caption", "labels", "words", "model")} == {
        key: said[key] for key in ("image", "caption", "labels", "words", "model")
    }


def saved_picture(page: Page) -> Image.Image:
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save picture").click()
    assert saved.value.suggested_filename.endswith(".jpg")
    return Image.open(io.BytesIO(Path(saved.value.path()).read_bytes())).convert("RGB")


def test_the_annotated_picture_holds_photo_map_and_words(visit: Visit) -> None:
    page = visit()
    upload(page, SAMPLES / "rocket.webp")
    photo = Image.open(SAMPLES / "rocket.webp").convert("RGB")
    with_map = saved_picture(page)
    assert with_map.width == max(720, photo.width)
    assert with_map.height > photo.height + 200  # words below
    left = (with_map.width - photo.width) // 2
    shown = with_map.crop((left, 0, left + photo.width, photo.height))
    page.locator("#opacity").fill("0")
    without = saved_picture(page).crop((left, 0, left + photo.width, photo.height))

    def apart(a: Image.Image, b: Image.Image) -> float:
        return sum(ImageStat.Stat(ImageChops.difference(a, b)).mean) / 3

    assert apart(without, photo) < 6  # crop marks, and what JPEG loses
    assert apart(shown, photo) > 2 * apart(without, photo)
    words = with_map.crop((0, photo.height + 10, with_map.width, with_map.height)).convert("L")
    assert ImageStat.Stat(words).stddev[0] > 20


def test_a_picture_that_the_browser_cannot_draw_is_saved_as_its_square(visit: Visit, tmp_path: Path) -> None:
    Image.open(CAT).save(tmp_path / "cat.tiff")
    page = visit()
    upload(page, tmp_path / "cat.tiff")
    picture = saved_picture(page)
    assert picture.width == 720
    assert len(picture.crop((250, 5, 470, 220)).getcolors(100_000) or range(100_000)) > 1000


def test_the_alt_text_is_copied(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    upload(page)
    page.get_by_role("button", name="Copy alt text").click()
    expect(page.locator("#copy")).to_have_text("Copied.")
    alt = page.evaluate("navigator.clipboard.readText()")
    assert page.locator("#photo img").get_attribute("alt") == f"The photo you chose. Glassbot’s alt text for it: {alt}"


def test_where_the_browser_will_not_copy_the_alt_text_is_shown(visit: Visit) -> None:
    page = visit()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as over plain HTTP
    upload(page)
    page.get_by_role("button", name="Copy alt text").click()
    expect(page.locator("#copied")).to_be_visible()
    expect(page.locator("#copied")).to_contain_text("The alt text is: ")
    box = page.locator("#copied").bounding_box()
    assert box is not None
    assert box["width"] > 100


def test_what_was_shown_and_said_of_it_stays_in_this_browser(visit: Visit) -> None:
    page = visit()
    expect(page.locator("#history")).to_be_hidden()
    upload(page, CAT)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    judge(page, "sort of")
    expect(page.locator("#history li")).to_have_count(1)
    expect(page.locator("#history li")).to_contain_text("You said: sort of")
    expect(page.locator("#tally")).to_have_text("By your count: 0 right, 1 sort of, 0 wrong.")
    assert [url for url in asked if not url.endswith("mark.svg")] == []
    page.goto(page.url.split("#")[0] + "#sample=coffee")
    page.reload()
    answered(page)
    judge(page, "wrong")
    expect(page.locator("#history li")).to_have_count(2)
    expect(page.locator("#tally")).to_have_text("By your count: 0 right, 1 sort of, 1 wrong.")
    upload(page, CAT)  # the same photo is the same entry, and its verdict is remembered
    expect(page.locator("#history li")).to_have_count(2)
    expect(page.locator("#verdict :checked")).to_have_value("sort of")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Forget all").click()
    expect(page.locator("#history")).to_be_hidden()
    assert page.evaluate("localStorage.length") == 0


def test_what_was_shown_can_be_looked_at_again(visit: Visit) -> None:
    page = visit(at="/#sample=coffee")
    answered(page)
    upload(page, CAT)
    page.locator("#history").get_by_role("link").click()
    page.wait_for_function("location.hash === '#sample=coffee'")
    answered(page)
    page.locator("#history").get_by_role("button").first.click()  # the cat, which this visit still holds
    page.wait_for_function("location.hash === ''")
    answered(page)
    assert page.evaluate("document.querySelector('#photo img').naturalWidth") == 451
    page.reload()
    expect(page.locator("#history li")).to_have_count(2)
    expect(page.locator("#history").get_by_role("link")).to_have_count(1)
    expect(page.locator("#history-list").get_by_role("button")).to_have_count(0)


def test_what_somebody_else_left_in_the_browser_breaks_nothing(visit: Visit) -> None:
    page = visit()
    for left in ("{", "7", '[null, {"id": 1}, {"text": "x"}]'):
        page.evaluate("left => localStorage.setItem('glassbot-past', left)", left)
        page.reload()
        expect(page.locator("#history")).to_be_hidden()
    upload(page)
    expect(page.locator("#history li")).to_have_count(1)
