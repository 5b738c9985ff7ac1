"""What training writes to be read, filled in from the templates beside this file."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from training.pages.chart import number


def fill(template: str, **given: Any) -> str:
    """A template filled in; HTML is escaped. Raises jinja2.UndefinedError where it asks for what was not given."""
    return _environment().get_template(template).render(given)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("training", "pages"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
    )  # fmt: skip
    environment.filters["number"] = number
    return environment
