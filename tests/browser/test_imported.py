"""The page of networks that are not the one of 2012: 64 kernels in one column, or a convolution less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from model import checkpoint
from model.architecture import Architecture
from tests.app.server import served
from tests.browser.conftest import PATIENCE, PATIENT, Visit, answered, drawn
from tests.tiny import OBJECTS, SCENES, WORDS, tiny_network

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("narrow")
    table = Architecture(
        outputs=len(OBJECTS) + len(SCENES) + len(WORDS), channels=(64, 192, 384, 256, 256), columns=1, lrn=None
    )
    checkpoint.save(folder / "narrow.safetensors", tiny_network(architecture=table), small=False)
    with served(folder / "narrow.safetensors", folder / "log", **PATIENT) as running:
        yield running.address.rstrip("/")


def test_the_kernels_are_counted_and_stand_in_one_column(visit: Visit, address: str, tmp_path: Path) -> None:
    page = visit(address=address)
    expect(page.locator("#kernels-h")).to_have_text("The 64 patterns it starts from")
    expect(page.locator("#kernels")).not_to_contain_text("graphics cards")
    expect(page.locator("#kernels figcaption")).to_have_count(0)
    expect(page.locator("#kernels .tiles i")).to_have_count(64)
    page.locator("#kernels").scroll_into_view_if_needed()
    drawn_tile = "() => getComputedStyle(document.querySelector('#kernels .tiles i')).backgroundImage !== 'none'"
    page.wait_for_function(drawn_tile)
    page.evaluate("Object.assign(new Image(), { src: 'model/filters.png' }).decode()")
    drawn(page)
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(httpx.get(f"{address}/model/filters.png", timeout=PATIENCE).content)
    kernels = Image.open(sheet).convert("RGB")
    assert kernels.size == (132, 66)
    for number in (0, 13, 63):  # the middle of a tile shows the middle of its kernel
        tile = page.locator("#kernels .tiles i").nth(number)
        tile.scroll_into_view_if_needed()
        tile.screenshot(path=tmp_path / "tile.png")
        shown = Image.open(tmp_path / "tile.png").convert("RGB")
        found = shown.getpixel((shown.width // 2, shown.height // 2))
        assert found == kernels.getpixel((number % 12 * 11 + 5, number // 12 * 11 + 5)), number


def test_its_layers_are_shown_as_they_are(visit: Visit, address: str) -> None:
    page = visit(address=address, at="/#sample=coffee")
    answered(page)
    expect(page.locator("#overview canvas")).to_have_count(10)
    expect(page.locator("#layer-note")).to_contain_text(f"{2 * 64 + 2 * 192 + 384 + 3 * 256:,} channels")
    page.get_by_role("button", name="Kernel 64:").click()
    expect(page.locator("#channel-h")).to_have_text("Channel 64 of 64")


def test_without_scripts_the_kernels_are_one_picture(visit: Visit, address: str) -> None:
    page = visit(address=address, java_script_enabled=False)
    picture = page.locator(".kernel-sheet")
    expect(picture).to_have_attribute("alt", "64 kernels of 11 by 11 pixels, 12 to a row")
    assert picture.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [132, 66]


@pytest.fixture(scope="module")
def shallow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a network without conv5, whose class maps are of conv4."""
    folder = tmp_path_factory.mktemp("shallow")
    table = Architecture(outputs=len(OBJECTS) + len(SCENES) + len(WORDS), without="conv5", lrn=None)
    checkpoint.save(folder / "shallow.safetensors", tiny_network(architecture=table), small=False)
    with served(folder / "shallow.safetensors", folder / "log", **PATIENT) as running:
        yield running.address.rstrip("/")


def test_the_layers_and_the_class_map_are_those_of_the_network_that_is_served(visit: Visit, shallow: str) -> None:
    page = visit(address=shallow, at="/#sample=coffee&layer=conv4")
    answered(page)
    names = page.locator("#layer-picker input").evaluate_all("all => all.map((input) => input.value)")
    assert names == ["all", "conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "pool5", "fc6", "fc7"]
    order = page.locator("#layers").get_by_role("radio", name="most important for")
    order.check()
    expect(page.locator("#layer-note")).not_to_contain_text("is known only")
    page.locator("#layer-picker [value=conv3]").check()
    expect(page.locator("#layer-note")).to_contain_text("is known only for conv4 and pool5")
    page.route("**/activations?*", lambda route: route.abort())  # the layer table says where conv4's cells lie
    page.reload()
    page.wait_for_selector("#cam[data-label]:not([hidden])")
