"""The live lens, through Chromium's fake camera: a green dial that turns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from tests.app.server import served
from tests.browser.conftest import PATIENT, SAMPLES, Visit, answered, launch, until

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('#video').srcObject?.getTracks().some((track) => track.readyState === 'live') ?? false"
CAMERA: dict[str, Any] = {"permissions": ["camera"]}
SENT = """() => {
  [window.sent, window.taken] = [[], []];
  const { fetch } = window;
  const { toBlob } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.toBlob = function (...all) {
    window.taken.push(performance.now());
    toBlob.apply(this, all);
  };
  window.fetch = (url, options) => {
    if (url === "predict") window.sent.push(options.body);
    return fetch(url, options);
  };
}"""
FOOT_OF_FRAME = """async (back) => {
  const frame = window.sent.at(-back);
  if (!frame) return null;
  const sent = await createImageBitmap(frame);
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d");
  context.drawImage(sent, 0, sent.height - 9, sent.width, 9, 0, 0, 1, 1);
  const [red, , blue] = context.getImageData(0, 0, 1, 1).data;
  return [red, blue, sent.width / sent.height];
}"""
PORTRAIT = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 640 });
  const context = canvas.getContext("2d");
  setInterval(() => {
    const [pane, box] = ["#laid", "#video"].map((one) => document.querySelector(one).getBoundingClientRect());
    const foot = box.height ? (640 * (pane.top - box.top)) / box.height : 640;
    context.fillStyle = "#f00";
    context.fillRect(0, 0, 480, 640);
    context.fillStyle = "#00f";
    context.fillRect(0, foot, 480, 640);
  }, 30);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
}"""


MARKED = """() => {
  const [video, marks] = ["#video", "#view-marks"].map((one) => document.querySelector(one));
  const { width } = marks.querySelector("path").getBBox();
  return width + (28 / 5) * (video.videoWidth / video.clientWidth); // they lie a fifth of an arm of 14 inside
}"""
FRESH = """() => !document.querySelector("#lens.stale")
  && getComputedStyle(document.querySelector("#lens-sentence")).color"""
FROZEN = """() => {
  const image = document.querySelector("#photo img");
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, height - 9, width, 9, 0, 0, 1, 1);
  return [width, height, [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)];
}"""


@pytest.fixture(scope="module")
def chromium(driver: Playwright) -> Iterator[Browser]:
    """The name is mapped, so that a page over plain HTTP from somewhere else can be tried."""
    fakes = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = launch(driver, *fakes, "--host-resolver-rules=MAP glassbot.test 127.0.0.1")
    yield browser
    browser.close()


def live(visit: Visit, **options: Any) -> Page:
    page = visit(**CAMERA, **options)
    page.get_by_role("button", name="Live lens").click()
    expect(page.locator("#lens-bars li")).to_have_count(5)
    return page


def spans_of(page: Page) -> list[tuple[float, float]]:
    """When each frame was sent and answered, in milliseconds since the page was opened."""
    entries: list[tuple[float, float]] = page.evaluate(
        """performance.getEntriesByType("resource").filter((one) => one.name.endsWith("/predict"))
      .map((one) => [one.startTime, one.responseEnd])"""
    )
    return entries


def test_frames_are_answered_one_after_another_and_the_words_follow(visit: Visit) -> None:
    page = visit(**CAMERA)
    page.evaluate(SENT)
    page.get_by_role("button", name="Live lens").click()
    expect(page.locator("#lens-bars li")).to_have_count(5)
    expect(page.locator("#lens-sentence")).to_contain_text(".")
    expect(page.locator("#lens-rate")).to_contain_text("a second; this answer took")
    expect(page.locator("#start")).to_be_hidden()
    until(page, lambda: len(spans_of(page)) >= 4)
    spans = spans_of(page)
    began, ended = zip(*spans, strict=True)
    assert all(start >= end for start, end in zip(began[1:], ended[:-1], strict=True))  # one at a time
    taken = page.evaluate("window.taken")  # a frame takes its time until it is sent
    assert taken[-1] - taken[0] >= 200 * (len(taken) - 1) - 100  # no faster than anybody reads, give or take a frame
    sizes = page.evaluate("window.sent.map((frame) => frame.size)")
    assert 1000 < max(sizes) < 60_000
    video = page.locator("#video").evaluate("one => [one.videoWidth, one.videoHeight]")
    assert min(video) > 200


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_said_lies_over_the_video_and_the_network_reads_what_it_leaves_free(visit: Visit, width: int) -> None:
    page = visit(**CAMERA, viewport={"width": width, "height": 844})
    page.evaluate(SENT)
    page.evaluate(PORTRAIT)  # red where the video is free, blue below the pane
    page.get_by_role("button", name="Live lens").click()
    expect(page.locator("#lens-bars li")).to_have_count(5)
    # Once the words stand still, all that is sent is square and red.
    until(page, lambda: page.evaluate(FOOT_OF_FRAME, 1) == pytest.approx([255, 0, 1], abs=12))
    assert page.evaluate(FOOT_OF_FRAME, 1)[2] == 1
    pane, video = page.locator("#laid").bounding_box(), page.locator("#video").bounding_box()
    assert pane is not None
    assert video is not None
    assert video["y"] + 100 < pane["y"] < video["y"] + video["height"] - 50
    for said in ("#lens-sentence", "#lens-bars"):
        assert page.locator(f"#laid {said}").is_visible()


