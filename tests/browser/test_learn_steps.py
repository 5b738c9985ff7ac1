"""Each demonstration as a reader plays it: numbers changed, switches turned, answers checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE, SAMPLES, stop_the_clock
from tests.browser.lessons import CASES, slide, step, written

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def sums(section: Locator) -> list[str]:
    """What stands on the stops of a strip."""
    return [text.split()[-1] for text in section.locator(".out button").all_inner_texts()]


def test_a_glass_over_a_photo_shows_its_pixels_as_numbers(visit: Visit) -> None:
    section = step(visit, "seeing")
    section.locator("learn-pixels[data-ready]").wait_for()
    sheet = section.get_by_role("group", name="The photo, 227 by 227 pixels")
    sheet.click(position={"x": 60, "y": 90})
    sheet.press("ArrowRight")
    sheet.press("ArrowDown")
    found = re.fullmatch(
        r"Row (\d+), column (\d+): red (\d+), green (\d+), blue (\d+)", section.locator(".size").inner_text()
    )
    assert found is not None
    row, column, *colour = map(int, found.groups())
    drawn: list[int] = section.locator("canvas").evaluate(
        "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 3, 3).data]", [column - 2, row - 2]
    )
    nine = [drawn[at : at + 3] for at in range(0, 36, 4)]
    assert nine[4] == colour
    assert section.locator(".pixels span").all_inner_texts() == [" ".join(map(str, one)) for one in nine]
    for _ in range(3):
        sheet.click(position={"x": 1, "y": 1})
    expect(section.locator(".size")).to_contain_text("Row 2, column 2")  # the glass stays whole


@pytest.mark.parametrize(
    ("name", "operation", "case"),
    [
        ("convolution", "correlate1d", "the talk's example"),
        ("padding", "correlate1d", "padded by one"),
        ("stride", "correlate1d", "an edge, padding 1, stride 2"),
        ("flip", "correlate1d", "the talk's example"),
    ],
)
def test_a_strip_opens_with_a_tested_case(visit: Visit, name: str, operation: str, case: str) -> None:
    section = step(visit, name)
    (known,) = (one for one in CASES[operation] if one["name"] == case)
    for letter in "xw":
        fields = section.get_by_label(re.compile(rf"^{letter} \d$")).all()
        assert [field.input_value() for field in fields] == [written(v) for v in known["input"][letter]]
    assert sums(section) == [written(z) for z in known["expected"]]


def test_a_changed_number_changes_every_sum_that_it_is_in(visit: Visit) -> None:
    section = step(visit, "convolution")
    section.get_by_label("x 2").fill("−1,5")
    assert sums(section) == ["3.5", "−5"]
    section.get_by_label("w 2").fill("0")
    expect(section.locator(".eqs p").nth(1)).to_contain_text("= 2 · (−1.5) + 0 · 2 = −3")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("abc", "“abc” is not a number; 3 is kept."),
        ("", "not a number"),
        ("1e5", "not a number"),
        ("1000", "1000 is out of range, which goes from −99 to 99; 3 is kept."),
    ],
)
def test_what_is_no_number_gets_one_sentence_and_the_old_one_stays(visit: Visit, typed: str, sentence: str) -> None:
    section = step(visit, "convolution")
    field = section.get_by_label("x 2")
    field.fill(typed)
    field.press("Tab")
    expect(section.get_by_role("alert")).to_contain_text(sentence)
    expect(field).to_have_value("3")
    assert sums(section) == ["−1", "4"]
    field.fill("4")
    field.press("Tab")
    expect(section.get_by_role("alert")).to_be_empty()


def test_turning_the_filter_round_makes_it_a_convolution(visit: Visit) -> None:
    section = step(visit, "flip")
    section.get_by_label("turned round").check()
    assert sums(section) == [written(z) for z in CASES["convolve1d"][0]["expected"]]
    labels = section.locator(".pane input").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert labels == ["w 2", "w 1"]
    expect(section.locator("math:visible")).to_have_count(1)
    expect(section.locator("math:visible")).to_have_attribute("data-when", "turned")
    section.get_by_label("as written").check()
    assert sums(section) == ["−1", "4"]


def test_padding_and_stride_decide_how_many_sums_there_are(visit: Visit) -> None:
    section = step(visit, "stride")
    expect(section.locator(".size")).to_contain_text("= ⌊(7 + 2 · 1 − 3) / 2⌋ + 1 = 4")
    section.get_by_role("slider", name="Stride").press("ArrowLeft")
    expect(section.locator(".size")).to_contain_text("= ⌊(7 + 2 · 1 − 3) / 1⌋ + 1 = 7")
    assert sums(section) == [written(z) for z in CASES["correlate1d"][2]["expected"]]
    section.get_by_role("slider", name="Padding").press("Home")
    slide(section, "stride", 3)
    assert sums(section) == [written(z) for z in CASES["correlate1d"][4]["expected"]]


def at_rest(section: Locator) -> None:
    """Until the kernel has gone over the photo, all at once, as it does by itself when it comes into sight."""
    section.locator("learn-kernel[data-ready]").wait_for()
    expect(section.locator("learn-kernel .size")).not_to_contain_text("Row 1, column 1:")


def stop(section: Locator) -> tuple[int, int, int]:
    """Row and column of the stop, and its sum."""
    found = re.fullmatch(r"Row (\d+), column (\d+): z = (−?[\d,]+)", section.locator("learn-kernel .size").inner_text())
    assert found is not None
    row, column, z = (int(part.replace("−", "-").replace(",", "")) for part in found.groups())
    return row, column, z


def greys(section: Locator) -> list[list[int]]:
    """The photo under the kernel, 128 rows of 128 values, as it is drawn."""
    drawn: list[list[int]] = section.locator("learn-kernel canvas").first.evaluate(
        """canvas => { const n = 128, { data } = canvas.getContext("2d").getImageData(0, 0, n, n);
        return Array.from({ length: n }, (_, r) => Array.from({ length: n }, (_, c) => data[4 * (n * r + c)])); }"""
    )
    return drawn


def test_a_kernel_steps_over_a_real_photo(visit: Visit) -> None:
    section = step(visit, "kernel")
    at_rest(section)
    x = greys(section)
    assert len({v for row in x for v in row}) > 100
    sheet = section.get_by_role("group", name="The photo")
    sheet.click(position={"x": 100, "y": 120})
    row, column, z = stop(section)
    under = [line[column - 1 : column + 2] for line in x[row - 1 : row + 2]]
    assert z == sum(line[2] - line[0] for line in under)
    sheet.press("ArrowRight")
    assert stop(section)[:2] == (row, column + 1)
    section.get_by_label("outlines").check()
    section.get_by_label("weight, row 2, column 2").fill("9")
    row, column, z = stop(section)
    under = [line[column - 1 : column + 2] for line in x[row - 1 : row + 2]]
    assert z == 10 * under[1][1] - sum(map(sum, under))


def test_the_sum_of_a_kernel_is_written_out_and_follows_the_mouse(visit: Visit) -> None:
    section = step(visit, "kernel")
    at_rest(section)
    photo, its_map = section.locator("learn-kernel .sheet").all()
    its_map.hover(position={"x": 30, "y": 40})
    below = stop(section)
    photo.hover(position={"x": 150, "y": 60})
    row, column, z = stop(section)
    assert (row, column) != below[:2]
    under = [v for line in greys(section)[row - 1 : row + 2] for v in line[column - 1 : column + 2]]
    terms = section.locator(".terms span").all_inner_texts()
    assert [int(one.split("·")[1]) for one in terms] == under
    products = [one.replace("−", "-").replace(",", "") for one in section.locator(".nine small").all_inner_texts()]
    assert sum(int(one.removeprefix("= ")) for one in products) == z
    section.locator(".nine > div").nth(2).hover()
    expect(section.locator(".terms span").nth(2)).to_have_class("on")
    expect(section.locator(".dot")).to_be_visible()
    photo.click(position={"x": 20, "y": 20})
    held = stop(section)
    photo.hover(position={"x": 200, "y": 200})
    assert stop(section) == held  # until the next click


def test_it_plays_pauses_and_starts_again(visit: Visit) -> None:
    page = visit(reduced_motion="no-preference")
    stop_the_clock(page)
    page.goto(page.url + "learn#kernel")
    section = page.locator("#kernel")
    section.locator("learn-kernel[data-ready]").wait_for()
    section.get_by_role("button", name="Pause").wait_for()  # it began by itself
    page.clock.run_for(300)
    section.get_by_role("button", name="Pause").click()
    row, column, _ = stop(section)
    assert (1, 1) < (row, column) < (126, 126)
    page.clock.run_for(1000)
    assert stop(section)[:2] == (row, column)
    section.get_by_role("button", name="Start again").click()
    assert stop(section)[:2] == (1, 1)
    section.get_by_role("button", name="One stop").click()
    assert stop(section)[:2] == (1, 2)
    section.get_by_role("button", name="Play").click()
    page.emulate_media(reduced_motion="reduce")
    expect(section.get_by_role("button", name="Play")).to_be_visible()
    z = section.locator("learn-kernel").evaluate("one => one.z.flat()")
    assert abs(stop(section)[2]) == round(max(map(abs, z)))  # all at once, and it rests at the largest


def test_the_products_of_all_planes_make_one_sum(visit: Visit) -> None:
    section = step(visit, "depth")
    case = CASES["correlateVolume"][0]
    size = section.locator("learn-depth .size")
    expect(size).to_have_text(f"z = 3 + 4 + (−1) + 1 = {case['expected'][0][0]}")
    section.get_by_label("green weight 2").fill("−2")
    section.get_by_label("bias").fill("10")
    expect(size).to_have_text("z = 3 + (−5) + (−1) + 10 = 7")


def test_conv1_computed_in_the_browser_is_conv1_of_the_network(visit: Visit) -> None:
    section = step(visit, "depth")
    section.locator("learn-conv1").scroll_into_view_if_needed()
    words = section.locator("learn-conv1 .size")
    expect(words).to_contain_text("from the network")
    for choice in range(6):
        section.get_by_role("radio").nth(choice).check()
        here, there = section.locator("learn-conv1").evaluate("one => [one.computed.flat(), one.expected.flat()]")
        assert len(here) == len(there)
        top = max(there)
        assert top > 0
        assert max(abs(a - b) for a, b in zip(here, there, strict=True)) < 0.005 * top  # as the page says
    said = section.locator(".agreement").inner_text()
    most, expected = (float(one) for one in re.findall(r"\d+\.\d+", said)[:2])
    assert most < expected
    sum_of_planes = words.locator(".note").inner_text()
    parts = [float(one.replace("−", "-").strip("()")) for one in re.split(r" [+=] ", sum_of_planes)[1:]]
    assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=0.03)
    sheet = section.get_by_role("group", name="The photo")
    before = words.inner_text()
    sheet.press("ArrowDown")
    expect(words).not_to_have_text(before)


def test_a_photo_goes_through_the_network_that_runs_here(visit: Visit, server: str) -> None:
    section = step(visit, "overview")
    coffee, desk = ((SAMPLES / f"{name}.webp").read_bytes() for name in ("coffee", "desk"))
    said = httpx.post(f"{server}/predict", content=coffee, timeout=PATIENCE).json()
    labels = section.locator(".labels li")
    expect(labels).to_have_count(len(said["labels"]))
    for shown, one in zip(labels.all_inner_texts(), said["labels"], strict=True):
        assert shown.startswith(one["label"])
    expect(section.locator(".caption")).to_have_text(said["caption"]["text"].replace("'", "’"))
    for name, side in (("conv1", 55), ("pool5", 6), ("fc6", 64)):
        assert section.locator(f"[data-stage={name}] canvas").get_attribute("width") == str(side)
    section.get_by_role("radio", name="desk").check()
    other = httpx.post(f"{server}/predict", content=desk, timeout=PATIENCE).json()
    expect(labels.first).to_contain_text(other["labels"][0]["label"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [("overview", ".labels li"), ("lrn", ".bars rect"), ("depth", "learn-conv1 .size p:text('network')")],
)
def test_a_server_in_trouble_gets_one_sentence_and_another_try(visit: Visit, name: str, shown: str) -> None:
    page = visit()
    page.route("**/activations?*", lambda route: route.abort())
    page.goto(f"{page.url}learn#{name}")
    section = page.locator(f"#{name}")
    section.locator("figure").last.scroll_into_view_if_needed()
    expect(section.locator("figure > * ", has=page.get_by_role("button", name="Try again"))).to_contain_text(
        "The server does not answer. It may be restarting, or the connection is down."
    )
    page.unroute("**/activations?*")
    section.get_by_role("button", name="Try again").click()
    expect(section.locator(shown)).not_to_have_count(0)
    expect(section.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_service_with_keys_says_where_to_type_one(visit: Visit) -> None:
    page = visit()
    problem = (
        '{"type": "urn:glassbot:problem:unauthorized", "title": "No key", "status": 401, "detail": "A key, please."}'
    )
    page.route("**/predict", lambda route: route.fulfill(status=401, body=problem))
    page.goto(f"{page.url}learn#overview")
    section = page.locator("#overview")
    expect(section.locator(".working")).to_contain_text("needs an API key. Type it on the page See, then come back.")
    expect(section.locator(".working a")).to_have_attribute("href", "./")


def test_only_relu_keeps_its_slope_far_out(visit: Visit) -> None:
    section = step(visit, "relu")
    slide(section, "x", 8)
    cells: dict[str, list[str]] = {
        name: section.locator(f"[data-name={name}] td").all_inner_texts() for name in ("relu", "tanh", "sigmoid")
    }
    assert cells == {
        "relu": ["8", "1", "1"],
        "tanh": ["1", "4.5 · 10⁻⁷", "1.8 · 10⁻³²"],
        "sigmoid": ["1", "3.4 · 10⁻⁴", "4.2 · 10⁻¹⁸"],
    }
    slide(section, "x", -2)
    expect(section.locator("[data-name=relu] td").first).to_have_text("0")
    expect(section.locator("[data-name=tanh] td").first).to_have_text("−0.964")


def test_a_strong_answer_reduces_its_neighbours(visit: Visit) -> None:
    section = step(visit, "lrn")
    case = CASES["localResponseNorm"][0]
    fields = section.get_by_label("answer of kernel")
    assert [field.input_value() for field in fields.all()] == [written(v) for v in case["input"]["a"]]
    assert section.locator(".eight b").all_inner_texts() == [written(v) for v in case["expected"]]
    fields.nth(3).fill("3")
    quiet = CASES["localResponseNorm"][1]["expected"]
    assert section.locator(".eight b").all_inner_texts() == [written(v) for v in quiet]


def test_normalisation_is_shown_on_what_conv1_answers_for_a_photo(visit: Visit) -> None:
    section = step(visit, "lrn")
    note = section.locator(".spot .note")
    expect(note).to_contain_text("answers most strongly here")
    expect(section.locator(".bars .before")).to_have_count(96)
    found = re.search(r"Kernel (\d+) .*: ([\d.,]+) becomes ([\d,]+(?:\.\d+)?)", note.inner_text())
    assert found is not None
    strongest, after = (float(part.replace(",", "")) for part in found.groups()[1:])
    a: list[float] = section.locator("learn-lrn").evaluate("one => one.answers")
    at = int(found[1]) - 1
    near = sum(v * v for v in a[max(0, at - 2) : at + 3])
    assert strongest == pytest.approx(max(a), abs=0.006)
    assert after == pytest.approx(strongest / (2 + 1e-4 * near) ** 0.75, abs=0.01)
    slide(section, "alpha", -1)
    expect(note).not_to_contain_text(f"becomes {found[3]}.")
    before = note.inner_text()
    section.get_by_role("group", name="The photo").press("ArrowLeft")
    expect(note).not_to_have_text(before)


def test_overlapping_windows_share_numbers(visit: Visit) -> None:
    section = step(visit, "pooling")
    overlapping, apart = CASES["maxPool"][:2]
    kept = section.locator(".out button")
    assert kept.all_inner_texts() == [str(v) for row in overlapping["expected"] for v in row]
    assert section.locator(".in button").all_inner_texts() == [str(v) for row in overlapping["input"]["x"] for v in row]
    expect(section.locator(".size")).to_have_text("The 9 lies in 4 windows.")
    expect(section.locator(".out .held")).to_have_count(4)
    section.get_by_label("2 × 2").check()
    assert kept.all_inner_texts() == [str(v) for row in apart["expected"] for v in row]
    expect(section.locator(".size")).to_have_text("The 9 lies in one window.")
    section.locator(".in [tabindex='0']").press("End")
    expect(section.locator(".size")).to_have_text("The 2 lies in no window: it is left over.")
    kept.nth(4).click()
    expect(section.locator(".in .held")).to_have_count(4)
    expect(section.locator(".size")).to_have_text("9 is the largest number of this window.")


def test_dropped_units_are_off_and_many_draws_average_to_the_halved_sum(visit: Visit) -> None:
    section = step(visit, "dropout")
    half, _, used = (case["expected"] for case in CASES["weightedSum"])
    words = section.locator(".size")
    expect(words).to_contain_text(f"The active units add up to {half}.")
    expect(words).to_contain_text(f"each halved: {used}.")
    section.get_by_role("button", name="unit 2, value 1").click()
    expect(words).to_contain_text("The active units add up to 5.")
    expect(section.locator(".net .sum")).to_have_text("5")
    for _ in range(20):
        section.get_by_role("button", name="Draw 100 times").click()
    found = re.search(r"Mean of 2000 draws: (−?[\d.]+)\.", words.inner_text())
    assert found is not None
    spread = 0.5 * math.sqrt(sum((a * w) ** 2 for a, w in zip([2, 1, 4, 0, 3, 2], [1, -2, 0.5, 3, 1, -1], strict=True)))
    assert float(found[1].replace("−", "-")) == pytest.approx(used, abs=6 * spread / math.sqrt(2000) + 0.01)
    section.get_by_role("button", name="Forget").click()
    expect(words).to_contain_text("Nothing drawn yet.")


def losses(section: Locator) -> list[float]:
    """With momentum, and without."""
    found = re.findall(r"loss (\S+?)(?: · 10(\S+?))?\.?(?= |$)", section.locator(".size").inner_text())
    powers = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    return [float(value.rstrip(".")) * 10 ** int(power.translate(powers) or 0) for value, power in found]


def test_momentum_gets_down_the_valley_sooner(visit: Visit) -> None:
    section = step(visit, "sgd")
    words = section.locator(".size")
    expect(section.get_by_role("slider", name="Step")).to_have_value("60")  # it plays by itself, all at once
    slide(section, "step", 1)
    moved: Any = CASES["sgdStep"][4]["expected"]["v"][0]
    expect(words).to_contain_text("v = 0.9 · 0 − 0.0005 · 0.01 · (−6) − 0.01 · (−9) = 0.09")
    assert round(moved, 4) == 0.09
    section.get_by_role("button", name="Play").click()
    expect(section.get_by_role("slider", name="Step")).to_have_value("60")
    faster, slower = losses(section)
    assert faster < slower / 10
    slide(section, "momentum", 0)
    same = losses(section)
    assert same[0] == same[1] == slower
    slide(section, "rate", -1)
    expect(words).to_contain_text("loss")


def test_a_cell_sees_more_than_its_own_kernel_is_wide(visit: Visit) -> None:
    section = step(visit, "field")
    expect(section.locator(".size")).to_have_text("The marked cell sees 5 inputs: 3 + (3 − 1) · 1 = 5")
    expect(section.locator("rect.on")).to_have_count(1 + 3 + 5)
    slide(section, "stride1", 2)
    expect(section.locator(".size")).to_have_text("The marked cell sees 7 inputs: 3 + (3 − 1) · 2 = 7")
    expect(section.locator("rect.on")).to_have_count(1 + 3 + 7)
    section.get_by_label("First kernel").press("ArrowRight")
    expect(section.locator(".size")).to_have_text("The marked cell sees 8 inputs: 4 + (3 − 1) · 2 = 8")
