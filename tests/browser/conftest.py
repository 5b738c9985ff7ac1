"""A real server process and a real headless Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from model.checkpoint import PRETRAINED
from tests.tiny import tiny_checkpoint

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "static" / "samples"
CAT = SAMPLES / "chelsea.webp"
NOTES: Any = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Buy milk."}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of ``glassbot serve`` with the shipped network, or a tiny one where none is shipped."""
    network = PRETRAINED if PRETRAINED.is_file() else tiny_checkpoint(tmp_path_factory.mktemp("net") / "t.safetensors")
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--checkpoint", str(network)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    said = ""
    for said in process.stdout:
        if "http://" in said:
            break
    address = "http://" + said.split("http://")[1].split()[0].rstrip("/.")
    until = time.monotonic() + 60
    while time.monotonic() < until and httpx.get(f"{address}/readyz").status_code != 200:
        time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture(scope="module")  # its event loop must not outlive the browser tests
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            browser = playwright.chromium.launch(
                executable_path=system, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
        except Error as error:
            pytest.skip(f"no browser (chromium) can be started here: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Opens the page; afterwards nothing may have been logged as an error or asked of another origin."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def open_page(**options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda r: None if r.url.startswith((server, "data:", "blob:")) else troubles.append(r.url))
        page.goto(server)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Chromium itself logs refused and broken requests; what the page makes of them is tested by name.
    assert [trouble for trouble in troubles if not trouble.startswith("Failed to load resource")] == []


def upload(page: Page, photo: Any = CAT) -> None:
    """Until the answer, its map and the layers are all there."""
    page.set_input_files("#file", photo)
    page.wait_for_selector("#cam[data-label]:not([hidden])")
    page.wait_for_selector("#layers-body:not(.working)")
