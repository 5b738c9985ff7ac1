"""``python -m benchmarks.teaching``: from the tenth photo of a thing to the first answer with its name, in a browser.

Headless Chromium opens the page at ``/teach`` and gives nine photos a name, then the tenth. The clock starts when the
tenth is chosen; once the page says what it learned, another photo is tried, and the clock stops when its sentence is
shown. The second figure is all ten at once, on an empty page.
"""

from __future__ import annotations

import argparse
import shutil
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks import photos
from benchmarks.options import exit_on_sigterm, whole
from benchmarks.page import SERVED
from benchmarks.servers import CORES, processor, running
from model.checkpoint import PRETRAINED

GOAL_S = 2.0
_PHOTOS = 10
_FIRST_LINE = (__doc__ or "").splitlines()[0]
_LEARNED = """(photos) => {
  const line = document.querySelector('.thing[data-name="my mug"] .facts-line');
  const body = document.querySelector("#learned-body");
  return line?.textContent.startsWith(`${photos} photos`) && /^It learned/.test(body?.textContent ?? "");
}"""
_TRIED = """() => document.querySelector("#tried:not([hidden]) .acts")"""


def give(page: Page, jpegs: list[bytes], first: int = 0) -> None:
    """Give photos the name "my mug", without waiting for what comes of it."""
    page.fill("#name", "my mug")
    page.evaluate("window.began = performance.now()")
    files: Any = [
        {"name": f"{first + number}.jpg", "mimeType": "image/jpeg", "buffer": jpeg} for number, jpeg in enumerate(jpegs)
    ]
    page.set_input_files("#files", files)


def seconds_to_answer(page: Page, tried: bytes) -> float:
    """Return the seconds from the last photo that was given to the sentence about another one."""
    page.wait_for_function(_LEARNED, arg=_PHOTOS)
    photo: Any = {"name": "tried.jpg", "mimeType": "image/jpeg", "buffer": tried}
    page.set_input_files("#try-file", photo)
    page.wait_for_function(_TRIED)
    milliseconds: float = page.evaluate("performance.now() - window.began")
    return milliseconds / 1000


def opened(browser: Browser, address: str) -> Page:
    """The page for somebody who has not been here before."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{address}/teach", wait_until="networkidle")
    return page


def measure(browser: Browser, address: str, jpegs: list[bytes]) -> tuple[float, float]:
    """Return the seconds from the tenth photo, and from all ten together, to the first answer with them."""
    page = opened(browser, address)
    give(page, jpegs[: _PHOTOS - 1])
    page.wait_for_function(_LEARNED, arg=_PHOTOS - 1)
    give(page, jpegs[_PHOTOS - 1 : _PHOTOS], _PHOTOS - 1)
    tenth = seconds_to_answer(page, jpegs[_PHOTOS])
    page.context.close()
    page = opened(browser, address)
    give(page, jpegs[:_PHOTOS])
    whole = seconds_to_answer(page, jpegs[_PHOTOS])
    page.context.close()
    return tenth, whole


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.teaching", description=_FIRST_LINE)
    parser.add_argument("--runs", type=whole(), default=10, help="how many times (default: 10)")
    options = parser.parse_args()
    exit_on_sigterm()
    with running(SERVED, PRETRAINED) as server, sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox", "--disable-gpu"])
        every = photos.ordinary((options.runs + 1) * (_PHOTOS + 1))
        parts = [every[start : start + _PHOTOS + 1] for start in range(0, len(every), _PHOTOS + 1)]
        measured = [measure(browser, server.address, part) for part in parts][1:]
        version = browser.version
        browser.close()
    table = Table(title=f"n = {options.runs}, Chromium {version}, {CORES} cores of {processor()}")
    for column in ("from", "median", "most", "goal"):
        table.add_column(column)
    for name, seconds in zip(("the tenth photo", "ten photos at once"), zip(*measured, strict=True), strict=True):
        table.add_row(name, f"{median(seconds):.2f} s", f"{max(seconds):.2f} s", f"≤ {GOAL_S} s")
    Console().print(table)


if __name__ == "__main__":
    main()
