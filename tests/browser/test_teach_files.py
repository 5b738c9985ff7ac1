"""What teaching saves and opens: the examples file, which Python reads and writes as well, and the photos by folder."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import save as save_tensors

from model.teaching.examples import Examples, Photos
from model.teaching.examples import read as read_examples
from tests.browser.conftest import CAT, Visit
from tests.browser.teaching import CUP, card, give, learned, opened, photos_of, taught

pytestmark = pytest.mark.browser


def saved(page: Page, button: str) -> bytes:
    """The file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_bytes()


def open_file(page: Page, body: bytes) -> None:
    page.set_input_files("#open-file", {"name": "a", "mimeType": "application/octet-stream", "buffer": body})


def forget(page: Page) -> None:
    page.get_by_role("button", name="Forget everything").first.click()
    page.locator("#sure-yes").click()
    expect(page.locator("#things")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('glassbot-taught')") is None


def test_a_file_is_saved_forgotten_and_opened_again(visit: Visit, tmp_path: Path) -> None:
    page = taught(visit, tmp_path)
    file = saved(page, "Save file")
    examples = read_examples(file)
    assert {name: len(photos) for name, photos in examples.things.items()} == {"my cup": 10, "Mimi": 6}
    assert examples.size == examples.things["Mimi"].embeddings.shape[1]
    forget(page)
    open_file(page, file)
    expect(page.locator("#kept")).to_have_text("Opened: 16 photos of 2 names, as numbers.")
    learned(page, "my cup", 10)
    expect(card(page, "my cup")).to_contain_text("10 photos are here only as numbers, from a file.")
    open_file(page, file)
    expect(page.locator("#kept")).to_have_text("Everything in that file is here already.")
    assert read_examples(saved(page, "Save file")).things.keys() == examples.things.keys()
    give(page, "my cup", photos_of(CUP, 1, tmp_path))  # the same file as before: now it has its photo again
    expect(card(page, "my cup").locator(".thumbs img")).to_have_count(1)
    expect(card(page, "my cup")).to_contain_text("9 photos are here only as numbers")


def test_opening_adds_to_what_is_there_and_names_what_cannot_be_taken(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    cups = photos_of(CUP, 4, tmp_path)
    give(page, "my cup", cups[:3])
    learned(page, "my cup", 3)
    mine = read_examples(saved(page, "Save file"))
    photos = mine.things["my cup"]
    further, outside = (Photos((two * 32,), photos.embeddings[:1]) for two in ("ab", "cd"))
    theirs = Examples(mine.network, mine.size, {"a cup": photos, "my cup": further}, outside)
    open_file(page, theirs.to_bytes())
    expect(page.locator("#kept")).to_contain_text("Opened: 2 photos of 2 names")
    expect(page.locator("#kept")).to_contain_text("3 photos of “a cup” are already among those of “my cup”.")
    learned(page, "my cup", 4)
    expect(card(page, "")).to_contain_text("1 photo")
    other = Examples("0123456789ab", mine.size, {"x": Photos(("ef" * 32,), further.embeddings)})
    open_file(page, other.to_bytes())
    expect(page.locator("#kept")).to_contain_text("This file belongs to another network (0123456789ab; here it is ")


NAME = "a" * 64
HEADER: dict[str, Any] = {
    "format": "glassbot-examples-1",
    "network": "0123456789ab",
    "size": 2,
    "things": [{"name": "x", "photos": [NAME]}],
    "outside": [],
}
TENSOR = {"dtype": "F16", "shape": [1, 2], "data_offsets": [0, 4]}


def packed(header: Any, tensors: dict[str, Any], data: bytes = b"\0\0\0\0") -> bytes:
    """A safetensors file, written by hand."""
    metadata = {"__metadata__": {"glassbot-examples": json.dumps(header)}}
    text = json.dumps(metadata | tensors).encode()
    return struct.pack("<Q", len(text)) + text + data


OTHERS = "This is not a file of things that Glassbot learned."
BROKEN = {
    "empty": (b"", OTHERS),
    "text": (b"Buy milk, and more than eight bytes of it.", OTHERS),
    "endless": (struct.pack("<Q", 2**63) + b"{}", OTHERS),
    "no JSON": (struct.pack("<Q", 2) + b"{'", OTHERS),
    "other metadata": (packed({"format": "other"}, {"0": TENSOR}), OTHERS),
    "other network": (packed(HEADER | {"network": "XYZ"}, {"0": TENSOR}), OTHERS),
    "no photos": (packed(HEADER | {"things": [{"name": "x", "photos": []}]}, {"0": TENSOR}), OTHERS),
    "no SHA-256": (packed(HEADER | {"things": [{"name": "x", "photos": ["1"]}]}, {"0": TENSOR}), OTHERS),
    "two tensors": (packed(HEADER, {"0": TENSOR, "1": TENSOR}), "This file names photos that are not in it"),
    "none": (packed(HEADER, {}), "This file names photos that are not in it"),
    "cut": (packed(HEADER, {"0": TENSOR}, b"\0\0"), "This file is not whole"),
    "tail": (packed(HEADER, {"0": TENSOR}, b"\0" * 5), "This file is not whole"),
    "dtype": (packed(HEADER, {"0": TENSOR | {"dtype": "F32"}}), "have another size"),
    "shape": (packed(HEADER, {"0": TENSOR | {"shape": [2, 1]}}), "have another size"),
    "infinite": (packed(HEADER, {"0": TENSOR}, b"\0\x7c\0\0"), "numbers that nobody can count with"),
    "twice": (packed(HEADER | {"outside": [NAME]}, {"0": TENSOR, "outside": TENSOR}), "the same photo under two names"),
    "same name": (packed(HEADER | {"things": HEADER["things"] * 2}, {"0": TENSOR}), "the same name twice"),
}


def test_what_is_no_such_file_is_refused_in_one_sentence(visit: Visit) -> None:
    page = opened(visit)
    for what, (body, why) in BROKEN.items():
        page.evaluate("document.querySelector('#kept').textContent = ''")
        open_file(page, body)
        expect(page.locator("#kept"), what).to_contain_text(why)
    expect(page.locator("#things")).to_be_hidden()


def test_the_page_writes_what_it_reads(visit: Visit) -> None:
    numbers = np.array([[0.5, -65504], [6e-8, 1.0009765625]], np.float16)
    name = "Ünïcode “mug” ☕"
    outside = Photos(("12" * 32,), numbers[:1])
    many = {str(i): Photos((f"{i:064x}",), numbers[1:]) for i in range(11)}
    examples = Examples("0123456789ab", 2, {name: Photos(("ab" * 32, "cd" * 32), numbers), **many}, outside)
    again = opened(visit).evaluate(
        """async (bytes) => {
      const { read, write } = await import(new URL("static/js/teach/examples-file.js", location.href));
      return [...write(read(new Uint8Array(bytes).buffer))];
    }""",
        list(examples.to_bytes()),
    )
    back = read_examples(bytes(again))
    assert back.header() == examples.header()
    for key, tensor in examples.tensors().items():
        assert back.tensors()[key].tobytes() == tensor.tobytes()
    assert struct.unpack_from("<Q", bytes(again))[0] % 8 == 0


def test_numbers_become_the_nearest_float16(visit: Visit) -> None:
    chance = np.random.default_rng(0)
    values = (chance.normal(size=2000) * 10.0 ** chance.integers(-9, 6, 2000)).astype(np.float32)
    edges = np.array([0, -0.0, 65504, 65520, 2**-24, 2**-25, 3 * 2**-25, 2049, 2051, 1e-40], np.float32)
    values = np.concatenate([values, edges])
    with np.errstate(over="ignore"):
        wanted = values.astype(np.float16).view(np.uint16).tolist()
    found = opened(visit).evaluate(
        """async (values) => {
      const { halves } = await import(new URL("static/js/teach/half.js", location.href));
      return [...halves(values)];
    }""",
        values.astype(float).tolist(),
    )
    assert found == wanted


def test_the_photos_are_exported_by_folder(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    cups, cats = photos_of(CUP, 3, tmp_path / "a"), photos_of(CAT, 2, tmp_path / "b")
    same_name = [cats[0].rename(tmp_path / "b" / "one.jpg"), cats[1]]
    other = tmp_path / "c" / "one.jpg"
    other.parent.mkdir()
    cats[1].rename(other)
    same_name[1] = other
    give(page, "my cup: red/white", cups)
    give(page, "Mimi", [same_name[0]])
    give(page, "Mimi", [same_name[1]])
    archive = zipfile.ZipFile(io.BytesIO(saved(page, "Export photos")))
    assert archive.testzip() is None
    wanted = {f"my cup_ red_white/{cup.name}": cup for cup in cups}
    wanted |= {"Mimi/one.jpg": same_name[0], "Mimi/one-2.jpg": other}
    assert set(archive.namelist()) == set(wanted)
    for name, file in wanted.items():
        assert archive.read(name) == file.read_bytes()
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    expect(page.locator("#kept")).to_have_text("5 photos saved.")


def test_the_file_of_a_taught_network_opens_and_that_of_another_says_why_not(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    learned(page, "my cup", 3)
    examples = read_examples(saved(page, "Save file"))
    network = {"conv1.weight": np.zeros((2, 3, 1, 1), np.float32), "conv1.bias": np.zeros(2, np.float32)}
    about = {"format": "glassbot-1", "taught": {"examples": examples.header()}}
    own = {f"taught.examples.{name}": numbers for name, numbers in examples.tensors().items()}
    taught_file = save_tensors({**network, **own}, metadata={"glassbot": json.dumps(about)})
    forget(page)
    open_file(page, taught_file)
    expect(page.locator("#kept")).to_have_text("Opened: 3 photos of 1 name, as numbers.")
    open_file(page, save_tensors(network, metadata={"glassbot": json.dumps({"format": "glassbot-1"})}))
    expect(page.locator("#kept")).to_contain_text("This is a network that was taught nothing")


def test_what_is_forgotten_cannot_be_brought_back(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    give(page, "my cup", photos_of(CUP, 3, tmp_path))
    give(page, "Mimi", photos_of(CAT, 3, tmp_path))
    card(page, "Mimi").locator(".acts button", has_text="Remove").click()
    expect(page.locator("#undo")).to_be_visible()
    forget(page)
    expect(page.locator("#undo")).to_be_hidden()
