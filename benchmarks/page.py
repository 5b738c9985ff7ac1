"""``python -m benchmarks.page``: the time until an answer and all its maps are on the screen, in headless Chromium.

Once from the answer, over a fast line; once from the choice of a photo of 1.66 MB, over one of 750 kbit/s up.

Each run takes another photo, so that no cache helps. The clock starts when the answer to ``POST /predict`` is there and
stops when the browser has painted the sheets of all layers. The sheets are then checked: a blank one ends the run.
"""

from __future__ import annotations

import argparse
import json
import shutil
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks import photos
from benchmarks.options import exit_on_sigterm, whole
from benchmarks.servers import CORES, Program, processor, running
from model.checkpoint import PRETRAINED

GOAL_MS = 300
SERVED = Program("Glassbot", ("app", "serve"), "/readyz", "raw")
"""Glassbot as its users start it, with its caches."""

# When the frame after the one that drew the tiles begins, that one is on the screen.
_WATCH = """
window.painted = new Promise((done) => new PerformanceObserver((list) => {
  if (!list.getEntriesByName("drawn").length) return;
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
}).observe({ type: "mark" }));
"""
_READ = """async () => {
  const painted = await window.painted;
  const answered = performance.getEntriesByName("answered")[0].startTime;
  const sheets = [...document.querySelectorAll("#overview canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  return { painted: painted - answered, drawn: performance.getEntriesByName("drawn")[0].startTime - answered, sheets };
}"""


SLOW_LINE = 750_000 / 8
"""Bytes a second that the slow line takes up; down it is as fast as the machine."""
SLOW_GOAL = 1.2
"""Times the time to the sentence that the maps may take over the slow line: the photo is sent once."""

_SLOW_WATCH = """() => {
  window.times = { sent: 0 };
  document.querySelector("#file").addEventListener("change", () => { window.times.began = performance.now(); }, true);
  const send = XMLHttpRequest.prototype.send;
  const count = (body) => { window.times.sent += body?.size ?? 0; };
  XMLHttpRequest.prototype.send = function (body) { count(body); return send.call(this, body); };
  const { fetch } = window;
  window.fetch = (url, options) => { count(options?.body); return fetch(url, options); };
  const look = () => {
    const is = (selector) => document.querySelector(selector) !== null;
    if (is("#answer:not(.working):not(.trouble) #bars button")) window.times.sentence ??= performance.now();
    const isMapped = is("#cam[data-label]:not([hidden])") && is("#layers-body:not(.working)");
    if (isMapped) window.times.maps = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}"""


def measure_slowly(page: Page, address: str, jpeg: bytes) -> dict[str, float]:
    """Return the milliseconds from the choice of a photo to ``sentence`` and ``maps``, and the bytes ``sent``."""
    page.goto(address, wait_until="networkidle")
    page.wait_for_timeout(1000)
    page.evaluate(_SLOW_WATCH)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": SLOW_LINE}
    line.send("Network.emulateNetworkConditions", conditions)
    photo: Any = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": jpeg}
    page.set_input_files("#file", photo)
    page.wait_for_function("() => window.times.maps", timeout=300_000)
    times = page.evaluate("window.times")
    line.detach()
    return {
        "sentence": times["sentence"] - times["began"],
        "maps": times["maps"] - times["began"],
        "sent": times["sent"],
    }


def measure(page: Page, address: str, jpeg: bytes) -> dict[str, Any]:
    """Return the milliseconds from the answer for one photo, ``drawn`` and ``painted``, and the colours of each sheet.

    Raises RuntimeError where a sheet is blank.
    """
    page.goto(address, wait_until="networkidle")
    page.wait_for_timeout(1000)  # a user takes at least as long to choose a photo
    photo: Any = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": jpeg}
    page.set_input_files("#file", photo)
    times: dict[str, Any] = page.evaluate(_READ)
    if len(times["sheets"]) != 10 or min(times["sheets"]) < 8:
        raise RuntimeError(f"Not every layer was drawn: {times['sheets']} colours on their sheets.")
    return times


def run(count: int, slow: int = 0) -> dict[str, Any]:
    """Measure ``count`` photos, after one that warms up, and ``slow`` over the slow line, and return the report."""
    with running(SERVED, PRETRAINED) as server, sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(_WATCH)
        measured = [measure(page, server.address, jpeg) for jpeg in photos.ordinary(count + 1)][1:]
        patient = [
            measure_slowly(browser.new_page(viewport={"width": 1440, "height": 900}), server.address, jpeg)
            for jpeg in photos.telephone(slow)
        ]
        version = browser.version
        browser.close()
    times = {key: [round(one[key], 1) for one in measured] for key in ("drawn", "painted")}
    return {
        "n": count,
        "chromium": version,
        "machine": f"{CORES} cores of {processor()}",
        "goal_ms": GOAL_MS,
        "ms": times,
        "slow": patient,
    }


def show(report: dict[str, Any]) -> None:
    """Print the report as a table."""
    table = Table(title=f"from the answer, n = {report['n']}, Chromium {report['chromium']}, {report['machine']}")
    for column in ("until", "median", "most", "goal"):
        table.add_column(column)
    for event, key, goal in (
        ("all tiles of all layers are drawn", "drawn", ""),
        ("all of them are on the screen", "painted", f"≤ {report['goal_ms']} ms"),
    ):
        times = report["ms"][key]
        table.add_row(event, f"{median(times):.0f} ms", f"{max(times):.0f} ms", goal)
    Console().print(table)
    if report["slow"]:
        show_slow(report["slow"])


def show_slow(measured: list[dict[str, float]]) -> None:
    """Print what was measured over the slow line as a table."""
    table = Table(title=f"from the choice of a photo of 1.66 MB, 750 kbit/s up, n = {len(measured)}")
    for column in ("until", "median", "goal"):
        table.add_column(column)
    sentence, maps, sent = (median(one[key] for one in measured) for key in ("sentence", "maps", "sent"))
    table.add_row("the sentence", f"{sentence / 1000:.1f} s", "")
    table.add_row("all its maps", f"{maps / 1000:.1f} s ({maps / sentence:.2f} ×)", f"≤ {SLOW_GOAL} ×")
    table.add_row("bytes of photo sent", f"{sent / 1e6:.2f} MB", "once")
    Console().print(table)


def main() -> None:
    """Read the options, measure, and print the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--runs", type=whole(), default=20, help="number of photos (default: 20)")
    parser.add_argument("--slow", type=whole(0), default=3, help="photos over the slow line, 20 s each (default: 3)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = parser.parse_args()
    exit_on_sigterm()
    report = run(arguments.runs, arguments.slow)
    if arguments.json:
        print(json.dumps(report))
    else:
        show(report)


if __name__ == "__main__":
    main()
