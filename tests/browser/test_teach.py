"""Teaching the network things of one's own, in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from model.checkpoint import PRETRAINED
from tests.browser.conftest import CAT, NOTES, PATIENCE, SAMPLES, Visit, until
from tests.browser.teaching import CUP, answer_with_numbers, card, give, learned, opened, photos_of, taught
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser


def tried(page: Page, photo: Path) -> str:
    """What it says of a photo now."""
    page.set_input_files("#try-file", photo)
    expect(page.locator("#tried .acts")).to_be_visible()
    return page.locator("#tried .sentence").inner_text()


def test_ten_photos_become_an_answer(visit: Visit, tmp_path: Path, network: Path) -> None:
    page = taught(visit, tmp_path)
    expect(page.locator("#learned-body")).to_contain_text("It learned 2 names from 16 photos.")
    expect(page.locator("#learned-body")).to_contain_text("photos of other things")
    expect(card(page, "my cup").locator(".thumbs li")).to_have_count(10)
    said = tried(page, photos_of(CUP, 11, tmp_path / "new")[10])
    expect(page.locator("#tried .row .name").first).to_have_text("my cup")
    if network == PRETRAINED:
        assert said.endswith("it’s my cup.")


def test_with_one_photo_more_it_is_learned_and_until_then_it_says_how_many_are_missing(
    visit: Visit, tmp_path: Path
) -> None:
    page = opened(visit)
    expect(page.locator("#learned")).to_be_hidden()
    photos = photos_of(CUP, 3, tmp_path)
    give(page, "my cup", photos[:2])
    expect(card(page, "my cup")).to_contain_text("1 more photo, and it is learned.")
    expect(page.locator("#learned-body")).to_contain_text("Nothing is learned yet")
    with page.expect_file_chooser() as chooser:
        card(page, "my cup").get_by_role("button", name="Add photos to “my cup”").click()
    chooser.value.set_files(photos[2])
    learned(page, "my cup", 3)


def test_another_tab_sees_it_and_a_reload_keeps_it(visit: Visit, tmp_path: Path, server: str) -> None:
    page = opened(visit)
    other = page.context.new_page()
    other.set_default_timeout(1000 * PATIENCE)
    other.goto(f"{server}/teach")
    other.wait_for_selector("html[data-ready]")
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    learned(other, "my cup", 3)
    expect(card(other, "my cup").locator(".thumbs img")).to_have_count(3)
    other.get_by_role("button", name="Remove photo 1 of “my cup”").click()
    expect(card(page, "my cup")).to_contain_text("1 more photo")
    other.get_by_role("button", name="Undo").click()
    learned(page, "my cup", 3)
    page.reload()
    learned(page, "my cup", 3)
    expect(card(page, "my cup").locator(".thumbs img")).to_have_count(3)


def test_a_bad_file_is_named_and_the_others_are_kept(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    notes = tmp_path / "notes.txt"
    notes.write_bytes(NOTES["buffer"])
    give(page, "my cup", [*photos_of(CUP, 3, tmp_path), notes])
    refused = page.locator("#refused li")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("notes.txt: ")
    expect(refused).to_contain_text("JPEG")
    learned(page, "my cup", 3)


def test_the_same_photo_under_two_names_is_refused(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    photos = photos_of(CUP, 3, tmp_path)
    give(page, "my cup", photos)
    give(page, "my other cup", photos[:1])
    expect(page.locator("#refused li")).to_contain_text("already among those of “my cup”")
    expect(page.locator(".thing")).to_have_count(2)  # the second is that of other things
    page.fill("#name", " MY  cup ")
    page.set_input_files("#files", photos[0])
    expect(page.locator("#refused li")).to_contain_text("The same photo is there already.")


def test_no_more_photos_than_a_name_holds(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    page.route("**/embed", answer_with_numbers)
    page.route("**/teach", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    give(page, "my cup", photos_of(CUP, 52, tmp_path))
    expect(page.locator("#refused li")).to_contain_text("2 further photos: A name holds at most 50 photos.")
    expect(card(page, "my cup")).to_contain_text("It holds as many photos as it can.")
    expect(page.locator("#learned-body")).to_contain_text("That could not be learned.")
    expect(page.locator("#learned-body").get_by_role("button", name="Try again")).to_be_visible()


def test_photos_wait_for_their_name(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    page.set_input_files("#files", photos_of(CUP, 3, tmp_path))
    expect(page.locator("#new-note")).to_contain_text("3 photos wait for a name")
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("my cup")
    page.keyboard.press("Enter")
    learned(page, "my cup", 3)


def test_looking_can_be_stopped(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    held: list[Route] = []
    page.route("**/embed", lambda route: held.append(route))
    page.fill("#name", "my cup")
    page.set_input_files("#files", photos_of(CUP, 5, tmp_path))
    until(page, lambda: len(held) == 3)
    expect(page.locator("#going-note")).to_have_text("Looking at photo 1 of 5…")
    held[0].continue_()
    expect(page.locator("#going-note")).to_have_text("Looking at photo 2 of 5…")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#said")).to_contain_text("Stopped.")
    expect(card(page, "my cup")).to_contain_text("2 more photos")


def test_a_thing_is_renamed_removed_and_brought_back(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    give(page, "Mimi", photos_of(CAT, 3, tmp_path))
    page.get_by_role("button", name="Rename “my cup”").click()
    page.get_by_label("New name").fill("mimi")
    page.keyboard.press("Enter")
    expect(card(page, "my cup").get_by_role("alert")).to_have_text("There is “Mimi” already.")
    page.get_by_label("New name").fill("the red cup")
    page.keyboard.press("Enter")
    learned(page, "the red cup", 3)
    expect(page.locator(".thing h3").first).to_have_text("the red cup")
    page.get_by_role("button", name="Remove “the red cup” and its photos").click()
    expect(card(page, "the red cup")).to_have_count(0)
    expect(page.locator("#learned-body")).to_contain_text("It learned 1 name from 3 photos.")
    page.get_by_role("button", name="Undo").click()
    learned(page, "the red cup", 3)
    expect(page.locator(".thing h3").first).to_have_text("the red cup")


def test_photos_of_other_things_have_a_card_of_their_own(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add photos to the photos of other things").click()
    chooser.value.set_files([CAT, SAMPLES / "lake.webp"])
    expect(card(page, "").locator(".thumbs li")).to_have_count(2)
    expect(page.locator("#said")).to_contain_text("added to the photos of other things")


def test_what_was_shown_before_can_be_chosen(visit: Visit, server: str) -> None:
    page = visit(at="/#sample=coffee")
    expect(page.locator("#history li")).to_have_count(1)
    page.goto(f"{server}/teach")
    page.get_by_role("button", name="From what you showed it").click()
    page.locator("#past-list button").click()
    page.get_by_role("button", name="Add 1 photo").click()
    page.fill("#name", "my cup")
    page.keyboard.press("Enter")
    expect(card(page, "my cup")).to_contain_text("2 more photos")


def test_where_nothing_may_be_kept_it_works_for_the_visit(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    page.context.add_init_script("indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); }")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    learned(page, "my cup", 3)
    expect(page.locator("#not-kept")).to_be_visible()


def test_with_another_network_the_photos_are_looked_at_again(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    learned(page, "my cup", 3)
    page.evaluate(
        """async () => {
      const store = await import(new URL("static/js/teach/store.js", location.href));
      await store.put(store.all().map((photo) => ({ ...photo, network: "0123456789ab" })));
      const own = JSON.parse(localStorage.getItem("glassbot-taught"));
      localStorage.setItem("glassbot-taught", JSON.stringify({ ...own, network: "0123456789ab" }));
    }"""
    )
    page.reload()
    expect(page.locator("#said")).to_contain_text("all photos are looked at again")
    learned(page, "my cup", 3)


def test_photos_that_only_another_network_looked_at_are_named_as_lost(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    learned(page, "my cup", 3)
    page.evaluate(
        """async () => {
      const store = await import(new URL("static/js/teach/store.js", location.href));
      const [first, ...others] = store.all();
      await store.put([{ ...first, network: "0123456789ab", file: null }]);
    }"""
    )
    expect(page.locator("#lost")).to_contain_text("Their files are not here, so they no longer count: give them again.")
    expect(page.locator("#learned-body")).to_contain_text("Nothing is learned yet")
    give(page, "my cup", tmp_path / "coffee-0.jpg")
    learned(page, "my cup", 3)
    expect(page.locator("#lost")).to_be_hidden()


def test_what_is_dropped_goes_where_it_was_dropped(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    learned(page, "my cup", 3)
    drop = """async ([selector, sample]) => {
      const answer = await fetch(new URL(`static/samples/${sample}`, location.href));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([await answer.blob()], sample));
      const target = document.querySelector(selector);
      target.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, ['[data-name="my cup"] h3', "coffee.webp"])
    learned(page, "my cup", 4)
    page.evaluate(drop, ['[data-name=""]', "lake.webp"])
    expect(card(page, "").locator(".thumbs li")).to_have_count(1)
    page.evaluate(drop, ["#try h2", "chelsea.webp"])
    expect(page.locator("#tried .acts")).to_be_visible()
    page.fill("#name", "Mimi")
    page.evaluate(drop, ["#new", "chelsea.webp"])
    expect(card(page, "Mimi").locator(".thumbs li")).to_have_count(1)


