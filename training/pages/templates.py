"""Fills in the Jinja templates beside this file, of which the pages for people are made."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from training.pages.chart import number


def fill(template: str, **context: Any) -> str:
    """A template filled in; HTML is escaped. Raises jinja2.UndefinedError for a name that ``context`` lacks."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("training", "pages"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
    )
    environment.filters["number"] = number
    return environment
