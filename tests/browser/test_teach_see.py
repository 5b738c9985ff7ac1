"""What See makes of things that were taught: every question carries them, and corrections become photos of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import CAT, Visit, another_photo, answered, upload
from tests.browser.teaching import CUP, give, learned, opened, photos_of, taught

pytestmark = pytest.mark.browser

QUESTIONS = ("/predict", "/explain", "/activations", "/compare", "/connections", "/square", "/occlusion", "/cell")


def see(page: Page) -> None:
    page.goto(page.url.removesuffix("teach"))
    page.wait_for_selector("html[data-ready]")


def asked(page: Page) -> list[str]:
    """The addresses of all questions about photos from now on."""
    addresses: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and any(path in request.url for path in QUESTIONS):
            addresses.append(request.url)

    page.on("request", note)
    return addresses


def problem(status: int, slug: str) -> dict[str, object]:
    """What the service answers where something is wrong."""
    body = {"type": f"urn:glassbot:problem:{slug}", "title": "No", "status": status, "detail": "No.", "request_id": "x"}
    return {"status": status, "content_type": "application/problem+json", "body": json.dumps(body)}


def test_every_question_carries_what_was_taught_until_it_is_turned_off(visit: Visit, tmp_path: Path) -> None:
    page = taught(visit, tmp_path)
    see(page)
    addresses = asked(page)
    upload(page, photos_of(CUP, 11, tmp_path / "new")[10])
    notice = page.locator(".own")
    expect(notice).to_have_text("Using your own things: my cup, Mimi. Turn off · Change")
    own = page.locator("#bars > div", has_text="Your own things")
    expect(own).to_contain_text("None of your own things: ")
    own.get_by_role("button", name="my cup").click()
    page.wait_for_selector("#cam[data-label='my cup']:not([hidden])")
    expect(page.locator("#map-note")).to_contain_text("my cup")
    page.locator("#play-square").click()
    expect(page.locator(".live [data-part=about]")).to_contain_text("looked at first")
    assert len(addresses) >= 5
    assert [address for address in addresses if "taught=" not in address] == []
    page.locator("#play-square").click()  # and no longer
    page.get_by_role("button", name="Turn off").click()
    expect(notice).to_have_text("Your own things are not used here. Use them · Change")
    answered(page)
    expect(page.locator("#bars")).not_to_contain_text("Your own things")
    del addresses[:]
    page.locator("#bars button").nth(1).click()
    page.wait_for_function("() => document.querySelector('#cam').dataset.label !== 'my cup'")
    assert [address for address in addresses if "taught=" in address] == []
    page.get_by_role("button", name="Use them").click()
    expect(page.locator("#bars")).to_contain_text("Your own things")


def test_where_the_service_has_forgotten_it_is_taught_again(visit: Visit, tmp_path: Path) -> None:
    page = taught(visit, tmp_path)
    see(page)
    forgotten: list[str] = []

    def once(route: Route) -> None:
        if forgotten:
            return route.continue_()
        forgotten.append(route.request.url)
        return route.fulfill(**problem(404, "unknown-taught"))  # type: ignore[arg-type]

    page.route("**/predict?*", once)
    with page.expect_response("**/teach") as response:
        upload(page)
    assert response.value.status == 200
    expect(page.locator("#bars")).to_contain_text("Your own things")


def test_where_it_cannot_be_taught_again_the_answer_does_without(visit: Visit, tmp_path: Path) -> None:
    page = taught(visit, tmp_path)
    see(page)
    page.route("**/predict?*", lambda route: route.fulfill(**problem(404, "unknown-taught")))
    page.route("**/teach", lambda route: route.fulfill(**problem(409, "other-network")))
    upload(page)
    expect(page.locator("#bars")).not_to_contain_text("Your own things")
    expect(page.locator(".own")).to_have_text("Your own things are not used here. Change")


def test_a_wrong_answer_becomes_a_photo_of_the_right_name(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "Mimi", photos_of(CAT, 5, tmp_path))
    learned(page, "Mimi", 5)
    see(page)
    upload(page)
    page.locator("#verdict [value=wrong]").check()
    page.locator("#really-field").fill("mim")
    expect(page.get_by_role("option").first).to_contain_text("yours")
    page.keyboard.press("Enter")
    expect(page.locator(".adding")).to_contain_text("Added to Mimi: 6 photos.")
    expect(page.locator(".standing")).to_contain_text("“Mimi” is what it holds likeliest of its 1 names of your own")
    with another_photo(page):
        page.get_by_role("button", name="Look again").click()
    page.goto(page.url.split("#")[0] + "teach")
    learned(page, "Mimi", 6)


def test_a_name_that_nobody_knows_can_be_taught(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    upload(page, CUP)
    page.locator("#really").scroll_into_view_if_needed()
    page.locator("#really-field").fill("blue teapot")
    page.get_by_role("button", name="Teach it “blue teapot”").click()
    adding = page.locator(".adding")
    expect(adding).to_contain_text("“blue teapot” has 1 photo now. 2 more, and Glassbot answers with it")
    page.locator("#really-field").fill("blue t")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add this photo to “blue teapot”").click()
    expect(adding).to_contain_text("It was not added. The same photo is there already.")
    page.locator("#really-field").fill("blue tea")
    page.locator("#really-field").fill("brown teapot")
    page.get_by_role("button", name="Teach it “brown teapot”").click()
    expect(adding).to_contain_text("already among those of “blue teapot”")
    adding.get_by_role("link").click()
    page.wait_for_selector("html[data-ready] #new")
    page.set_input_files("#files", photos_of(CAT, 2, tmp_path))
    page.fill("#name", "blue teapot")
    page.keyboard.press("Enter")
    learned(page, "blue teapot", 3)


def test_lessons_are_about_the_network_as_it_was_trained(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "Mimi", photos_of(CAT, 3, tmp_path))
    learned(page, "Mimi", 3)
    addresses = asked(page)
    page.goto(page.url.removesuffix("teach") + "learn#depth")
    page.wait_for_selector("#depth learn-conv1 .size p:text('from the network')")
    assert addresses
    assert [address for address in addresses if "taught=" in address] == []


def test_who_taught_nothing_fetches_nothing_of_it(visit: Visit) -> None:
    page = visit()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    upload(page)
    assert [url for url in fetched if "/js/teach/" in url] == []
    expect(page.locator(".own")).to_have_count(0)
