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

from tests.browser.conftest import (
    CAT,
    NOTES,
    PATIENCE,
    SAMPLES,
    Visit,
    another_photo,
    answered,
    kept,
    one_is_kept,
    until,
    upload,
)

pytestmark = pytest.mark.browser


def judge(page: Page, verdict: str) -> None:
    page.locator("#verdict").get_by_role("radio", name=verdict, exact=True).check()


def test_the_numbers_are_saved_as_the_service_said_them(visit: Visit, server: str) -> None:
    page = visit()
    photo = SAMPLES / "coffee.webp"  # its sentence claims a label, whose map is shown
    upload(page, photo)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save JSON").click()
    assert saved.value.suggested_filename == "glassbot-coffee.json"
    numbers = json.loads(Path(saved.value.path()).read_text("utf-8"))
    explained = numbers.pop("map")
    assert page.locator("#bars [aria-pressed=true] .name").inner_text().startswith(explained["label"])
    assert (len(explained["map"]), explained["method"]) == (13, "gradcam")
    kind = {"Content-Type": "image/webp"}
    said = httpx.post(f"{server}/predict", content=photo.read_bytes(), headers=kind, timeout=PATIENCE).json()
    assert {key: numbers[key] for key in ("image", "caption", "labels", "words", "model")} == {
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


def test_what_was_shown_can_be_looked_at_again(visit: Visit, server: str) -> None:
    page = visit(at="/#sample=coffee")
    answered(page)
    upload(page, CAT)
    with another_photo(page):
        page.locator("#history").get_by_role("link").click()
        page.wait_for_function("() => location.hash === '#sample=coffee'")
    with another_photo(page):
        page.locator("#history").get_by_role("button").first.click()  # the cat, which this visit still holds
        page.wait_for_function("() => location.hash === ''")
    assert page.evaluate("document.querySelector('#photo img').naturalWidth") == 451
    page.reload()
    answered(page)
    page.goto("about:blank")
    page.goto(server)  # another visit
    expect(page.locator("#history li")).to_have_count(2)
    expect(page.locator("#start")).to_be_visible()
    page.locator("#history-list").get_by_role("button").click()
    answered(page)
    assert page.evaluate("document.querySelector('#photo img').naturalWidth") == 451


def test_the_history_leaves_alone_what_has_not_changed(visit: Visit) -> None:
    page = visit()
    upload(page, CAT)
    first = page.locator("#history-list").get_by_role("button").element_handle()
    upload(page, SAMPLES / "rocket.webp")
    page.get_by_role("radio", name="sort of").check()
    expect(page.locator("#history li")).to_have_count(2)
    expect(page.locator("#history li").first).to_contain_text("sort of", ignore_case=True)
    assert first.evaluate("one => one.isConnected")


def test_who_opts_out_or_forgets_has_no_photo_kept(visit: Visit) -> None:
    page = visit()
    upload(page)
    one_is_kept(page)
    page.get_by_role("checkbox", name="Keep the photos").uncheck()
    until(page, lambda: kept(page) == [])
    assert Axe().run(page).response["violations"] == []
    upload(page, SAMPLES / "rocket.webp")
    with another_photo(page):
        page.go_back()  # this visit has it still
    assert kept(page) == []
    page.reload()
    expect(page.locator("#start-p")).to_have_text("This photo is no longer kept here: choose it again to see it.")
    expect(page.get_by_role("checkbox", name="Keep the photos")).not_to_be_checked()
    expect(page.locator("#history-list").get_by_role("button")).to_have_count(0)
    page.get_by_role("checkbox", name="Keep the photos").check()
    upload(page)
    one_is_kept(page)
    page.get_by_role("button", name="Forget all").click()
    until(page, lambda: kept(page) == [])
    expect(page.locator("#answer")).to_be_visible()  # what is shown stays


def test_the_browser_keeps_no_more_photos_than_it_says(visit: Visit) -> None:
    page = visit()
    take = """async ([count, bytes]) => {
      const photos = await import(new URL("static/js/photo-store.js", location));
      for (let i = 0; i < count; i++) {
        await photos.name(photos.take(new File([new Uint8Array(bytes)], "a.jpg")), `${bytes}-${i}`);
      }
    }"""
    page.evaluate(take, [26, 10])
    until(page, lambda: len(kept(page)) == 24)
    page.evaluate(take, [5, 30_000_000])
    until(page, lambda: sorted(kept(page)) == ["30000000-2", "30000000-3", "30000000-4"])


def test_a_browser_that_keeps_nothing_makes_no_noise(visit: Visit) -> None:
    page = visit(at="/livez")
    page.add_init_script("indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); };")
    page.goto(page.url.replace("/livez", "/"))
    upload(page, CAT)
    cat = page.locator("#photo img").get_attribute("src")
    upload(page, SAMPLES / "rocket.webp")
    page.go_back()
    page.wait_for_function("was => document.querySelector('#photo img').src !== was", arg=cat)
    answered(page)
    page.wait_for_function("() => document.querySelector('#photo img').naturalWidth === 451")
    page.reload()
    expect(page.locator("#start-p")).to_contain_text("no longer kept here")


def test_a_photo_that_is_none_is_not_kept(visit: Visit) -> None:
    page = visit()
    page.set_input_files("#file", NOTES)
    expect(page.locator("#start-p")).to_contain_text("notes.txt")
    until(page, lambda: kept(page) == [])


SHARING = """() => {
  navigator.canShare = ({ files }) => Boolean(files?.length);
  navigator.share = async ({ text, url, files }) => {
    const image = await createImageBitmap(files[0]);
    window.shared = { text, url, type: files[0].type, name: files[0].name, size: [image.width, image.height] };
  };
}"""


def test_an_answer_is_shared_as_a_picture_with_its_sentence_and_a_sample_with_its_link(visit: Visit) -> None:
    page = visit()
    page.evaluate(SHARING)
    upload(page)
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#copied")).to_have_text(
        "Links can’t include your own photo: save the picture to send it along."
    )
    shared = page.evaluate("window.shared")
    assert shared["text"] == page.locator("#sentence").inner_text().replace("\n", " ")
    assert (shared["type"], shared["name"]) == ("image/png", "glassbot-chelsea.png")
    assert min(shared["size"]) > 300
    assert shared["url"] is None
    page = visit(at="/#sample=coffee&layer=conv2")
    answered(page)
    page.evaluate(SHARING)
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("() => window.shared")
    link = page.evaluate("window.shared.url")
    assert link == page.url
    page = visit(at=link[link.index("/#") :])
    answered(page)
    expect(page.get_by_role("radio", name="conv2")).to_be_checked()


