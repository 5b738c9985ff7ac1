"""Every way to hand the page a photo: choose, drop, paste, sample, camera; and what is no photo."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import JSHandle, Page, expect

from tests.browser.conftest import CAT, Visit, upload

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def carried(page: Page, samples: str = "") -> JSHandle:
    """What a drag or the clipboard carries: the files of samples, or a line of text."""
    return page.evaluate_handle(
        """async (names) => {
      const data = new DataTransfer();
      if (!names) data.setData("text/plain", "Buy milk.");
      else for (const name of names.split(" ")) {
        const blob = await (await fetch(`static/samples/${name}`)).blob();
        data.items.add(new File([blob], name, { type: blob.type }));
      }
      return data;
    }""",
        samples,
    )


def drag(page: Page, event: str, data: JSHandle, onto: str = "#choose") -> None:
    page.dispatch_event(onto, event, {"dataTransfer": data})


def paste(page: Page, data: JSHandle) -> None:
    page.evaluate(
        """(data) => document.body.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))""",
        data,
    )


def source(page: Page) -> str | None:
    return page.locator("#photo img").get_attribute("src")


def expect_another_answer(page: Page, than: str | None = None) -> None:
    page.wait_for_function("was => document.querySelector('#photo img').src !== (was ?? '')", arg=than)
    page.wait_for_selector("#answer:not(.working):not(.trouble) #bars button")
    page.wait_for_selector("#cam[data-label]:not([hidden])")


def test_a_sample_is_answered(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Espresso").click()
    expect_another_answer(page)


def test_a_dropped_file_is_answered_and_so_is_one_dropped_on_the_answer(visit: Visit) -> None:
    page = visit()
    drag(page, "drop", carried(page, "rocket.webp"))
    expect_another_answer(page)
    first = source(page)
    drag(page, "drop", carried(page, "coffee.webp"), "#photo")
    expect_another_answer(page, first)


def test_of_several_files_the_first_is_answered_and_that_is_said(visit: Visit) -> None:
    page = visit()
    drag(page, "drop", carried(page, "rocket.webp coffee.webp camera.webp"))
    expect_another_answer(page)
    expect(page.locator("#first-of")).to_have_text("Of these 3 files only the first one is used.")
    first = source(page)
    paste(page, carried(page, "coffee.webp"))
    expect_another_answer(page, first)
    expect(page.locator("#first-of")).to_be_empty()


def test_the_empty_state_shows_that_it_takes_what_is_dragged_over_it(visit: Visit) -> None:
    page = visit()
    box, data = page.locator("#choose"), carried(page, "rocket.webp")
    at_rest = box.evaluate("node => getComputedStyle(node).backgroundColor")
    drag(page, "dragenter", data)
    expect(box).not_to_have_css("background-color", at_rest)
    drag(page, "dragenter", data, "#start-h")  # into a child, then out of the box: still over the page
    drag(page, "dragleave", data)
    expect(page.locator("body.over")).to_be_visible()
    drag(page, "dragleave", data, "#start-h")
    expect(box).to_have_css("background-color", at_rest)
    drag(page, "dragenter", data)
    drag(page, "drop", data)
    expect(page.locator("body.over")).to_have_count(0)
    expect_another_answer(page)


def test_the_photo_shows_it_where_the_answer_stands(visit: Visit) -> None:
    page = visit()
    upload(page)
    drag(page, "dragenter", carried(page, "rocket.webp"), "#photo")
    expect(page.locator("#photo")).to_have_css("outline-style", "solid")
    drag(page, "dragleave", carried(page, "rocket.webp"), "#photo")
    expect(page.locator("#photo")).to_have_css("outline-style", "none")


def test_text_that_is_dropped_gets_a_sentence(visit: Visit) -> None:
    page = visit()
    text = carried(page)
    drag(page, "dragenter", text)
    expect(page.locator("body.over")).to_have_count(0)
    drag(page, "drop", text)
    expect(page.locator("#start-h")).to_have_text("There was no photo in that.")
    upload(page)
    expect(page.locator("#start")).to_be_hidden()


def test_text_that_is_dropped_or_pasted_costs_nobody_the_answer(visit: Visit) -> None:
    page = visit()
    upload(page)
    said, photo = page.locator("#sentence").inner_text(), source(page)
    drag(page, "drop", carried(page), "#answer")
    paste(page, carried(page))
    expect(page.locator("#start")).to_be_hidden()
    expect(page.locator("#sentence")).to_have_text(said)
    assert source(page) == photo


def test_a_pasted_photo_is_answered_before_the_first_answer_and_after_it(visit: Visit) -> None:
    page = visit()
    paste(page, carried(page, "rocket.webp"))
    expect_another_answer(page)
    first = source(page)
    paste(page, carried(page, "coffee.webp"))
    expect_another_answer(page, first)


def test_a_finger_is_offered_the_camera_and_a_mouse_is_not(visit: Visit) -> None:
    page = visit(**PHONE)
    expect(page.get_by_text("take one now")).to_be_visible()
    expect(page.get_by_text("Drop one here")).to_be_hidden()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take a photo").tap()
    asked = chooser.value.element
    assert asked.get_attribute("capture") == "environment"
    assert asked.get_attribute("accept") == "image/*"
    chooser.value.set_files(CAT)
    expect_another_answer(page)
    expect(visit().get_by_role("button", name="Take a photo")).to_be_hidden()


def test_the_same_file_can_be_chosen_twice(visit: Visit) -> None:
    page = visit()
    upload(page)
    first = source(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Another photo").click()
    chooser.value.set_files(CAT)
    expect_another_answer(page, first)


def test_a_file_that_went_away_is_not_blamed_on_the_server(visit: Visit, tmp_path: Path) -> None:
    gone = Path(shutil.copy(CAT, tmp_path / "gone.webp"))
    page = visit()
    page.route("**/predict", lambda route: route.abort())
    page.set_input_files("#file", gone)
    expect(page.locator("#sentence")).to_contain_text("does not answer")
    gone.unlink()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#start-h")).to_have_text("The file cannot be read.")
    expect(page.locator("#start-p")).to_contain_text("gone.webp")