def test_by_keyboard_alone(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    page.on("filechooser", lambda _: None)
    tab_to(page, "#name")
    page.keyboard.type("my cup")
    tab_to(page, "#pick")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photos_of(CUP, 4, tmp_path))
    learned(page, "my cup", 4)
    expect(card(page, "my cup").locator(".thumbs img")).to_have_count(4)
    tab_to(page, ".thumbs button")
    page.keyboard.press("Enter")
    expect(card(page, "my cup").locator(".thumbs li")).to_have_count(3)
    assert page.evaluate("document.activeElement.matches('.thumbs button')")
    tab_to(page, "[aria-label='Rename “my cup”']")
    page.keyboard.press("Enter")
    page.keyboard.type("cup")
    page.keyboard.press("Enter")
    expect(card(page, "cup").locator("h3")).to_be_focused()
    tab_to(page, "#try-pick")
    tab_to(page, "#forget")
    page.keyboard.press("Enter")
    expect(page.locator("#sure-no")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#things")).to_be_hidden()
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#kept")).to_have_text("Everything is forgotten.")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (820, "dark"), (320, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    visit: Visit, tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    page = opened(visit, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert Axe().run(page).response["violations"] == []
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    give(
        page,
        "a name that is as long as names of one word without any space can be: " + "x" * 25,
        [CAT, tmp_path / "coffee-0.jpg"],
    )
    learned(page, "my cup", 3)
    tried(page, CAT)
    page.get_by_role("button", name="Rename “my cup”").click()
    page.get_by_role("button", name="Forget everything").first.click()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_it_says_that_it_needs_them(visit: Visit) -> None:
    page = visit(at="/teach", java_script_enabled=False)
    expect(page.locator("noscript .problem")).to_contain_text("Teaching needs scripts")
    expect(page.get_by_text("What it can and cannot learn")).to_be_visible()
    expect(page.locator("#new")).to_be_hidden()
