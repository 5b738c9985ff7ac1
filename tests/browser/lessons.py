"""The lessons, opened at a step."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ROOT

CASES: dict[str, list[dict[str, Any]]] = json.loads((ROOT / "static/learn/cases.json").read_text("utf-8"))
STEPS = (
    "seeing",
    "convolution",
    "padding",
    "stride",
    "flip",
    "kernel",
    "depth",
    "overview",
    "relu",
    "lrn",
    "pooling",
    "dropout",
    "sgd",
    "field",
    "layers",
    "connected",
)


FROM_THE_NETWORK = {
    "depth": "learn-conv1 .size p:text('from the network')",
    "overview": ".labels li",
    "lrn": ".bars rect",
}
"""Step -> what is there once the network has answered."""


def lessons(visit: Callable[..., Page], step: str = "", **options: Any) -> Page:
    """The page, at a step if one is named."""
    page = visit(**options)
    page.goto(page.url + "learn" + (f"#{step}" if step else ""))
    if options.get("java_script_enabled", True):
        page.wait_for_selector("html[data-ready]")
    return page


def step(visit: Callable[..., Page], name: str, **options: Any) -> Locator:
    """One step, of which nothing was asked yet; nothing plays by itself unless the options say so."""
    page = lessons(visit, name, **{"reduced_motion": "reduce", **options})
    return page.locator(f"#{name}")


def read_all(page: Page) -> None:
    """Go through all steps, and wait for what each asks of the network."""
    for name in STEPS:
        for part in page.locator(f"#{name} figure:visible").all():
            part.scroll_into_view_if_needed()
        arrived(page, name)


def arrived(page: Page, name: str) -> None:
    """Until a step that asks the network something has its answer; the others have all they need."""
    if name in FROM_THE_NETWORK:
        expect(page.locator(f"#{name} {FROM_THE_NETWORK[name]}")).not_to_have_count(0)


def slide(section: Locator, name: str, value: float) -> None:
    """Move a slider, as its keys would."""
    section.locator(f'input[type="range"][name="{name}"]').evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def written(value: float) -> str:
    """A number as the page writes it."""
    return f"{value:,.2f}".rstrip("0").rstrip(".").replace("-", "−")
