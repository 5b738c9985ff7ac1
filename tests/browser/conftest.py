"""A real server process and a real headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

from model.checkpoint import PRETRAINED
from tests.app.server import served
from tests.tiny import tiny_checkpoint

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "static" / "samples"
CAT = SAMPLES / "chelsea.webp"
NOTES: Any = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Buy milk."}

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped network, or a tiny one where none is shipped."""
    if PRETRAINED.is_file():
        return PRETRAINED
    return tiny_checkpoint(tmp_path_factory.mktemp("net") / "tiny.safetensors")


@pytest.fixture(scope="session")
def server(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of ``glassbot serve``, ready to look."""
    with served(network, tmp_path_factory.mktemp("server") / "log") as running:
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


@pytest.fixture
def visit(chromium: Browser, server: str) -> Iterator[Visit]:
    """Opens the page, at ``at``; afterwards nothing may have been logged as an error or asked of another origin."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def open_page(*, at: str = "/", address: str = server, **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else troubles.append(r.url))
        page.goto(address + at)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Chromium itself logs refused and broken requests; what the page makes of them is tested by name.
    assert [trouble for trouble in troubles if not trouble.startswith("Failed to load resource")] == []


def upload(page: Page, photo: Any = CAT) -> None:
    """Until the answer, its map and the layers are all there."""
    page.set_input_files("#file", photo)
    answered(page)


def answered(page: Page) -> None:
    """Until the answer that is under way, its map and the layers are all there."""
    page.wait_for_selector("#answer:not(.working):not(.trouble) #bars button")
    page.wait_for_selector("#cam[data-label]:not([hidden])")
    page.wait_for_selector("#layers-body:not(.working)")
