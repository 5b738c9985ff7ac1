"""Where the page lies: beside the package in the repository, inside it in an installed wheel."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypedDict

PACKAGE = Path(__file__).resolve().parents[1]


class Sample(TypedDict):
    """A picture that the page offers to people who have none at hand."""

    file: str
    alt: str
    credit: str


@cache
def web_root() -> Path:
    """The folder with ``templates`` and ``static``, whatever the current one. Raises FileNotFoundError."""
    for root in (PACKAGE / "_web", PACKAGE.parent):
        if (root / "templates").is_dir() and (root / "static").is_dir():
            return root
    raise FileNotFoundError(f"The page (templates/ and static/) is neither in {PACKAGE} nor beside it.")


def notebook() -> Path | None:
    """The executed notebook as one page; an installed wheel has none."""
    page = web_root() / "notebooks" / "alexnet.html"
    return page if page.is_file() else None


@cache
def samples() -> tuple[Sample, ...]:
    """What ``static/samples/samples.json`` lists; nothing where there is no such file."""
    listing = web_root() / "static" / "samples" / "samples.json"
    if not listing.is_file():
        return ()
    return tuple(
        Sample(file=str(one["file"]), alt=str(one["alt"]), credit=str(one["credit"]))
        for one in json.loads(listing.read_text("utf-8"))
    )
