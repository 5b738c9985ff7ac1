"""``python -m benchmarks.hovering``: how long frames take while a pointer crosses the connected view.

In headless Chromium, without a graphics card. The pointer goes over every map of every layer, a few pixels at a time.
The time between two frames is measured in the page by ``requestAnimationFrame``; the first two do not count.
"""

from __future__ import annotations

import argparse
import json
import shutil
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.options import exit_on_sigterm
from benchmarks.servers import CORES, Program, processor, running
from model.checkpoint import PRETRAINED

SERVED = Program("Glassbot", ("app", "serve"), "/readyz", "raw")
WIDTHS = (390, 820, 1440)
FRAME_MS = 1000 / 60
_WATCH = """() => {
  window.frames_ms = [];
  let last = performance.now();
  const next = (now) => {
    window.frames_ms.push(now - last);
    last = now;
    window.watching = requestAnimationFrame(next);
  };
  window.watching = requestAnimationFrame(next);
}"""


def measure(page: Page, address: str) -> list[float]:
    """Return the milliseconds between frames while the pointer crosses all maps of the sample photo."""
    page.goto(f"{address}#sample=coffee")
    page.wait_for_selector("#layers-body:not(.working)")
    page.locator("#network").scroll_into_view_if_needed()
    page.wait_for_selector("#network-body:not(.working) .net-answer")
    page.locator(".net").evaluate("one => one.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(1000)
    maps = [box for one in page.locator(".net button").all() if (box := one.bounding_box())]
    page.evaluate(_WATCH)
    for box in maps:
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=6)
    times: list[float] = page.evaluate("() => { cancelAnimationFrame(window.watching); return window.frames_ms; }")
    return times[2:]


def run() -> dict[str, Any]:
    """Measure every width and return the report."""
    with running(SERVED, PRETRAINED) as server, sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox", "--disable-gpu"])
        ms = {}
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 1000})
            ms[width] = [round(time, 1) for time in measure(page, server.address)]
            page.close()
        version = browser.version
        browser.close()
    return {"chromium": version, "machine": f"{CORES} cores of {processor()}", "ms": ms}


def show(report: dict[str, Any]) -> None:
    """Print the report as a table."""
    title = f"frames while hovering, Chromium {report['chromium']}, {report['machine']}; 60 fps is {FRAME_MS:.1f} ms"
    table = Table(title=title)
    for column in ("width", "frames", "median", "95 %", "most", "within 1.5 frames"):
        table.add_column(column)
    for width, times in report["ms"].items():
        middle, late, most = np.percentile(times, [50, 95, 100])
        smooth = np.mean(np.array(times) <= 1.5 * FRAME_MS)
        table.add_row(
            f"{width} px", str(len(times)), f"{middle:.1f} ms", f"{late:.1f} ms", f"{most:.1f} ms", f"{smooth:.0%}"
        )
    Console().print(table)


def main() -> None:
    """Read the options, measure, and print the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hovering", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args()
    exit_on_sigterm()
    report = run()
    if options.json:
        print(json.dumps(report))
    else:
        show(report)


if __name__ == "__main__":
    main()
