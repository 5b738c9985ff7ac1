"""The connected view: what fed what, back to the photo and forward to the label, and every sum written out."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, Literal

import httpx
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from model.checkpoint import load
from model.engines.torch_engine import TorchEngine
from tests.browser.conftest import PATIENCE, SAMPLES, Visit, answered, until
from tests.browser.lessons import lessons

pytestmark = pytest.mark.browser

COFFEE = SAMPLES / "coffee.webp"
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
Scheme = Literal["light", "dark"]
PAINTED = """name => { const all = document.querySelector(name);
  const copy = Object.assign(document.createElement("canvas"), { width: all.width, height: all.height });
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(all, 0, 0);
  return pen.getImageData(0, 0, all.width, all.height).data.some((v) => v > 0); }"""


def shown(visit: Visit, **options: Any) -> Page:
    """The view of the coffee, once it is there."""
    page = visit(at="/#sample=coffee", reduced_motion="reduce", **options)
    answered(page)
    page.locator("#network").scroll_into_view_if_needed()
    page.wait_for_selector("#network-body:not(.working) .net-answer")
    return page


def node(page: Page, layer: str, place: int = 0) -> Locator:
    return page.locator(f".net button[data-layer={layer}]").nth(place)


def connections(server: str, page: Page, per_layer: int = 10) -> dict[str, Any]:
    """What the service says of the label that is chosen."""
    label = page.locator("#bars [aria-pressed=true]").get_attribute("data-label") or ""
    asked: dict[str, str | int] = {"label": label, "per_layer": per_layer}
    answer = httpx.post(f"{server}/connections", params=asked, content=COFFEE.read_bytes(), timeout=PATIENCE)
    told: dict[str, Any] = answer.json()
    return told


def number(text: str) -> float:
    """The last number of what the page writes."""
    return float(re.findall(r"[−+]?[\d,]*\.?\d+", text)[-1].replace("−", "-").replace(",", ""))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1440])
def test_the_network_stands_from_the_photo_to_the_sentence(visit: Visit, width: int, scheme: Scheme) -> None:
    page = shown(visit, viewport={"width": width, "height": 900}, color_scheme=scheme)
    names = page.locator(".net-layer > header b").all_inner_texts()
    assert names == ["your photo", *LAYERS, "answers"]
    for layer in LAYERS:
        expect(page.locator(f".net button[data-layer={layer}]")).to_have_count(8 if width == 390 else 10)
    expect(page.locator(".net-bars [aria-current]")).to_have_count(1)
    expect(page.locator(".net-says")).to_contain_text(page.locator("#sentence").inner_text())
    boxes = [box for one in page.locator(".net-layer").all() if (box := one.bounding_box())]
    along: Literal["x", "y"] = "y" if width == 390 else "x"
    starts = [box[along] for box in boxes]
    assert starts == sorted(starts)
    assert len(set(starts)) == 9
    assert page.evaluate(PAINTED, ".net-all")
    node(page, "conv4").click()
    expect(page.locator(".ledger-rest")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page, context="#network")
    assert found.response["violations"] == [], found.generate_report()


def test_a_map_lights_what_fed_it_most_its_patch_and_the_way_to_the_label(visit: Visit, server: str) -> None:
    page = shown(visit)
    told = connections(server, page)
    expect(page.locator(".net .lit")).to_have_count(0)
    node(page, "conv4").hover()
    channel = told["layers"][3]["channels"][0]["channel"]
    into = sorted((e for e in told["edges"] if e["to"] == ["conv4", channel]), key=lambda e: -abs(e["weight"]))
    first, second = (edge["from"][1] + 1 for edge in into[:2])
    label = told["label"]["label"]
    expect(page.locator(".net-line")).to_contain_text(
        f"conv4 · channel {channel + 1}, mostly from conv3 · {first} and {second}; "
    )
    expect(page.locator(".net-line b")).to_contain_text(f" for {label}")
    relevance = told["layers"][3]["channels"][0]["relevance"]
    assert number(page.locator(".net-line b").inner_text()) == pytest.approx(relevance, abs=0.051)
    lit = page.locator(".net button.lit").evaluate_all(
        "all => all.map((one) => [one.dataset.layer, Number(one.dataset.channel)])"
    )
    assert ["conv4", channel] in lit
    assert {tuple(edge["from"]) for edge in into[:3]} == {tuple(one) for one in lit if one[0] == "conv3"}
    assert {one[0] for one in lit} == {*LAYERS, "fc8"}
    patch = page.locator(".net-frame rect").first
    assert patch.get_attribute("width") == "131"  # the receptive field of conv4
    assert page.evaluate(PAINTED, ".net-lit")
    page.mouse.move(1, 1)
    expect(page.locator(".net .lit")).to_have_count(0)
    expect(page.locator(".net-frame rect")).to_have_count(0)
    assert not page.evaluate(PAINTED, ".net-lit")


def test_the_view_is_one_tab_stop_with_arrow_keys_enter_and_escape(visit: Visit) -> None:
    page = shown(visit)
    expect(page.locator(".net [tabindex='0']")).to_have_count(1)
    node(page, "conv1").focus()
    expect(page.locator(".net-line")).to_contain_text("straight from the photo")
    page.keyboard.press("ArrowRight")
    expect(node(page, "conv2")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(node(page, "conv2", 1)).to_be_focused()
    expect(page.locator(".net [tabindex='0']")).to_have_count(1)
    expect(page.locator(".net-line[role=status]")).to_contain_text("conv2 · channel")
    page.keyboard.press("End")
    expect(node(page, "conv2", 9)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(node(page, "conv1")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".bench h3")).to_contain_text("conv1 · channel")
    page.locator(".bench .bench-map .map").focus()
    with page.expect_response("**/cell?*") as asked:
        page.keyboard.press("ArrowUp")
    assert asked.value.ok
    page.keyboard.press("Escape")
    expect(page.locator(".bench")).to_be_hidden()
    expect(node(page, "conv1")).to_be_focused()


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3", "conv5", "fc6"])
def test_the_sum_of_a_cell_is_the_number_that_the_engine_computes(
    visit: Visit, server: str, network: Path, layer: str
) -> None:
    """Within what the page rounds (two decimals a term) and 1 % of the map's maximum: bf16 keeps 8 bits a number."""
    page = shown(visit)
    with page.expect_response("**/cell?*") as asked:
        node(page, layer).click()
    url = httpx.URL(asked.value.url).params
    at = tuple(int(url[name]) for name in ("channel", "row", "column"))
    square = httpx.post(f"{server}/square", content=COFFEE.read_bytes(), timeout=PATIENCE).content
    pixels = np.array(Image.open(io.BytesIO(square)).convert("RGB"))
    maps = TorchEngine(load(network), precision="f32").run(pixels[None], maps=(layer,)).maps[layer][0]
    expected = float(maps[at] if maps.ndim == 3 else maps[at[0]])
    tolerance = 0.02 + 0.01 * float(maps.max())
    expect(page.locator(".ledger-rest li").nth(1)).to_contain_text("ReLU")
    lines = page.locator(".ledger-rest li b").all_inner_texts()
    assert number(lines[1]) == pytest.approx(expected, abs=tolerance)
    parts = [number(text) for text in page.locator(".books > .ledger").first.locator("b").all_inner_texts()]
    assert sum(parts) == pytest.approx(number(lines[0]), abs=0.005 * (len(parts) + 1))
    terms = page.locator(".ledger [data-term]").count()
    assert terms == {"conv1": 3, "fc6": 0}.get(layer, 12)


