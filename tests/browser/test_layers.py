"""What every layer saw: all sheets at once, one layer with its tiles, and the switches, which ask nothing."""

from __future__ import annotations

from itertools import pairwise

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, SAMPLES, Visit, answered, upload

pytestmark = pytest.mark.browser

SHEETS = "[...document.querySelectorAll('#overview canvas')].map((canvas) => canvas.toDataURL())"


def choose(page: Page, name: str) -> None:
    page.locator("#layers").get_by_role("radio", name=name).check()


def test_each_layer_shows_its_channels_and_a_flat_one_its_units(visit: Visit) -> None:
    page = visit()
    upload(page)
    expect(page.locator("#layer-picker input")).to_have_count(11)
    expect(page.locator("#layer-note")).to_contain_text("1,984 channels, then 8,192 units")
    for name, channels in (("conv1", 96), ("conv3", 384), ("pool5", 256)):
        choose(page, name)
        expect(page.locator("#tiles button")).to_have_count(channels)
        expect(page.locator("#tiles button").first).to_be_visible()
        expect(page.locator("#overview")).to_be_hidden()
    choose(page, "fc6")
    expect(page.locator("#tiles canvas")).to_be_visible()
    expect(page.locator("#layer-note")).to_contain_text("All 4,096 units of fc6")
    choose(page, "all")
    expect(page.locator("#overview canvas")).to_have_count(10)
    expect(page.locator("#layer-detail")).to_be_hidden()


def test_every_number_of_every_channel_has_its_colour_on_the_sheets(visit: Visit) -> None:
    page = visit(at="/#sample=coffee")
    answered(page)
    wrong, seen = page.evaluate(
        """async () => {
      const at = (path) => new URL(path, location.href);
      const { parse } = await import(at("static/js/activations.js"));
      const { PALETTES } = await import(at("static/js/palettes.js"));
      const photo = await (await fetch("static/samples/coffee.webp")).blob();
      const answer = await fetch("activations?layers=all", { method: "POST", body: photo });
      const { layers } = parse(await answer.arrayBuffer());
      let [wrong, seen] = [0, 0];
      for (const layer of layers) {
        const [channels, rows, columns] = layer.shape;
        const flat = rows === 1;
        const [perRow, gap] = flat ? [128, 0] : [channels > 128 ? 32 : 16, 2];
        const canvas = document.querySelector(`#overview [data-layer=${layer.name}] canvas`);
        const cell = Math.round(((canvas.width + gap) / perRow - gap) / columns);
        const pixels = new Uint32Array(
          canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
        const top = Math.max(...layer.maxima);
        for (let c = 0; c < channels; c++) for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
          const left = (c % perRow) * (columns * cell + gap) + x * cell;
          const down = Math.floor(c / perRow) * (rows * cell + gap) + y * cell;
          const value = layer.cells[(c * rows + y) * columns + x] * (flat ? layer.maxima[c] / top : 1);
          seen++;
          wrong += Number(pixels[down * canvas.width + left] !== PALETTES.cividis[Math.round(value)]);
        }
      }
      return [wrong, seen];
    }"""
    )
    assert wrong == 0
    assert seen == 772_544 + 8192


def test_order_brightness_and_colours_ask_the_server_nothing(visit: Visit) -> None:
    page = visit()
    upload(page)
    asked: list[str] = []
    late = ("mark.svg", "unit")  # the icon, which Chromium fetches when it likes, and cards, once a layer is opened

    def note(url: str) -> None:
        if url.startswith("http") and not any(name in url for name in late):
            asked.append(url)

    page.on("request", lambda request: note(request.url))
    map_ = page.evaluate("document.querySelector('#cam').toDataURL()")
    ramp = page.locator("#layers .ramp").evaluate("one => getComputedStyle(one, '::before').backgroundImage")
    seen = [page.evaluate(SHEETS)]
    for switch in ("strongest", "most important for", "per layer", "viridis", "grey"):
        choose(page, switch)
        seen.append(page.evaluate(SHEETS))
    for one in range(10):
        assert len({sheets[one] for sheets in seen[3:]}) == 3, one  # colours change all, the flat ones too
    changed = [sum(a != b for a, b in zip(*pair, strict=True)) for pair in pairwise(seen[:4])]
    assert changed == [10, 10, 8]
    assert page.locator("#layers .ramp").evaluate("one => getComputedStyle(one, '::before').backgroundImage") != ramp
    assert page.evaluate("document.querySelector('#cam').toDataURL()") == map_
    choose(page, "conv2")
    sheet = page.evaluate("document.querySelector('#tiles').style.cssText")
    choose(page, "cividis")
    page.wait_for_function("was => document.querySelector('#tiles').style.cssText !== was", arg=sheet)
    assert asked == []


def channels(page: Page) -> list[int]:
    found: list[int] = page.locator("#tiles button").evaluate_all(
        "all => all.map((one) => Number(one.dataset.channel))"
    )
    return found


