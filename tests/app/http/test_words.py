"""One word for one thing on the pages: what a kernel answers over a photo is a map, a pattern of weights a kernel."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]
OTHERS = re.compile(r"\b(?:channels?|tiles?|drawings?|feature maps?)\b", re.I)
"""Other words for a map. A unit is one of a fully connected layer."""
ODD = re.compile(
    r"\bupright edges?\b|\blevel edges?\b|takes the left from the right|\bbends?\b|\bshrinks? alike\b|\bto touch\b|"
    r"\bquieten|\bThose who speak\b|learning goes by|makes shares of|kept aside|kept \d+ pictures of itself|"
    r"had nothing to fight|HEAD` is\s+one wherever",
    re.I,
)


def visible(page: str) -> str:
    """The text of a page, with its labels for those who do not see it."""
    labels = " ".join(re.findall(r'(?:aria-label|title|alt)="([^"]*)"', page))
    return re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", page, flags=re.S) + labels


def code_left_out(script: str) -> str:
    """A script without its comments and without what is computed inside its texts."""
    return re.sub(r"/\*.*?\*/|\$\{[^}]*\}", "", script, flags=re.S)


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["/learn", "/teach", "/training", "/docs"])
async def test_a_page_has_one_word_for_a_map(client: httpx.AsyncClient, address: str) -> None:
    text = visible((await client.get(address)).text)
    assert OTHERS.findall(text) == []
    assert ODD.findall(text) == []


@pytest.mark.parametrize("file", ["learn/strings.js", "teach/strings.js", "training/strings.js"])
def test_the_scripts_have_the_same_word(file: str) -> None:
    written = re.findall(r'"[^"]*"|`[^`]*`', code_left_out((ROOT / "static/js" / file).read_text("utf-8")))
    assert OTHERS.findall(" ".join(written)) == []
    assert ODD.findall(" ".join(written)) == []


@pytest.mark.parametrize("file", ["notebooks/alexnet.py", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_what_is_read_beside_the_pages_is_plain_too(file: str) -> None:
    assert ODD.findall((ROOT / file).read_text("utf-8")) == []
