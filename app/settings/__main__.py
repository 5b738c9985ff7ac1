"""Writes the page of the documentation that lists every setting: ``python -m app.settings > docs/settings.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from app.settings import PREFIX, Settings, deprecated_variables
from model.checkpoint import PRETRAINED

_INTRODUCTION = """\
# Settings

Settings are environment variables; some are also options of `glassbot serve`, and an option wins over its variable.
A value that cannot be used, or a misspelt name, ends the start with one sentence. This page is written by
`python -m app.settings`.

The name of a setting that has a unit ends with it: `_SECONDS`, `_MS` (milliseconds), `_MB` (megabytes, 10⁶ bytes) or
`_MPX` (megapixels, 10⁶ pixels).

| variable | default | values | meaning |
|---|---|---|---|
"""

_DEPRECATED = """
## Deprecated names

These still work in this release, log a warning at the start, and go with the next one. If both names are set, the new
one wins.

| deprecated | use instead |
|---|---|
"""


def as_markdown() -> str:
    """Write the page of the documentation that lists every setting."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_values(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    deprecated = [f"| `{old}` | `{new}` |\n" for old, new in deprecated_variables().items()]
    return "".join((_INTRODUCTION, *rows, _DEPRECATED, *deprecated))


def _default(field: FieldInfo) -> str:
    if field.default == PRETRAINED:
        return "the shipped network"
    if field.default in ("", ()):
        return "none"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"


def _values(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if kind in (int, float):
        bounds = {name: getattr(m, name) for m in field.metadata for name in ("gt", "ge", "le") if hasattr(m, name)}
        least = f"above {bounds['gt']:,}" if "gt" in bounds else f"{bounds['ge']:,}"
        return f"{'whole number' if kind is int else 'number'}, {least} to {bounds['le']:,}"
    if kind in (str, Path):
        return "text" if kind is str else "a path"
    return "a list, separated by commas" if ... in get_args(kind) else ", ".join(f"`{one}`" for one in get_args(kind))


if __name__ == "__main__":
    print(as_markdown(), end="")