def test_another_cell_is_chosen_by_a_step_and_by_a_click_and_the_kernel_moves(visit: Visit) -> None:
    page = shown(visit)
    node(page, "conv3").click()
    page.wait_for_selector(".reads")
    with page.expect_response("**/cell?*"):
        page.locator(".bench-map .map").click(position={"x": 5, "y": 5})
    expect(page.locator(".bench-map .note").first).to_contain_text("Row 1, column 1:")
    window = page.locator(".reads .map rect").last
    expect(window).to_have_attribute("x", "-1")  # in the padding
    with page.expect_response("**/cell?*") as stepped:
        page.get_by_role("button", name="Next cell").click()
    assert httpx.URL(stepped.value.url).params["column"] == "1"
    expect(window).to_have_attribute("x", "0")
    page.locator(".ledger [data-term='1']").click()
    expect(page.locator(".ledger [data-term='1']")).to_have_attribute("aria-pressed", "true")
    page.locator(".heat.written span").first.hover()
    expect(page.locator(".heat.written .on")).to_have_count(2)
    expect(page.locator(".reads .sum-line")).to_contain_text("×")
    expect(page.get_by_role("button", name="Slide the kernel")).to_be_hidden()  # who asked for less motion is spared it


def test_the_kernel_slides_when_asked_to(visit: Visit) -> None:
    page = visit(at="/#sample=coffee")
    answered(page)
    page.locator("#network").scroll_into_view_if_needed()
    node(page, "conv5").click()
    page.wait_for_selector(".reads")
    before = page.locator(".bench-map .note").first.inner_text()
    page.get_by_role("button", name="Slide the kernel").click()
    until(page, lambda: page.locator(".bench-map .note").first.inner_text() != before)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Slide the kernel")).to_be_visible()


