"""The card of a unit: on a tile, from label to unit and on, by keyboard; and a network that has none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from model import checkpoint, unit_cards
from model.unit_cards import ACROSS, LayerCards
from tests.app.server import served
from tests.browser.conftest import PATIENT, Visit, answered, until, upload

pytestmark = pytest.mark.browser

SIDE = 16
NAME = {"id": "dog", "vocabulary": "word", "kind": False, "precision": 0.62, "low": 0.55, "high": 0.69, "base": 0.21}


def sheet(units: int) -> bytes:
    """A sheet on which the picture of unit n has the grey n."""
    greys = np.zeros((-(-units // ACROSS) * SIDE, ACROSS * SIDE), np.uint8)
    for unit in range(units):
        y, x = divmod(unit, ACROSS)
        greys[y * SIDE : (y + 1) * SIDE, x * SIDE : (x + 1) * SIDE] = unit % 256
    file = BytesIO()
    Image.fromarray(greys).convert("RGB").save(file, "WEBP", lossless=True)
    return file.getvalue()


def card(unit: int, layer: str) -> dict[str, Any]:
    found: dict[str, Any] = {"synthetic": 31.2, "real": 12.4, "fed_by": [[5, 1.2], [40, 0.9]]}
    if layer == "fc8":
        return found
    effects = {"for": [[7, 0.8]], "against": [[9, -0.34]]}
    return found | effects | {"active": 0.83, "dead": False, "name": NAME if unit % 2 else None}


@pytest.fixture(scope="module")
def with_cards(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service whose network has cards."""
    folder = tmp_path_factory.mktemp("cards")
    weights = Path(shutil.copy(network, folder / "net.safetensors"))
    architecture = checkpoint.load(weights).architecture
    layers = []
    for name in ("conv4", "conv5", "fc8"):
        units = architecture.layer(name).shape[0]
        facts = LayerCards(name=name, units=units, side=SIDE, seen=131)
        layers.append((facts, [card(unit, name) for unit in range(units)], sheet(units)))
    unit_cards.write(
        unit_cards.path_beside(weights),
        weights=checkpoint.weights_digest(weights),
        layers=layers,
        figures={"conv5": {"units": 256, "real_pictures": 1000, "beaten": 256}},
        made={},
    )
    with served(weights, folder / "log", **PATIENT) as running:
        yield running.address.rstrip("/")


def expect_grey(page: Page, canvas: str, grey: int) -> None:
    """Until the middle of a picture is so: it has its size before its sheet is here."""
    middle = """one => { const copy = new OffscreenCanvas(one.width, one.height).getContext("2d");
      copy.drawImage(one, 0, 0);
      return copy.getImageData(one.width >> 1, one.height >> 1, 1, 1).data[0]; }"""
    until(page, lambda: page.locator(canvas).first.evaluate(middle) == grey)


def test_a_tile_opens_its_card_and_a_card_opens_others(visit: Visit, with_cards: str) -> None:
    page = visit(at="/#sample=desk&layer=conv5", address=with_cards)
    answered(page)
    page.locator("#tiles button").nth(101).click()
    expect(page.locator("#channel-h")).to_have_text("Channel 102 of 256: dog")
    text = page.locator("#unit-card")
    expect(text).to_contain_text("Fires most for: dog · right 62% of the time, 55–69; by chance it would be 21%.")
    expect(text).to_contain_text("the best of 1,000 test photos reaches 12")
    page.wait_for_function("() => document.querySelector('.unit-picture canvas').width === 16")
    expect_grey(page, ".unit-picture canvas", 101)
    page.locator("#tiles button").nth(100).click()
    expect(page.locator("#channel-h")).to_have_text("Channel 101 of 256")
    expect(text).to_contain_text("No label or word fits")
    page.locator(".unit-fed button").nth(1).click()
    expect(page.locator("#channel-h")).to_contain_text("Channel 41 of 384")
    expect(page.locator("#tiles [data-channel='40']")).to_be_focused()
    expect_grey(page, ".unit-picture canvas", 40)


def test_a_label_has_a_card_and_the_keyboard_reaches_and_leaves_it(visit: Visit, with_cards: str) -> None:
    page = visit(at="/#sample=desk&layer=conv5", address=with_cards)
    answered(page)
    dialog = page.locator("#label-card")
    page.locator(".unit-argues button").first.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog.locator("h3")).to_contain_text("what the network looks for")
    page.wait_for_function("() => document.querySelector('#label-card .unit-picture canvas').width === 16")
    expect_grey(page, "#label-card .unit-picture canvas", 7)
    violations = Axe().run(page).response["violations"]
    assert [found["id"] for found in violations] == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator(".unit-argues button").first).to_be_focused()
    page.locator("#open-label").click()
    expect(dialog).to_be_visible()
    dialog.locator(".unit-fed button").first.click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#channel-h")).to_contain_text("Channel 6 of 256")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (820, "light"), (1440, "dark")])
def test_the_card_fits_every_width(visit: Visit, with_cards: str, width: int, scheme: str) -> None:
    view = {"width": width, "height": 900}
    page = visit(at="/#sample=desk&layer=conv5", address=with_cards, viewport=view, color_scheme=scheme)
    answered(page)
    expect(page.locator(".unit-fed button")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [found["id"] for found in Axe().run(page).response["violations"]] == []


def test_a_network_without_cards_says_so_in_a_line_and_works(visit: Visit) -> None:
    page = visit(at="/#layer=conv3")
    page.route("**/units", lambda route: route.fulfill(json={"version": "1", "layers": []}))
    upload(page)
    page.locator("#tiles button").nth(3).click()
    expect(page.locator("#channel-h")).to_have_text("Channel 4 of 384")
    expect(page.locator("#unit-card")).to_have_text(
        "What each channel looks for has not been worked out for this network."
    )
    expect(page.locator("#map")).to_be_visible()
