"""A real server process and a real headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from model.checkpoint import PRETRAINED
from tests.app.server import served
from tests.tiny import tiny_checkpoint

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "static" / "samples"
CAT = SAMPLES / "chelsea.webp"
NOTES: Any = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Buy milk."}

PATIENCE = 60.0
"""Seconds that whatever is waited for may take: on a busy machine everything takes longer, and nothing is wrong."""

expect.set_options(timeout=1000 * PATIENCE)

PATIENT = {"GLASSBOT_DEADLINE_SECONDS": str(int(PATIENCE))}
"""A service that takes as long over an answer; by itself it gives up after ten seconds."""

Visit = Callable[..., Page]


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Let the page go on until the condition holds. Raises AssertionError where it does not come to hold in time."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, "waited in vain"
        page.wait_for_timeout(50)


class Watch:
    """Collects what goes wrong on pages: errors, complaints in the console, requests to another origin.

    A request that ends because its page was left (``net::ERR_ABORTED``) is nobody's fault. Chromium itself logs refused
    and broken requests as well; what the page makes of them is tested by name.
    """

    def __init__(self) -> None:
        self.troubles: list[str] = []

    def follow(self, page: Page, address: str, *, strictly: bool = False) -> Page:
        """Watch a page of the service at ``address``; strictly: every message and every failed request counts."""

        def message(entry: ConsoleMessage) -> None:
            refused = entry.text.startswith("Failed to load resource")
            if strictly or (entry.type in ("error", "warning") and not refused):
                self.troubles.append(entry.text)

        def failed(request: Request) -> None:
            if strictly and request.failure != "net::ERR_ABORTED":
                self.troubles.append(f"failed: {request.url} {request.failure}")

        def asked(request: Request) -> None:
            if not request.url.startswith((f"{address}/", "data:", "blob:")):
                self.troubles.append(request.url)

        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", message)
        page.on("requestfailed", failed)
        page.on("request", asked)
        return page


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped network, or a tiny one where none is shipped."""
    if PRETRAINED.is_file():
        return PRETRAINED
    return tiny_checkpoint(tmp_path_factory.mktemp("net") / "tiny.safetensors")


@pytest.fixture(scope="session")
def server(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of ``glassbot serve``, ready to look."""
    with served(network, tmp_path_factory.mktemp("server") / "log", **PATIENT) as running:
        yield running.address.rstrip("/")


@pytest.fixture(scope="module")  # its event loop must not outlive the browser tests
def driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


def launch(driver: Playwright, *flags: str) -> Browser:
    """Chromium; where there is none, the test is skipped."""
    system = shutil.which("chromium") or shutil.which("chromium-browser")
    flags = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", *flags)
    try:
        return driver.chromium.launch(executable_path=system, args=flags)
    except Error as error:
        pytest.skip(f"no browser (chromium) can be started here: {error.message.splitlines()[0]}")


@pytest.fixture(scope="module")
def chromium(driver: Playwright) -> Iterator[Browser]:
    browser = launch(driver)
    yield browser
    browser.close()


def unwatched(chromium: Browser, **options: Any) -> Page:
    """A page in a context of its own, as patient as those that are watched."""
    page = chromium.new_page(**options)
    page.set_default_timeout(1000 * PATIENCE)
    return page


def close(context: BrowserContext) -> None:
    """Leave all its pages; what their routes still answer fails no later test.

    A page is left before its routes are: what it still fetches would go past them.
    """
    for page in context.pages:
        page.goto("about:blank")
        page.unroute_all(behavior="ignoreErrors")
    context.close()


@pytest.fixture
def visit(chromium: Browser, server: str) -> Iterator[Visit]:
    """Opens the page, at ``at``; afterwards nothing may have been logged as an error or asked of another origin."""
    contexts: list[BrowserContext] = []
    watch = Watch()

    def open_page(*, at: str = "/", address: str = server, **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = watch.follow(context.new_page(), address)
        page.goto(address + at)
        return page

    yield open_page
    for context in contexts:
        close(context)
    assert watch.troubles == []


@contextmanager
def another_photo(page: Page) -> Iterator[None]:
    """Until what the block brings about is answered: the answer before stands until the next photo has been read."""
    before = page.locator("#photo img").element_handle()
    yield
    page.wait_for_function("before => !before.isConnected", arg=before)
    answered(page)


def upload(page: Page, photo: Any = CAT) -> None:
    """Until the answer, its map and the layers are all there."""
    with another_photo(page):
        page.set_input_files("#file", photo)


def kept(page: Page, database: str = "glassbot") -> list[str]:
    """The ids of the photos that the browser keeps."""
    ids: list[str] = page.evaluate(
        """(name) => new Promise((resolve) => { indexedDB.open(name, 1).onsuccess = ({ target: { result } }) => {
      result.transaction("photos").objectStore("photos").getAllKeys().onsuccess = ({ target }) => {
        result.close();
        resolve(target.result);
      }; }; })""",
        database,
    )
    return ids


def one_is_kept(page: Page) -> None:
    """Until the browser keeps the photo by its SHA-256, as the history names it: a reload finds no other."""
    until(page, lambda: [len(one) for one in kept(page)] == [64])


def stop_the_clock(page: Page) -> None:
    """From now on time passes on the page only where a test lets it run, however busy the machine is."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)


def prefetched(page: Page) -> None:
    """Until the page has fetched what an answer will need."""
    page.wait_for_function("() => performance.getEntriesByName(new URL('static/js/lazy-bundle.js', location)).length")
    page.evaluate("import(new URL('static/js/lazy-bundle.js', location)).then(() => {})")  # and all that it imports


def drawn(page: Page) -> None:
    """Until the page has drawn what it has to draw now."""
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")


def answered(page: Page) -> None:
    """Until the answer that is under way, its map and the layers are all there."""
    page.wait_for_selector("#answer:not(.working):not(.trouble) #bars button")
    page.wait_for_selector("#cam[data-label]:not([hidden])")
    page.wait_for_selector("#layers-body:not(.working)")