def test_tiles_stand_by_strength_or_by_how_important_they_are_for_the_chosen_label(visit: Visit, server: str) -> None:
    page = visit(at="/#sample=bed&layer=conv5")
    answered(page)
    photo = (SAMPLES / "bed.webp").read_bytes()
    explanation = httpx.post(f"{server}/explain", params={"claim": 0}, content=photo, timeout=PATIENCE)
    shares = explanation.json()["relevance"]
    assert channels(page) == list(range(256))
    choose(page, "most important for")
    expect(page.locator("#layer-note")).not_to_contain_text("conv5 and pool5")
    assert channels(page) == sorted(range(256), key=lambda channel: (-shares[channel], channel))
    with page.expect_response("**/explain?*") as explained:
        page.locator("#bars button").nth(1).click()
    others = explained.value.json()["relevance"]
    assert others != shares
    expect(
        page.locator(f"#tiles button:first-child[data-channel='{max(range(256), key=others.__getitem__)}']")
    ).to_be_visible()
    choose(page, "conv3")
    expect(page.locator("#layer-note")).to_contain_text("is known only for conv5 and pool5")
    assert channels(page) == list(range(384))
    choose(page, "strongest")
    expect(page.locator("#layer-note")).not_to_contain_text("is known only")
    assert channels(page) != list(range(384))


def test_a_tile_of_the_overview_opens_that_channel(visit: Visit) -> None:
    page = visit()
    upload(page)
    sheet = page.locator("#overview [data-layer=conv3] canvas")
    box = sheet.bounding_box()
    assert box is not None
    sheet.click(position={"x": box["width"] * 8.5 / 32, "y": box["height"] * 1.5 / 12})
    expect(page.locator("#channel-h")).to_contain_text("Channel 41 of 384")
    expect(page.locator("#tiles [data-channel='40']")).to_be_focused()
    assert page.evaluate("location.hash") == "#layer=conv3"


def test_tiles_are_one_tab_stop_with_arrow_keys(visit: Visit) -> None:
    page = visit(at="/#layer=conv1")
    upload(page)
    expect(page.locator("#tiles [tabindex='0']")).to_have_count(1)
    page.locator("#tiles button").nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#channel-h")).to_contain_text("Channel 2 of 96")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#channel-h")).to_contain_text("Channel 14 of 96")
    page.keyboard.press("End")
    expect(page.locator("#tiles button").last).to_be_focused()
    expect(page.locator("#tiles [tabindex='0']")).to_have_count(1)


def test_a_channel_is_enlarged_with_its_cell_its_field_and_its_kernel(visit: Visit) -> None:
    page = visit(at="/#sample=desk&layer=conv1")
    answered(page)
    page.locator("#tiles button").nth(9).click()
    expect(page.locator("#kernel")).to_be_visible()
    expect(page.locator("#field-note")).to_have_text("One cell sees 11 × 11 of the square’s 227 × 227 pixels.")
    page.locator("#map").focus()
    for _ in range(60):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#channel-note")).to_contain_text("Row 1, column 1:")
    path = page.locator("#field svg path").get_attribute("d")
    assert path is not None
    assert path.endswith("M0 0v11h11v-11Z")
    choose(page, "pool5")
    expect(page.locator("#kernel")).to_be_hidden()
    expect(page.locator("#field-note")).to_have_text("One cell sees 195 × 195 of the square’s 227 × 227 pixels.")


def test_a_kernel_opens_its_channel(visit: Visit) -> None:
    page = visit()
    upload(page)
    page.get_by_role("button", name="Kernel 50:").click()
    expect(page.locator("#channel-h")).to_contain_text("Channel 50 of 96")


def test_maps_are_smoothed_within_their_range_and_each_cell_lies_at_its_place(visit: Visit) -> None:
    found = visit().evaluate(
        """async () => {
      const { upsample, cellAt, spline, paint } = await import(new URL("static/js/heatmap.js", location.href));
      const { CIVIDIS } = await import(new URL("static/js/cividis.js", location.href));
      const conv5 = { start: -64, jump: 16, receptiveField: 163 };
      const map = (value) => Array.from({ length: 13 }, (_, i) => Array.from({ length: 13 }, (_, j) => value(i, j)));
      const flat = upsample(map(() => 1), 227, conv5, 227);
      const spot = map((i, j) => Number(i === 3 && j === 7));
      const drawn = upsample(spot, 227, conv5, 227);
      const peak = drawn.indexOf(Math.max(...drawn));
      const canvas = document.createElement("canvas");
      paint(canvas, spot, conv5, 227);
      const at = 4 * (227 * (17 + 16 * 3) + 17 + 16 * 7);
      const painted = canvas.getContext("2d").getImageData(0, 0, 227, 227).data;
      return { top: [...painted.slice(at, at + 4)],
        flat: [Math.min(...flat), Math.max(...flat)], peak: [Math.floor(peak / 227), peak % 227],
        at: cellAt(17, 227, conv5, 227), sum: spline(0.3).reduce((a, b) => a + b),
        first: [...CIVIDIS.slice(0, 3)], last: [...CIVIDIS.slice(-3)], colours: CIVIDIS.length / 3 };
    }"""
    )
    assert found["top"] == pytest.approx([254, 232, 56, 0.92 * 255], abs=2)
    assert found["flat"] == pytest.approx([1, 1])
    assert found["peak"] == [17 + 16 * 3, 17 + 16 * 7]
    assert found["at"] == pytest.approx(0)
    assert found["sum"] == pytest.approx(1)
    assert (found["first"], found["last"], found["colours"]) == ([0, 34, 78], [254, 232, 56], 256)
