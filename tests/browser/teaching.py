"""What the tests of teaching share: photos of one thing, and the steps on the page."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance, ImageOps
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import CAT, SAMPLES, Visit

CUP = SAMPLES / "coffee.webp"


def photos_of(thing: Path, number: int, folder: Path) -> list[Path]:
    """Photos of one thing: crops of a photo, some mirrored, some darker or brighter; no two are the same file."""
    chance = random.Random(thing.stem)
    whole = Image.open(thing).convert("RGB")
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for i in range(number):
        width, height = (int(chance.uniform(0.7, 0.95) * side) for side in whole.size)
        x, y = chance.randint(0, whole.width - width), chance.randint(0, whole.height - height)
        part = whole.crop((x, y, x + width, y + height))
        part = ImageOps.mirror(part) if i % 2 else part
        files.append(folder / f"{thing.stem}-{i}.jpg")
        ImageEnhance.Brightness(part).enhance(chance.uniform(0.7, 1.3)).save(files[-1], quality=88)
    return files


def opened(visit: Visit, **options: Any) -> Page:
    """The page, ready."""
    page = visit(at="/teach", **options)
    page.wait_for_selector("html[data-ready]")
    return page


def card(page: Page, name: str) -> Any:
    """The card of a thing."""
    return page.locator(f'.thing[data-name="{name}"]')


def give(page: Page, name: str, files: Any) -> None:
    """Give photos of a thing, and wait until all were looked at."""
    page.fill("#name", name)
    page.set_input_files("#files", files)
    expect(page.locator("#said")).to_contain_text(f"added to “{name}”")
    expect(page.locator("#going")).to_be_hidden()


def learned(page: Page, name: str, photos: int) -> None:
    """Until the service has learned a name from so many photos."""
    expect(card(page, name).locator(".facts-line")).to_contain_text(f"{photos} photos · ")
    expect(page.locator("#learned-body")).to_contain_text("It learned")


def taught(visit: Visit, folder: Path, **options: Any) -> Page:
    """The page with two things: a cup of ten photos and a cat of six."""
    page = opened(visit, **options)
    give(page, "my cup", photos_of(CUP, 10, folder))
    give(page, "Mimi", photos_of(CAT, 6, folder))
    learned(page, "my cup", 10)
    learned(page, "Mimi", 6)
    return page


def answer_with_numbers(route: Route) -> None:
    """As the service does, but at once: numbers that mean nothing."""
    photo = hashlib.sha256(route.request.post_data_buffer or b"").hexdigest()
    size = {"width": 9, "height": 9}
    image = {**size, "format": "JPEG", "sha256": photo, "crop": {"x": 0, "y": 0, **size}}
    answer = {"request_id": "x", "image": image, "network": "0123456789ab", "size": 2, "embedding": [0.5, -1.5]}
    route.fulfill(status=200, content_type="application/json", body=json.dumps(answer))
