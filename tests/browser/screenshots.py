"""``python -m tests.browser.screenshots FOLDER``: every view at three widths, light and dark, as WebP.

The photo is one of the bundled samples that are CC0.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from model.checkpoint import PRETRAINED
from tests.app.server import served
from tests.browser.conftest import answered, launch

VIEWS = {
    "see": ("#sample=coffee", {390: 1350, 820: 1400, 1440: 2060}),
    "learn": ("learn", {390: 844, 820: 1180, 1440: 900}),
    "training": ("training", {390: 844, 820: 1180, 1440: 900}),
}
"""Name -> address, and for each width how much of the page is shown, in pixels."""
MOST, TOTAL = 96_000, 1_000_000
"""Bytes of one, and of all together."""

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def shot(browser: Browser, address: str, size: tuple[int, int], scheme: Scheme) -> Image.Image:
    """One view, once it is all there."""
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    if "sample=" in address:
        answered(page)
    page.wait_for_load_state("networkidle")
    png = page.screenshot()
    page.close()
    return Image.open(io.BytesIO(png)).convert("RGB")


def packed(picture: Image.Image) -> bytes:
    """A WebP of the best quality that fits. Raises ValueError where none does."""
    for quality in range(75, 19, -5):
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality, method=6)
        if file.tell() <= MOST:
            return file.getvalue()
    raise ValueError(f"No quality brings {picture.size} below {MOST} bytes.")


def main(folder: Path) -> None:
    """All of them. Raises ValueError where they are too large."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    with (
        tempfile.TemporaryDirectory() as kept,
        served(PRETRAINED, Path(kept) / "log") as running,
        sync_playwright() as driver,
    ):
        browser, address = launch(driver), running.address.rstrip("/")
        for view, (at, sizes) in VIEWS.items():
            for size in sizes.items():
                for scheme in SCHEMES:
                    file = folder / f"{view}-{size[0]}-{scheme}.webp"
                    total += file.write_bytes(packed(shot(browser, f"{address}/{at}", size, scheme)))
        browser.close()
    if total > TOTAL:
        raise ValueError(f"Together they take {total} bytes.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots"))