def test_the_lens_slows_down_with_the_server_and_waits_as_long_as_it_is_asked_to(visit: Visit) -> None:
    page = live(visit)

    def busy(route: Route) -> None:
        problem = {"type": "urn:glassbot:problem:overloaded", "title": "Too busy", "status": 503, "detail": "Soon."}
        kind = "application/problem+json"
        route.fulfill(status=503, body=json.dumps(problem), headers={"Retry-After": "2"}, content_type=kind)

    page.route("**/predict", busy)
    expect(page.locator("#lens-rate")).to_have_text("The server is busy: fewer pictures a second.")
    before = len(spans_of(page))
    until(page, lambda: len(spans_of(page)) >= before + 2)
    refused = [start for start, _ in spans_of(page)[before - 1 :]]
    assert all(b - a >= 2000 for a, b in pairwise(refused))
    page.unroute("**/predict")
    expect(page.locator("#lens-rate")).to_contain_text("this answer took")


def test_a_stale_answer_looks_stale_and_says_how_old_it_is(visit: Visit) -> None:
    page = live(visit)
    expect(page.locator("#lens-age")).to_be_empty()
    fresh = page.wait_for_function(FRESH).json_value()
    page.route("**/predict", lambda route: route.abort())
    expect(page.locator("#lens-rate")).to_contain_text("does not answer")
    expect(page.locator("#lens-age")).to_have_text(re.compile(r"Last updated \d+ s ago\."))
    assert page.locator("#lens-sentence").evaluate("one => getComputedStyle(one).color") != fresh
    assert Axe().run(page).response["violations"] == []
    page.unroute("**/predict")
    expect(page.locator("#lens-age")).to_be_empty()
    expect(page.locator("#lens-sentence")).to_have_css("color", fresh)


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_frozen_is_exactly_the_square_between_the_marks(visit: Visit, width: int) -> None:
    page = visit(**CAMERA, viewport={"width": width, "height": 844})
    page.evaluate(SENT)
    page.evaluate(PORTRAIT)  # red where the video is free, blue below the pane
    page.get_by_role("button", name="Live lens").click()
    expect(page.locator("#lens-bars li")).to_have_count(5)
    red = pytest.approx([255, 0, 1], abs=12)
    # Three times on end: the words stand, and the camera has followed the pane.
    until(page, lambda: all(page.evaluate(FOOT_OF_FRAME, back) == red for back in (1, 2, 3)))
    marked = page.evaluate(MARKED)
    page.get_by_role("button", name="Freeze this").click()
    answered(page)
    expect(page.locator("#lens")).to_be_hidden()
    assert not page.evaluate(LIVE)
    side, height, foot = page.evaluate(FROZEN)
    assert side == height == pytest.approx(marked, abs=4)
    assert foot == pytest.approx([255, 0, 0], abs=12)
    page.locator("#save-json").scroll_into_view_if_needed()
    with page.expect_download() as saved:
        page.locator("#save-json").click()
    image = json.loads(Path(saved.value.path()).read_text("utf-8"))["image"]
    assert image["crop"] == {"x": 0, "y": 0, "width": side, "height": side}  # the network sees all of it
    page.go_back()
    expect(page.locator("#lens")).to_be_visible()
    page.go_back()
    expect(page.locator("#start-h")).to_have_text("Show me a photo.")
    assert not page.evaluate(LIVE)


def test_stop_back_and_a_dropped_photo_all_let_go_of_the_camera(visit: Visit) -> None:
    page = live(visit)
    assert page.evaluate(LIVE)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#start-h")).to_be_focused()
    assert not page.evaluate(LIVE)
    page.get_by_role("button", name="Live lens").click()
    expect(page.locator("#lens-bars li:visible")).to_have_count(5)  # those of before are still there, hidden
    page.set_input_files("#file", SAMPLES / "coffee.webp")
    answered(page)
    assert not page.evaluate(LIVE)
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/predict") else None)
    page.wait_for_timeout(800)
    assert sent == []


def test_a_reload_turns_no_camera_on(visit: Visit) -> None:
    page = live(visit)
    assert page.url.endswith("#lens")
    page.reload()
    expect(page.locator("#start-h")).to_have_text("Show me a photo.")
    assert not page.evaluate(LIVE)


