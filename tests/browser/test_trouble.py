"""What is no photo, and a server that is busy, slow, gone or dying: one clear sentence, and one way on."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from tests.app.server import Running, served
from tests.browser.conftest import (
    CAT,
    NOTES,
    PATIENT,
    Visit,
    another_photo,
    answered,
    drawn,
    one_is_kept,
    prefetched,
    stop_the_clock,
    until,
    upload,
)

pytestmark = pytest.mark.browser

LOOKING = re.compile("^Looking at it(; this takes longer than it should)?$")


def test_a_text_file_gets_one_clear_sentence_and_one_way_on(visit: Visit) -> None:
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
def test_a_server_in_trouble_keeps_the_photo(visit: Visit, fault: Any, words: str) -> None:
    page = visit()
    page.route("**/predict", fault)
    page.set_input_files("#file", CAT)
    expect(page.locator("#sentence")).to_contain_text(words)
    expect(page.locator("#photo img")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.unroute("**/predict")
    page.get_by_role("button", name="Try again").click()
    answered(page)


def test_a_slow_server_is_named_and_its_answer_still_comes(visit: Visit, network: Path, tmp_path: Path) -> None:
    with served(network, tmp_path / "log") as running:
        page = visit(address=running.address.rstrip("/"))
        prefetched(page)  # else the photo waits behind scripts that the server owes
        stop_the_clock(page)
        running.process.send_signal(signal.SIGSTOP)
        page.set_input_files("#file", CAT)
        expect(page.locator(".stages [aria-current]")).to_have_text("Looking at it")
        page.clock.run_for(6000)
        expect(page.locator(".stages [aria-current]")).to_contain_text("longer than it should")
        page.clock.resume()
        assert Axe().run(page).response["violations"] == []
        running.process.send_signal(signal.SIGCONT)
        answered(page)


def test_an_upload_that_gets_nowhere_is_said_to(visit: Visit) -> None:
    page = visit()
    prefetched(page)
    stop_the_clock(page)
    page.route("**/predict", lambda _: None)
    page.set_input_files("#file", CAT)
    expect(page.locator(".stages [aria-current]")).to_have_text("Sending it")
    page.clock.run_for(6000)
    expect(page.locator(".stages [aria-current]")).to_have_text("Sending it; this takes longer than it should")


def test_the_upload_tells_how_far_it_is(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    page.evaluate(
        """() => { window.said = new Set(); new MutationObserver(() => {
        const now = document.querySelector(".stages [aria-current]"); if (now) window.said.add(now.textContent);
        }).observe(document.querySelector("#answer"), { subtree: true, childList: true }); }"""
    )
    (tmp_path / "large.jpg").write_bytes(CAT.read_bytes() + bytes(12_000_000))
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 8_000_000},
    )
    page.set_input_files("#file", tmp_path / "large.jpg")
    answered(page)
    said = page.evaluate("[...window.said]")
    assert [one for one in said if one.startswith("Sending it, ")] != []
    assert LOOKING.fullmatch(said[-1])


def test_what_the_layers_saw_may_fail_alone(visit: Visit) -> None:
    page = visit()
    page.route("**/activations?*", lambda route: route.abort())
    page.set_input_files("#file", CAT)
    expect(page.locator("#layers-wait")).to_contain_text("did not arrive")
    page.wait_for_selector("#cam[data-label]:not([hidden])")  # the layer table says where its cells lie
    assert Axe().run(page).response["violations"] == []


@pytest.fixture
def mortal(network: Path, tmp_path: Path) -> Iterator[Running]:
    """A server that may be killed."""
    server = served(network, tmp_path / "log")
    yield server.__enter__()
    with suppress(AssertionError):  # it minds how it ended
        server.__exit__(None, None, None)


def test_a_server_that_dies_with_the_photo_in_its_hands_leaves_nobody_waiting(visit: Visit, mortal: Running) -> None:
    page = visit(address=mortal.address.rstrip("/"))
    upload(page)
    mortal.process.send_signal(signal.SIGSTOP)  # it takes the photo and says nothing
    page.set_input_files("#file", CAT)
    expect(page.locator(".stages [aria-current]")).to_have_text(LOOKING)
    mortal.process.kill()
    expect(page.locator("#sentence")).to_contain_text("does not answer")
    expect(page.locator("#photo img")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#tier")).to_contain_text("Your photo is still here.")


def test_a_photo_goes_over_the_wire_once(visit: Visit) -> None:
    page = visit()
    page.wait_for_selector("html[data-ready]")
    uploaded: list[str] = []
    page.on("request", lambda r: uploaded.append(r.url) if r.method == "POST" and "image=" not in r.url else None)
    upload(page)
    for i in (1, 2):
        page.locator("#bars button").nth(i).click()
        page.wait_for_selector(f"#cam[data-label='{page.locator('#bars button').nth(i).get_attribute('data-label')}']")
    one_is_kept(page)
    page.reload()
    answered(page)
    assert [url.split("/")[-1] for url in uploaded] == ["predict"]


def test_a_service_that_forgets_is_sent_the_photo_again_and_nobody_is_told(
    visit: Visit, network: Path, tmp_path: Path
) -> None:
    forgetful = {"GLASSBOT_CACHE_PICTURES": "0", "GLASSBOT_CACHE_OUTPUTS": "0", **PATIENT}
    with served(network, tmp_path / "log", **forgetful) as running:
        page = visit(address=running.address.rstrip("/"))
        upload(page)
        expect(page.locator("#layers-wait")).to_be_empty()
        page.locator("#bars button").nth(1).click()
        label = page.locator("#bars button").nth(1).get_attribute("data-label")
        page.wait_for_selector(f"#cam[data-label='{label}']")
        one_is_kept(page)
        page.reload()
        answered(page)
        expect(page.locator("#layers-wait")).to_be_empty()


def test_a_photo_that_was_forgotten_is_sent_again_once_for_all_who_ask(visit: Visit) -> None:
    page = visit()
    forgotten = {"type": "urn:glassbot:problem:unknown-image", "title": "Gone", "status": 404, "detail": "Gone."}
    seen: set[str] = set()
    told: list[str] = []
    held: list[Route] = []

    def forget_first(route: Route) -> None:
        path = route.request.url.split("?")[0]
        if path in seen:
            return route.fallback()
        seen.add(path)
        return route.fulfill(status=404, json=forgotten, content_type="application/problem+json")

    def hold_the_first(route: Route) -> None:
        if held or "image=" in route.request.url:
            return route.fallback()
        return held.append(route)

    page.route("**/*image=*", forget_first)
    page.route(re.compile(r"/(activations|explain)\?"), hold_the_first)
    page.on("requestfinished", lambda r: told.append(r.url) if "image=" in r.url else None)
    uploaded: list[str] = []
    page.on("request", lambda r: uploaded.append(r.url) if r.method == "POST" and "image=" not in r.url else None)
    with another_photo(page):
        page.set_input_files("#file", CAT)
        until(page, lambda: len(held) == 1 and len(told) == 2)  # who is told after that sends the photo once more
        drawn(page)
        held[0].continue_()
    assert len(seen) == 2
    assert len(uploaded) == 2  # with predict, and with whichever of activations and explain came first