def test_another_label_has_other_connections_and_its_own_softmax(visit: Visit, server: str) -> None:
    page = shown(visit)
    other = page.locator(".net-bars button:not([aria-current])").first
    name = other.locator("span").first.inner_text()
    other.click()
    expect(page.locator(".net-bars [aria-current]")).to_contain_text(name)
    expect(page.locator(".bench h3")).to_contain_text(f"fc8 · {name}")
    told = connections(server, page)
    assert told["label"]["label"] == name
    share = page.locator(".softmax .sum-line b").nth(-2)
    assert number(share.inner_text()) == pytest.approx(100 * told["probability"], abs=0.06)
    gates = httpx.post(f"{server}/predict", content=COFFEE.read_bytes(), timeout=PATIENCE).json()["gates"]
    score = 100 * told["probability"] * gates[told["label"]["vocabulary"]]
    assert number(page.locator(".softmax .sum-line b").last.inner_text()) == pytest.approx(score, abs=0.11)
    expect(page.locator("#bars [aria-pressed=true]")).to_contain_text(name)


def test_nothing_of_it_is_fetched_before_somebody_comes_near(visit: Visit) -> None:
    page = visit(viewport={"width": 1280, "height": 720})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_input_files("#file", COFFEE)
    answered(page)
    assert not [url for url in asked if "/connections" in url or "network/page.js" in url]
    with page.expect_response("**/connections?*") as answer:
        page.locator("#network").scroll_into_view_if_needed()
    assert answer.value.request.post_data is None  # the photo is named, not sent again
    page.wait_for_selector(".net-answer")


def test_the_same_view_closes_the_lessons_with_sums_to_check_by_hand(visit: Visit) -> None:
    page = lessons(visit, "connected", reduced_motion="reduce")
    step = page.locator("#connected")
    step.locator(".net-answer").wait_for()
    expect(step.locator(".net-says")).to_contain_text("It’s a plus sign.")
    step.locator("button[data-layer=conv1][data-channel='0']").click()
    expect(step.locator(".ledger-rest")).to_contain_text("max(0, 5)")
    expect(step.locator(".reads .sum-line")).to_have_text("= +6")
    step.locator(".bench-map .map").hover(position={"x": 3, "y": 3})
    expect(step.locator(".reads .ghost")).to_have_attribute("x", "0")
    step.locator(".reads .map").hover(position={"x": 75, "y": 75})
    expect(step.locator(".bench-map .ghost")).to_have_attribute("width", "3")  # so many cells read one pixel
    step.locator(".net-bars button").first.click()
    expect(step.locator(".softmax")).to_contain_text("66.8%")
    step.get_by_role("radio", name="slash").check()
    expect(step.locator(".net-says")).to_contain_text("It’s a times sign.")


def test_what_fed_what_in_the_small_network_is_what_autograd_says(visit: Visit) -> None:
    found = lessons(visit).evaluate(
        """async () => {
      const { run, drawing, connections, W1, W2, W3, BIASES } = await import(
        new URL("static/js/learn/tiny.js", location.href));
      const picture = drawing("times");
      const told = connections(run(picture), 1);
      return { picture, W1, W2, W3, BIASES, told };
    }"""
    )
    tensor = {name: torch.tensor(found[name], dtype=torch.float64) for name in ("picture", "W1", "W2", "W3")}
    bias = {name: torch.tensor(value, dtype=torch.float64) for name, value in found["BIASES"].items()}
    maps1 = F.relu(F.conv2d(tensor["picture"][None, None], tensor["W1"], bias["conv1"])).requires_grad_()
    pooled = F.max_pool2d(maps1, 2)
    sums2 = F.conv2d(pooled, tensor["W2"], bias["conv2"])
    sums2.retain_grad()
    maps2 = F.relu(sums2)
    maps2.retain_grad()
    logits = F.linear(maps2.flatten(1), tensor["W3"], bias["fc3"])[0]
    (logits[1] - logits.mean()).backward()
    layers = {layer["name"]: layer["channels"] for layer in found["told"]["layers"]}
    for name, maps in (("conv1", maps1), ("conv2", maps2)):
        assert maps.grad is not None
        relevance = (maps * maps.grad).sum((0, 2, 3)).tolist()
        assert {one["channel"]: one["relevance"] for one in layers[name]} == pytest.approx(dict(enumerate(relevance)))
    assert found["told"]["logit"] == pytest.approx(logits[1].item())
    assert sums2.grad is not None
    for edge in found["told"]["edges"]:
        if edge["to"][0] == "conv2":
            i, k = edge["from"][1], edge["to"][1]
            part = F.conv2d(pooled[:, i : i + 1], tensor["W2"][k : k + 1, i : i + 1])
            assert edge["weight"] == pytest.approx((part[0, 0] * sums2.grad[0, k]).sum().item())
