"""Finds the files of the pages: beside the package in the repository, or inside it in an installed wheel."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypedDict

PACKAGE = Path(__file__).resolve().parents[1]


class Sample(TypedDict):
    """A sample picture that the page offers to people who have none at hand."""

    file: str
    alt: str
    credit: str
    wrong: str
    """Why the network is wrong here, which makes it a failure to watch; empty where it is right."""


@cache
def web_root() -> Path:
    """The folder that holds ``templates`` and ``static``, whatever the current folder is. Raises FileNotFoundError."""
    for root in (PACKAGE / "_web", PACKAGE.parent):
        if (root / "templates").is_dir() and (root / "static").is_dir():
            return root
    raise FileNotFoundError(f"The page (templates/ and static/) is neither in {PACKAGE} nor beside it.")


def notebook() -> Path | None:
    """The executed notebook as one HTML page; None in an installed wheel, which has none."""
    page = web_root() / "notebooks" / "alexnet.html"
    return page if page.is_file() else None


@cache
def samples() -> tuple[Sample, ...]:
    """The sample pictures that ``static/samples/samples.json`` lists; none where there is no such file."""
    listing = web_root() / "static" / "samples" / "samples.json"
    if not listing.is_file():
        return ()
    return tuple(
        Sample(
            file=str(entry["file"]),
            alt=str(entry["alt"]),
            credit=str(entry["credit"]),
            wrong=str(entry.get("wrong", "")),
        )
        for entry in json.loads(listing.read_text("utf-8"))
    )