def test_a_refused_or_lost_camera_gets_one_sentence(visit: Visit) -> None:
    page = visit(**CAMERA)
    refuse = (
        """name => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", name); }; }"""
    )
    page.evaluate(refuse, "NotAllowedError")
    page.get_by_role("button", name="Live lens").click()
    expect(page.get_by_role("alert")).to_contain_text("It was not allowed.")
    assert Axe().run(page).response["violations"] == []
    page.evaluate(refuse, "NotFoundError")
    page.get_by_role("button", name="Live lens").click()
    expect(page.get_by_role("alert")).to_contain_text("No camera was found")
    page = live(visit)
    page.evaluate("document.querySelector('#video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.locator("#start-h")).to_have_text("The camera has stopped.")


def test_a_service_with_keys_says_so_once(visit: Visit, network: Path, tmp_path: Path) -> None:
    with served(network, tmp_path / "log", GLASSBOT_API_KEYS="of-this-test", **PATIENT) as running:
        page = visit(address=running.address.rstrip("/"), **CAMERA)
        page.get_by_role("button", name="Live lens").click()
        expect(page.locator("#start-h")).to_have_text("An API key is needed.")
        assert not page.evaluate(LIVE)
        page.get_by_role("textbox", name="API key").fill("of-this-test")
        page.get_by_role("button", name="Live lens").click()
        expect(page.locator("#lens-bars li")).to_have_count(5)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(visit: Visit, scheme: str, width: int) -> None:
    page = live(visit, color_scheme=scheme, viewport={"width": width, "height": 844})
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_stands_still_is_read_out_and_what_flickers_is_not(visit: Visit) -> None:
    page = live(visit)
    expect(page.locator("#lens-sentence")).not_to_have_attribute("aria-live", "polite")
    page.evaluate(
        """() => { window.changed = {}; new MutationObserver(() => {
      for (const id of ["lens-sentence", "lens-read"]) {
        if (document.getElementById(id).textContent.includes("a dial.")) window.changed[id] ??= performance.now();
      } }).observe(document.querySelector("#lens"), { subtree: true, childList: true, characterData: true }); }"""
    )
    dial = {
        "image": {"sha256": "0" * 64},
        "caption": {"text": "I think it's a dial.", "tier": "think", "right_times_in_ten": 9, "additions": []},
        "labels": [],
    }
    page.route("**/predict", lambda route: route.fulfill(json=dial))
    expect(page.locator("#lens-sentence")).to_have_text("I think it’s a dial.")
    expect(page.locator("#lens-read")).to_have_text("I think it's a dial.")
    assert page.evaluate("window.changed['lens-read'] - window.changed['lens-sentence']") >= 1900


def test_a_phone_without_https_is_told_why_and_takes_photos_instead(visit: Visit, server: str) -> None:
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    plain = server.replace("127.0.0.1", "glassbot.test")
    page = visit(address=plain, **phone)
    assert page.evaluate("isSecureContext") is False
    expect(page.locator("#no-lens")).to_contain_text("only over HTTPS")
    expect(page.locator("#live")).to_be_hidden()
    assert Axe().run(page).response["violations"] == []
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take a photo").tap()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files(SAMPLES / "coffee.webp")
    answered(page)
    page = visit(**phone, **CAMERA)
    expect(page.locator("#live")).to_be_visible()
    expect(page.locator("#no-lens")).to_be_hidden()


def test_the_first_and_the_last_convolution_follow_the_camera_and_no_frame_is_sent_for_them(visit: Visit) -> None:
    page = live(visit)
    maps = page.locator("#lens-maps canvas")
    expect(maps).to_have_count(2)
    expect(maps.first).to_have_attribute("aria-label", "conv1, live: the 8 strongest of its 96 channels.")
    expect(maps.last).to_have_attribute("aria-label", "conv5, live: the 8 strongest of its 256 channels.")
    asked: list[int] = []
    page.on("request", lambda r: asked.append(len(r.post_data_buffer or b"")) if "/activations" in r.url else None)
    drawn = "() => [...document.querySelectorAll('#lens-maps canvas')].map((one) => one.toDataURL())"
    before = page.evaluate(drawn)
    until(
        page, lambda: all(now != then for now, then in zip(page.evaluate(drawn), before, strict=True))
    )  # a dial turns
    until(page, lambda: len(asked) >= 3)
    assert asked[0] == asked[-1] == 0
    assert Axe().run(page).response["violations"] == []


def test_maps_that_do_not_come_cost_the_lens_nothing(visit: Visit) -> None:
    page = visit(**CAMERA)
    page.route("**/activations?*", lambda route: route.abort())
    page.get_by_role("button", name="Live lens").click()
    expect(page.locator("#lens-bars li")).to_have_count(5)
    until(page, lambda: len(spans_of(page)) >= 4)
    expect(page.locator("#lens-maps")).to_be_hidden()
    expect(page.locator("#lens-rate")).to_contain_text("this answer took")
