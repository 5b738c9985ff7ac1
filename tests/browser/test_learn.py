"""The lessons as a whole: their numbers, their weight, their links, and everybody who reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from model.architecture import Architecture
from tests.browser.conftest import PATIENCE, drawn, until, unwatched
from tests.browser.lessons import CASES, STEPS, arrived, lessons, read_all

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]
Visit = Callable[..., Page]


def test_the_page_computes_what_the_networks_own_code_computes(visit: Visit) -> None:
    wrong, untested = lessons(visit).evaluate(
        """async (cases) => {
      const numbers = await import(new URL("static/js/learn/numbers.js", location.href));
      const near = (a, b) => Math.abs(a - b) <= 1e-11 + 1e-9 * Math.abs(b);
      const same = (a, b) => typeof b === "number" ? near(a, b) : typeof b === "string" ? a === b
        : Object.keys(a).length === Object.keys(b).length && Object.keys(b).every((key) => same(a[key], b[key]));
      const wrong = [];
      for (const [name, all] of Object.entries(cases)) for (const one of all) {
        const found = numbers[name](one.input);
        if (!same(found, one.expected)) wrong.push(`${name}, ${one.name}: ${JSON.stringify(found)}`);
      }
      return [wrong, Object.keys(numbers).filter((name) => !(name in cases))];
    }""",
        CASES,
    )
    assert wrong == []
    assert untested == []


def test_every_demonstration_runs_before_anything_is_guessed(visit: Visit) -> None:
    page = lessons(visit, reduced_motion="reduce")
    assert page.locator(".chapter > section").evaluate_all("all => all.map((one) => one.id)") == list(STEPS)
    read_all(page)
    expect(page.locator("#convolution .out button").first).to_contain_text("−1")
    expect(page.locator("#sgd input[name=step]")).to_have_value("60")
    hidden = "all => all.filter((one) => getComputedStyle(one).visibility === 'hidden').length"
    assert page.locator(".chapter figure *").evaluate_all(hidden) == 0
    expect(page.locator("learn-guess details[open]")).to_have_count(0)


def test_a_guess_opens_its_answer_and_changes_nothing_else(visit: Visit) -> None:
    page = lessons(visit, reduced_motion="reduce")
    for step in STEPS:
        section = page.locator(f"#{step}")
        section.locator(".choices button:not([data-right])").first.click()
        expect(section.get_by_role("status").first).to_contain_text("No.")
        section.locator("[data-right]").click()
        expect(section.get_by_role("status").first).to_have_text("Yes.")
        expect(section.locator("[aria-pressed=true]").first).to_have_attribute("data-right", "")
        expect(section.locator(".answered")).to_be_visible()


def test_the_steps_lead_on_and_say_how_far_one_is(visit: Visit, server: str) -> None:
    page = lessons(visit, "stride")
    way = page.locator(".way")
    expect(way.locator(".now")).to_have_text(f"Step 4 of {len(STEPS)}")
    expect(way.get_by_role("progressbar")).to_have_js_property("value", 4)
    way.get_by_role("link", name="Next step").press("Enter")
    expect(page).to_have_url(f"{server}/learn#flip")
    expect(way.locator(".now")).to_have_text(f"Step 5 of {len(STEPS)}")
    way.get_by_role("link", name="Previous step").click()
    expect(page.locator("#stride-h")).to_be_in_viewport()
    page.locator("#stride .pager a").last.click()
    expect(page.locator("#flip-h")).to_be_in_viewport()
    page.evaluate("location.hash = 'seeing'")
    expect(way.locator("[rel=prev]")).to_be_hidden()
    page.evaluate(f"location.hash = '{STEPS[-1]}'")
    expect(way.locator("[rel=next]")).to_be_hidden()


def test_each_step_has_an_address_and_the_browser_goes_back_and_forward(visit: Visit, server: str) -> None:
    page = lessons(visit, "lrn")
    expect(page.locator("#lrn-h")).to_be_in_viewport()
    links = page.locator(".toc ol a")
    assert links.evaluate_all("all => all.map((one) => one.hash)") == [f"#{step}" for step in STEPS]
    expect(page.locator(".toc [aria-current]")).to_have_attribute("href", "#lrn")
    links.filter(has_text="Longer steps").click()
    expect(page).to_have_url(f"{server}/learn#stride")
    expect(page.locator("#stride-h")).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#lrn-h")).to_be_in_viewport()
    page.go_forward()
    expect(page.locator("#stride-h")).to_be_in_viewport()
    page.locator("#sgd header a").first.click()
    expect(page).to_have_url(f"{server}/learn#sgd")


def test_the_keyboard_alone_reaches_and_answers(visit: Visit) -> None:
    page = lessons(visit, "convolution")
    page.locator("#convolution header a").last.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#convolution .verdict")).to_have_text("Yes.")
    page.keyboard.press("Tab")  # the third choice
    page.keyboard.press("Tab")  # the answer
    page.keyboard.press("Tab")
    expect(page.get_by_label("x 1").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#convolution .eqs p").first).to_contain_text("2 · 2 + (−1) · 3 = 1")
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#convolution").get_by_role("button", name="z 2")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [1280, 390])
def test_without_scripts_contents_text_answers_and_table_are_there(visit: Visit, width: int) -> None:
    page = lessons(visit, java_script_enabled=False, viewport={"width": width, "height": 844})
    expect(page.locator(".toc ol a")).to_have_count(len(STEPS))
    expect(page.locator(".toc ol a").first).to_be_visible()
    expect(page.locator(".way")).to_be_hidden()
    expect(page.locator("#convolution .eqs p").first).to_contain_text("2 · 1 + (−1) · 3 = −1")
    assert page.locator("#convolution .eqs b").all_inner_texts() == [
        str(z).replace("-", "−") for z in CASES["correlate1d"][0]["expected"]
    ]
    page.locator("#stride").get_by_text("Show the answer").click()
    expect(page.locator("#stride .answered")).to_contain_text("(227 + 2 · 0 − 11) / 4 + 1 = 55")
    expect(page.locator("learn-kernel")).to_be_hidden()
    tables = page.locator("table.layers")
    expect(tables).to_have_count(2)
    expect(tables.last.locator("caption")).to_contain_text("60,965,224 parameters")
    for cell in tables.last.locator("td.parameters span").all():
        expect(cell).to_be_visible()


def test_the_table_is_the_one_of_the_network(visit: Visit, server: str) -> None:
    page = lessons(visit, "layers")
    model = httpx.get(f"{server}/model", timeout=PATIENCE).json()
    rows = page.locator("[data-network=served] tbody tr")
    served = [one for one in model["layers"] if one["name"] != "picture"]
    expect(rows).to_have_count(len(served))
    for row, layer in zip(rows.all(), served, strict=True):
        expect(row.locator("button")).to_have_text(layer["name"])
        expect(row.locator(".shape")).to_have_text(" × ".join(map(str, layer["shape"])))
    page.get_by_role("radio", name="the paper’s").check()
    paper = page.locator("[data-network=paper] tbody tr:not(.below)")
    for row, known in zip(paper.all(), Architecture().layers, strict=True):
        expect(row.locator(".parameters")).to_have_text(f"{known.parameters:,}")
        expect(row.locator(".multiply")).to_have_text(f"{known.multiply_adds:,}")
        expect(row.locator(".field")).to_have_text(
            "all" if known.operation == "linear" else f"{known.receptive_field} px"
        )


def test_the_table_says_what_its_last_row_stands_for(visit: Visit, server: str) -> None:
    page = lessons(visit, "layers")
    model = httpx.get(f"{server}/model", timeout=PATIENCE).json()
    sizes = {one["name"]: one["size"] for one in model["vocabularies"]}
    said = page.locator("#layers > p", has_text="fc8 gives one score for each answer")
    for size in sizes.values():
        expect(said).to_contain_text(str(size))
    expect(page.locator("[data-network=served] tr[data-name=fc8] .shape")).to_have_text(str(sum(sizes.values())))


def test_a_row_of_the_table_opens_the_sums_that_lead_to_it(visit: Visit) -> None:
    page = lessons(visit, "layers")
    page.get_by_role("radio", name="the paper’s").check()
    for row in Architecture().layers:
        button = page.locator(f"[data-network=paper] tr[data-name={row.name}] button")
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")
        sums = page.locator(".sums")
        if row.weight_shape:
            expect(sums).to_contain_text(f"= {row.parameters:,}.")
            expect(sums).to_contain_text(f"= {row.multiply_adds:,}.")
        if row.operation in ("conv", "pool"):
            expect(sums).to_contain_text(f"= {row.shape[1]} on each side")
            expect(sums).to_contain_text(f"= {row.receptive_field} pixels")
            side = page.locator(".facts-of rect").last.get_attribute("width")
            assert side == str(row.receptive_field)
    button.click()
    expect(page.locator(".facts-of")).to_be_hidden()


def test_the_first_page_is_light(chromium: Browser, server: str) -> None:
    page = unwatched(chromium, viewport={"width": 1440, "height": 900})
    asked: set[str] = set()
    sizes: dict[str, int] = {}

    def weigh(request: Request) -> None:
        parts = request.sizes()
        sizes[request.url] = parts["responseBodySize"] + parts["responseHeadersSize"]

    page.on("request", lambda request: asked.add(request.url))
    page.on("requestfinished", weigh)
    page.goto(f"{server}/learn", wait_until="networkidle")
    page.wait_for_selector("html[data-ready]")
    until(page, lambda: asked <= sizes.keys())  # the network counts as idle from its first pause on
    page.remove_listener("requestfinished", weigh)  # what ends with the page cannot be weighed
    page.close()
    assert 20_000 < sum(sizes.values()) <= 150_000


def test_every_address_on_the_page_is_relative(server: str) -> None:
    text = httpx.get(f"{server}/learn", timeout=PATIENCE).text
    links = re.findall(r'(?:src|href|data-photo)="([^"]*)"', text)
    assert len(links) > 20
    assert [link for link in links if re.match(r"/|[a-z]+:", link)] == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (820, "dark"), (390, "light")])
def test_axe_finds_nothing_before_and_after(visit: Visit, scheme: Scheme, width: int) -> None:
    page = lessons(visit, color_scheme=scheme, viewport={"width": width, "height": 844}, reduced_motion="reduce")
    assert Axe().run(page).response["violations"] == []
    read_all(page)
    page.locator("#layers tbody button").first.click()
    page.get_by_label("x 1").first.fill("abc")
    page.get_by_label("x 2").first.focus()
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("width", [320, 390, 720])  # 720: 1440 at 200 % zoom
def test_a_page_scrolls_only_down(visit: Visit, width: int) -> None:
    page = lessons(visit, viewport={"width": width, "height": 740}, reduced_motion="reduce")
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= width
    read_all(page)
    page.get_by_role("button", name="Draw 100 times").click()
    page.locator("#layers tbody button").nth(2).click()
    assert page.evaluate(wide) <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_by_itself_and_an_answer_moves_only_what_lies_below(
    visit: Visit, server: str, width: int
) -> None:
    page = lessons(visit, viewport={"width": width, "height": 844}, reduced_motion="reduce")
    watch = """window.moved = 0; new PerformanceObserver((list) => {
      for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.moved += shift.value;
    }).observe({ type: "layout-shift", buffered: true });"""
    page.add_init_script(watch)
    page.goto(f"{server}/learn", wait_until="networkidle")
    page.wait_for_selector("html[data-ready]")
    drawn(page)
    assert page.evaluate("window.moved") < 0.02
    heights = "all => all.map((one) => Math.round(one.getBoundingClientRect().height))"
    for step in STEPS:
        figures = page.locator(f"#{step} figure, #{step} learn-table")
        before = figures.evaluate_all(heights)
        page.locator(f"#{step} [data-right]").click()
        for figure in figures.all():
            figure.scroll_into_view_if_needed()
        arrived(page, step)
        drawn(page)
        assert figures.evaluate_all(heights) == pytest.approx(before, abs=2), step


def test_no_step_leaves_a_hole(visit: Visit) -> None:
    page = lessons(visit, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    read_all(page)
    holes = page.locator(".chapter > section > *, .chapter > section").evaluate_all(
        """all => all.map((one) => { const before = one.previousElementSibling;
        return before ? Math.round(one.getBoundingClientRect().top - before.getBoundingClientRect().bottom) : 0; })"""
    )
    assert max(holes) <= 120
