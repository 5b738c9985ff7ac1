"""The training page as a person uses it, in headless Chromium against the real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from model.checkpoint import PRETRAINED
from model.runlog import reader, writer
from tests.app.runs.run_logs import keep, loss_at, measured_at, size_at, write_run
from tests.app.server import served
from tests.browser.conftest import Watch, close, stop_the_clock, unwatched
from tests.tiny import tiny_checkpoint

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]
Open = Callable[..., Page]
KEPT = (0, 100, 200, 300)
DRAWN = "name => [...document.querySelectorAll(`[block='${name}'] canvas`)].map((c) => c.toDataURL()).join()"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("runs")
    write_run(top / "whole", KEPT)
    write_run(top / "growing", (25, 50))
    write_run(top / "single", (100,), columns=1)
    (top / "single" / "config.json").write_text('{"recipe": {"columns": 1}}')
    (top / "broken").mkdir()
    (top / "broken" / "metrics.jsonl").write_text("not a run log\n")
    return top


@pytest.fixture(scope="module")
def address(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    network = PRETRAINED if PRETRAINED.is_file() else tiny_checkpoint(folder / "tiny.safetensors")
    named = ",".join(str(runs / name) for name in ("whole", "growing", "single", "broken"))
    with served(network, folder / "log", GLASSBOT_RUNS=named) as running:
        yield running.address.rstrip("/")


@pytest.fixture
def look(chromium: Browser, address: str) -> Iterator[Open]:
    """Opens a run; afterwards nothing may have been logged as an error or asked of another origin."""
    contexts: list[BrowserContext] = []
    watch = Watch()

    def open_page(run: str = "whole", end: str = "", **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = watch.follow(context.new_page(), address)
        page.goto(f"{address}/training?run={run}{end}")
        if run != "broken" and options.get("java_script_enabled", True):
            page.wait_for_selector("training-run[data-ready]")
        return page

    yield open_page
    for context in contexts:
        close(context)
    assert watch.troubles == []


def at(page: Page, step: int) -> None:
    """Wait until everything shows that step."""
    expect(page.locator("output[for=step]")).to_have_text(str(step))
    for part in page.locator("sheet-tiles, learning-curve").all():
        expect(part).to_have_attribute("data-step", str(step))


def cursors(page: Page) -> list[float]:
    """Where the cursor of each chart is, as a share of its width."""
    found: list[float] = page.evaluate(
        """() => [...document.querySelectorAll(".u-over")].map((over) => {
      const [box, line] = [over, over.querySelector(".u-cursor-x")].map((one) => one.getBoundingClientRect());
      return (line.left - box.left) / box.width; })"""
    )
    return found


def test_the_slider_moves_kernels_layers_figures_and_cursors(look: Open) -> None:
    page = look()
    at(page, 300)
    last = [page.evaluate(DRAWN, name) for name in ("kernels", "conv1", "conv5")]
    expect(page.locator("[data-chart=loss] [data-curve=loss] dd")).to_have_text(f"{loss_at(300):.2f}")
    expect(page.locator("[data-chart=object] [data-curve=first] dd")).to_have_text("70.0%")
    assert cursors(page) == pytest.approx([1, 1, 1], abs=0.01)
    page.get_by_role("slider", name="Step").focus()
    for step in (200, 100, 0):
        page.keyboard.press("ArrowLeft")
        at(page, step)
    first = [page.evaluate(DRAWN, name) for name in ("kernels", "conv1", "conv5")]
    assert [a == b for a, b in zip(first, last, strict=True)] == [False, False, False]
    assert cursors(page) == pytest.approx([0, 0, 0], abs=0.01)
    expect(page.locator("h2 [data-snapshot]").first).to_have_text("0")
    expect(page.locator("[data-chart=object] [data-at]")).to_have_text("not yet; first at step 100")
    expect(page.locator("[data-chart=object] [data-curve=first] dd")).to_have_text("–")
    page.keyboard.press("End")
    at(page, 300)
    assert [page.evaluate(DRAWN, name) for name in ("kernels", "conv1", "conv5")] == last


def test_a_tile_is_the_run_logs_own_pixels(look: Open, runs: Path) -> None:
    page = look()
    at(page, 300)
    drawn = page.evaluate(
        """() => { const c = document.querySelector("sheet-tiles canvas").getContext("2d");
      const row = c.getImageData(47, 2, 44, 1).data; // the second tile, each of its pixels 4 wide
      return Array.from({ length: 11 }, (_, i) => [...row.slice(16 * i + 8, 16 * i + 11)]); }"""
    )
    with Image.open(runs / "whole" / "metrics" / "0000300.webp") as sheet:
        assert [tuple(pixel) for pixel in drawn] == [sheet.convert("RGB").getpixel((11 + i, 0)) for i in range(11)]


def test_sheets_that_are_there_are_drawn_without_asking_again(look: Open) -> None:
    page = look()
    page.get_by_role("slider", name="Step").focus()
    for step in (200, 100, 0):
        page.keyboard.press("ArrowLeft")
        at(page, step)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/training" in request.url else None)
    frames = page.evaluate(
        """async () => { const slider = document.querySelector("#step"), tiles = document.querySelector("sheet-tiles");
      const found = [];
      for (const [value, step] of [[1, "100"], [2, "200"], [3, "300"], [0, "0"]]) {
        slider.value = value; slider.dispatchEvent(new Event("input"));
        let frames = 0;
        while (tiles.dataset.step !== step && frames < 100) { await new Promise(requestAnimationFrame); frames++; }
        found.push(frames);
      } return found; }"""
    )
    assert max(frames) <= 2
    assert asked == []


def test_a_press_on_a_chart_goes_there(look: Open) -> None:
    page = look()
    page.locator("[data-chart=loss] .u-over").scroll_into_view_if_needed()
    box = page.locator("[data-chart=loss] .u-over").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + 50)
    at(page, 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.99, box["y"] + 50)
    page.mouse.up()
    at(page, 300)


def test_an_address_names_a_step_and_back_goes_back(look: Open) -> None:
    page = look(end="#step=100")
    at(page, 100)
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**#step=200")
    page.keyboard.press("End")
    page.wait_for_url("**#step=300")
    page.go_back()
    at(page, 200)
    page.go_back()
    at(page, 100)
    page.go_forward()
    at(page, 200)
    page.evaluate("location.hash = 'step=999'")
    at(page, 300)
    page.evaluate("location.hash = 'step=1'")
    at(page, 0)


def test_play_goes_through_all_steps_and_stops(look: Open) -> None:
    page = look()
    at(page, 300)
    stop_the_clock(page)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    for step in KEPT:
        expect(page.locator("output[for=step]")).to_have_text(str(step))
        page.clock.run_for(200)
        at(page, step)
        page.clock.run_for(500)
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_a_pause_stops_where_it_is(look: Open) -> None:
    page = look()
    at(page, 300)
    stop_the_clock(page)
    page.get_by_role("button", name="Play").click()
    expect(page.locator("output[for=step]")).to_have_text("0")
    page.clock.run_for(700)
    expect(page.locator("output[for=step]")).to_have_text("100")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_url("**#step=100")
    page.clock.run_for(5000)
    at(page, 100)


def test_nothing_plays_for_those_who_want_less_motion(look: Open) -> None:
    page = look(reduced_motion="reduce")
    expect(page.locator("#play")).to_be_hidden()
    stop_the_clock(page)
    page.emulate_media(reduced_motion="no-preference")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("output[for=step]")).to_have_text("0")
    page.emulate_media(reduced_motion="reduce")
    expect(page.locator("#play")).to_be_hidden()
    page.clock.run_for(5000)
    at(page, 0)


def test_brightness_over_all_steps_shows_what_grew(look: Open) -> None:
    page = look(end="#step=0")
    at(page, 0)
    own = page.evaluate(DRAWN, "conv1")
    page.get_by_label("per layer, over all steps").check()
    page.wait_for_function(f"was => ({DRAWN})('conv1') !== was", arg=own)
    darkest = "[...document.querySelector(\"[block=conv1] canvas\").getContext('2d').getImageData(20, 20, 1, 1).data]"
    assert page.evaluate(darkest)[:3] == pytest.approx([0, 34, 78], abs=12)  # 0 to 1, of what will be 301


def test_what_changed_is_marked_where_it_did_and_explained(look: Open) -> None:
    page = look()
    mark = page.locator("[data-chart=loss] .mark")
    expect(mark).to_have_text(["99 px"])
    line, over = mark.bounding_box(), mark.locator("..").bounding_box()
    assert line
    assert over
    assert line["x"] + line["width"] == pytest.approx(over["x"] + over["width"] * 200 / 300, abs=2)
    expect(page.locator(".marks li")).to_contain_text("The pictures grow from 67 to 99 pixels")
    page.locator(".marks a").click()
    at(page, 200)


def test_the_kernels_and_their_player_come_first(look: Open) -> None:
    page = look(viewport={"width": 1440, "height": 900})
    at(page, 300)
    expect(page.get_by_role("button", name="Play")).to_be_in_viewport()
    tops = page.evaluate(
        """() => [".time", "[block=kernels]", "[block=conv1]", "[data-chart=loss]", ".claims"].map((one) =>
        document.querySelector(one).getBoundingClientRect().top)"""
    )
    assert tops == sorted(tops)
    expect(page.locator("[block=kernels]").first).to_be_in_viewport(ratio=0.5)


def test_findings_are_told_in_a_line_and_what_says_too_little_is_folded(look: Open) -> None:
    page = look()
    expect(page.locator(".verdicts").first).to_contain_text("held here beyond chance")
    folded = page.locator("details.more", has_text="say too little").first
    expect(folded.locator("table")).to_be_hidden()
    folded.locator("summary").press("Enter")
    expect(folded.locator("table")).to_be_visible()
    expect(page.locator(".claims:visible td:has-text('Open:')")).not_to_have_count(0)


def test_a_run_that_grows_is_refreshed(look: Open, runs: Path) -> None:
    page = look("growing")
    at(page, 50)
    refresh = page.get_by_role("link", name="Refresh")
    refresh.click()
    expect(page.get_by_role("status")).to_have_text("Nothing new since you looked.")
    path = runs / "growing" / "metrics.jsonl"
    writer.append(path, {"step": 75, "size": size_at(75), "loss": loss_at(75)})
    writer.append(path, {"step": 75, "size": size_at(75), "measured": measured_at(75)})
    keep(path, 75)
    refresh.click()
    expect(page.get_by_role("status")).to_have_text("Now at step 75.")
    at(page, 75)
    expect(page.locator(".summary").first).to_contain_text("It saved 3 snapshots.")
    expect(refresh).to_be_focused()


def test_a_damaged_run_log_gets_its_sentence_and_mends_when_the_run_log_does(look: Open, runs: Path) -> None:
    page = look("broken")
    expect(page.locator(".problem")).to_have_text("The run log of “broken” is damaged: its only line cannot be read.")
    expect(page.locator(".claims").first).to_be_visible()
    path = runs / "broken" / "metrics.jsonl"
    broken = path.read_text()
    writer.append(path, {"step": 25, "loss": 2.5})
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("status")).to_have_text("Now at step 25.")
    expect(page.locator("[data-curve=loss] dd")).to_have_text("2.50")
    path.write_text(broken)


def test_another_network_is_shown_plainly(look: Open) -> None:
    page = look("single")
    expect(page.locator("[block=kernels]")).to_have_count(1)  # one column, all 96 in it
    expect(page.locator("#step")).to_have_attribute("max", "3")  # one sheet only: the slider goes through the figures
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-chart=loss] [data-at]")).to_have_text("step 25")
    expect(page.locator("h2 [data-snapshot]").first).to_have_text("100")
    expect(page.locator("[data-chart=object] learning-curve")).to_have_count(0)


def test_figures_and_sheets_that_do_not_arrive_are_told(look: Open) -> None:
    page = look()
    at(page, 300)
    page.route("**/0.webp*", lambda route: route.abort())
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("alert")).to_have_text("The snapshot of step 0 did not arrive.")
    expect(page.locator("h2 [data-snapshot]").first).to_have_text("300")
    page.keyboard.press("ArrowRight")
    at(page, 100)
    expect(page.locator("#trouble")).to_be_hidden()

    def fail(route: Route) -> None:
        route.fulfill(status=503, body="busy")

    page.route("**/training?run=whole", lambda route: route.abort())
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("status")).to_contain_text("The server does not answer")
    at(page, 100)
    page.unroute("**/training?run=whole")
    page.route("**/whole.json", fail)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("The figures of this run did not arrive")
    expect(page.locator("[data-chart=loss] [data-curve=loss] dd")).to_have_text(f"{loss_at(300):.2f}")


def test_a_picture_that_was_cut_short_is_told(look: Open, runs: Path) -> None:
    page = look()
    at(page, 300)
    file = reader.picture_path(runs / "whole" / "metrics.jsonl").with_name("0000000.webp")
    page.route("**/0.webp*", lambda route: route.fulfill(body=file.read_bytes()[:2000], content_type="image/webp"))
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("alert")).to_have_text("The snapshot of step 0 did not arrive.")
    expect(page.locator("h2 [data-snapshot]").first).to_have_text("300")


def test_without_scripts_there_are_figures_tables_kernels_and_claims(look: Open) -> None:
    page = look(java_script_enabled=False)
    expect(page.locator("#step")).to_be_hidden()
    expect(page.get_by_role("img", name="kernels, 1 to 48, after step 300")).to_be_visible()
    expect(page.get_by_role("img", name="conv5, 1 to 12, after step 300")).to_be_visible()
    page.locator("[data-chart=object] summary").click()
    expect(page.locator("[data-chart=object] tbody tr")).to_have_count(3)
    expect(page.locator("[data-chart=object] tbody tr").last).to_contain_text("70.0%")
    section = page.locator("section", has=page.locator("#claims-h")).last
    expect(section.locator("tbody tr")).to_have_count(9)
    drawn = page.get_by_role("img", name="from step 0 to 300")
    expect(drawn).to_have_count(3)
    expect(drawn.first).to_be_visible()
    page.get_by_role("link", name="growing").click()
    expect(page.locator(".summary").first).to_contain_text("Measured")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (820, "dark"), (390, "light")])
def test_axe_finds_nothing(look: Open, scheme: Scheme, width: int) -> None:
    page = look(color_scheme=scheme, viewport={"width": width, "height": 844})
    at(page, 300)
    assert Axe().run(page).response["violations"] == []
    page.locator("[data-chart=loss] summary").click()
    assert Axe().run(page).response["violations"] == []


def test_a_page_with_nothing_to_show_is_clean_too(look: Open) -> None:
    assert Axe().run(look("broken")).response["violations"] == []


@pytest.mark.parametrize("width", [720, 390, 320])  # 720: 1440 at 200 % zoom
def test_a_phone_scrolls_only_down(look: Open, width: int) -> None:
    page = look(viewport={"width": width, "height": 844})
    at(page, 300)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_can_be_reached_by_keyboard_and_is_not_hidden_by_the_slider(look: Open) -> None:
    page = look()
    at(page, 300)
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        over = page.evaluate(
            """() => { const [bar, now] = [document.querySelector(".time"), document.activeElement];
          if (bar.contains(now) || now === document.body) return false;
          const [a, b] = [bar, now].map((one) => one.getBoundingClientRect());
          return b.top < a.bottom - 1 && b.bottom > a.top + 1; }"""
        )
        assert not over, reached[-1]
    for name in ("refresh", "play", "step", "As a table"):
        assert name in reached


def test_the_first_page_is_light_and_asks_for_the_library_here_only(chromium: Browser, address: str) -> None:
    page = unwatched(chromium, viewport={"width": 1440, "height": 1800})
    sizes: dict[str, int] = {}

    def weigh(request: Request) -> None:
        parts = request.sizes()
        sizes[request.url] = parts["responseBodySize"] + parts["responseHeadersSize"]

    page.on("requestfinished", weigh)
    page.goto(f"{address}/training", wait_until="networkidle")
    assert any(re.search("uPlot.*js$", url) for url in sizes)
    assert sum(sizes.values()) <= 200_000
    page.goto(address, wait_until="networkidle")
    page.remove_listener("requestfinished", weigh)  # what ends with the page cannot be weighed
    page.close()
    assert [url for url in list(sizes) if "uPlot" in url and url.endswith(".js")] == [
        f"{address}/static/uplot/uPlot.iife.min.js"
    ]


def test_nothing_moves_when_the_figures_come(look: Open) -> None:
    page = look()
    moved = page.evaluate(
        """() => new Promise((done) => { let sum = 0; new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) sum += shift.value; }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => done(sum), 500); })"""
    )
    assert moved < 0.02
