from __future__ import annotations

import hashlib
import re

import httpx
import pytest

from app.settings.__main__ import as_markdown
from tests.app.server import ROOT

SWAGGER = ROOT / "static" / "swagger"


@pytest.mark.anyio
async def test_the_page_of_the_contract_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert "static/swagger/swagger-ui-bundle.js" in links
    assert [link for link in links if "//" in link or link.startswith("/")] == []
    for link in links:
        assert (await client.get(link)).status_code == 200, link
    assert not re.search(r"<script[^>]*>[^<]", page.text), "an inline script"


@pytest.mark.anyio
async def test_its_policy_is_stricter_than_that_of_other_pages(client: httpx.AsyncClient) -> None:
    policy, other = [(await client.get(path)).headers["content-security-policy"] for path in ("/docs", "/")]
    assert policy != other
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_swagger_ui_is_what_its_listing_says() -> None:
    listing = (SWAGGER / "README.md").read_text("utf-8")
    sums = dict(re.findall(r"\| `(\S+)` \| `([0-9a-f]{64})` \|", listing))
    assert set(sums) == {path.name for path in SWAGGER.glob("*") if path.suffix in (".js", ".css")}
    for name, expected in sums.items():
        assert hashlib.sha256((SWAGGER / name).read_bytes()).hexdigest() == expected, name
    assert re.search(r"swagger-ui-dist` \d+\.\d+\.\d+", listing)
    assert "Apache License" in (SWAGGER / "LICENSE").read_text("utf-8")
    assert (SWAGGER / "NOTICE").is_file()


def test_the_page_of_settings_lists_them_as_they_are() -> None:
    written = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert written == as_markdown(), "write it anew: python -m app.settings > docs/settings.md"