def test_where_nothing_can_be_shared_the_sentence_is_copied(visit: Visit) -> None:
    page = visit(at="/#sample=coffee", permissions=["clipboard-read", "clipboard-write"])
    answered(page)
    page.evaluate("Object.defineProperty(navigator, 'share', { value: undefined, writable: true })")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#copied")).to_have_text("Copied: paste it where you want it.")
    sentence, link = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert sentence == page.locator("#sentence").inner_text().replace("\n", " ")
    assert link == page.url
    page.evaluate("() => { navigator.share = async () => { throw new DOMException('no', 'AbortError'); }; }")
    page.evaluate("document.querySelector('#copied').textContent = ''")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#copied")).to_be_empty()  # who thought better of it is told nothing


VOICE = """
window.said = [];
const voice = Object.assign(new EventTarget(), {
  speaking: false, pending: false, getVoices: () => [{}],
  speak(utterance) { this.speaking = true; window.said.push(utterance.text); window.now = utterance; },
  cancel() { this.speaking = false; },
});
Object.defineProperty(window, "speechSynthesis", { value: voice });
"""


def test_the_sentence_is_read_aloud_until_the_photo_is_left(visit: Visit) -> None:
    page = visit(at="/livez")
    page.add_init_script(VOICE)
    page.goto(page.url.replace("/livez", "/#sample=coffee"))
    answered(page)
    page.get_by_role("button", name="Read aloud").click()
    assert page.evaluate("window.said") == [page.locator("#sentence").inner_text().replace("\n", " ")]
    page.evaluate("window.speechSynthesis.speaking = false; window.now.onend()")
    page.get_by_role("button", name="Read aloud").click()
    expect(page.get_by_role("button", name="Stop reading")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    upload(page)
    expect(page.get_by_role("button", name="Read aloud")).to_be_visible()
    assert page.evaluate("window.speechSynthesis.speaking") is False


def test_a_browser_without_a_voice_offers_none(visit: Visit) -> None:
    page = visit(at="/livez")
    page.add_init_script("delete window.speechSynthesis; delete Window.prototype.speechSynthesis;")
    page.goto(page.url.replace("/livez", "/#sample=coffee"))
    answered(page)
    expect(page.locator("#aloud")).to_be_hidden()


def test_what_somebody_else_left_in_the_browser_breaks_nothing(visit: Visit) -> None:
    page = visit()
    for left in ("{", "7", '[null, {"id": 1}, {"text": "x"}]'):
        page.evaluate("left => localStorage.setItem('glassbot-past', left)", left)
        page.reload()
        expect(page.locator("#history")).to_be_hidden()
    upload(page)
    expect(page.locator("#history li")).to_have_count(1)
