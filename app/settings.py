"""Every setting, from ``GLASSBOT_…`` variables. The only file that reads the environment.

``python -m app.settings > docs/settings.md`` writes them down for people.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from model.checkpoint import PRETRAINED

PREFIX = "GLASSBOT_"


class SettingsError(ValueError):
    """A setting that cannot be used; the message is one sentence for the person who set it."""


_KEY = re.compile(r"[!-~]+")
_ORIGIN = re.compile(r"\*|https?://[^/,?#\s*]+")


def _split(value: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, value.split(",")) if part)


def _keys(value: object) -> object:
    """A variable that was meant to hold keys and does not must not open the door."""
    if not isinstance(value, str):
        return value
    keys = _split(value)
    if not keys or not all(map(_KEY.fullmatch, keys)):
        raise ValueError("it takes keys of visible ASCII characters with commas between; leave it unset for none")
    return keys


def _paths(value: object) -> object:
    return _split(value) if isinstance(value, str) else value


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = _split(value)
    if not all(map(_ORIGIN.fullmatch, origins)):
        raise ValueError("an origin is * or looks like https://example.org, with no path and no slash at its end")
    return origins


class Settings(BaseSettings):
    """What an operator can choose; the environment variable is ``GLASSBOT_`` and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    checkpoint: Path = Field(default=PRETRAINED, description="The network to serve.")
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    root_path: str = Field(
        default="", pattern=r"^(/[^/\s]+)*$", description="Path prefix that a gateway strips, such as /glassbot."
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        default="auto", description="auto: torch where it is installed and sees a GPU, else OpenVINO."
    )
    precision: Literal["auto", "f32", "bf16"] = Field(default="auto", description="auto: bf16 where the chip has it.")
    threads: int = Field(default=0, ge=0, le=1024, description="Threads of the engine; 0 leaves the number to it.")
    decode_threads: int = Field(default=2, ge=1, le=64, description="Pictures decoded at the same time.")
    max_body_mb: float = Field(default=20, gt=0, le=1024, description="Largest body of one picture, in MB.")
    max_batch_body_mb: float = Field(default=100, gt=0, le=4096, description="Largest body of a batch, in MB.")
    max_batch_files: int = Field(default=64, ge=1, le=1024, description="Most files in one /predict/batch.")
    max_jpeg_mpx: float = Field(default=100, gt=0, le=1000, description="Most megapixels of a JPEG, decoded scaled.")
    max_mpx: float = Field(default=40, gt=0, le=1000, description="Most megapixels of any other picture.")
    max_batch: int = Field(default=16, ge=1, le=256, description="Most pictures in one forward pass.")
    max_wait_ms: float = Field(
        default=150, gt=0, le=60_000, description="Milliseconds of work that may wait for the network; more is a 503."
    )
    max_in_flight: int = Field(default=64, ge=1, le=10_000, description="Requests in memory, slow senders included.")
    deadline_s: float = Field(default=10, gt=0, le=600, description="Seconds from body to answer, else 504.")
    upload_s: float = Field(default=30, gt=0, le=3600, description="Seconds that a body may take, else 408.")
    drain_seconds: float = Field(
        default=0, ge=0, le=600, description="Seconds of answering on, with /readyz at 503, after SIGTERM."
    )
    cache_pictures: int = Field(default=64, ge=0, le=10_000, description="Prepared pictures kept, 0.2 MB each.")
    cache_outputs: int = Field(
        default=8, ge=0, le=1000, description="Pictures whose answers and activations are kept, up to 5 MB each."
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_keys)] = Field(
        default=(), description="Keys, one of which must come as X-API-Key with every picture; all else stays open."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        default=(), description="Origins whose pages may call, such as https://example.org, or * for all."
    )
    runs: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)] = Field(
        default=(), description="Folders that training wrote, to be looked at on /training beside the shipped run."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged.")
    log_format: Literal["json", "plain"] = Field(default="json", description="One JSON object a line, or plain text.")

    @property
    def max_body(self) -> int:
        """Bytes."""
        return int(self.max_body_mb * 1_000_000)

    @property
    def max_batch_body(self) -> int:
        """Bytes."""
        return int(self.max_batch_body_mb * 1_000_000)


def read_settings(**chosen: Any) -> Settings:
    """Settings from the environment; ``chosen`` ones that are not None go first. Raises SettingsError."""
    chosen = {name: value for name, value in chosen.items() if value is not None}
    _refuse_misspelt(chosen)
    try:
        return Settings(**chosen)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        what = first["msg"].removeprefix("Value error, ")
        what = what[:1].lower() + what[1:]
        if first["loc"][0] == "api_keys":  # never repeated, and no cause that would
            raise SettingsError(f"{name} cannot be used: {what}.") from None
        raise SettingsError(f"{name} cannot be {str(first['input'])[:80]!r}: {what}.") from error


def read_api_key(chosen: str | None) -> str | None:
    """What a client shows to a service: ``chosen``, or else ``GLASSBOT_API_KEY``. Raises SettingsError."""
    key = chosen or os.environ.get(f"{PREFIX}API_KEY") or None
    if key and not _KEY.fullmatch(key):
        raise SettingsError("The API key to show cannot be used: a key is of visible ASCII characters.")
    return key


def _refuse_misspelt(chosen: Collection[str]) -> None:
    """A variable that nearly has the name of a setting, and not of a chosen one, would be ignored without a word."""
    known = [name.upper() for name in Settings.model_fields]
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in known:
            for close in get_close_matches(name, known, n=1, cutoff=0.75):
                if close.lower() not in chosen:
                    raise SettingsError(f"{variable} is no setting: did you mean {PREFIX}{close}?")


def as_markdown() -> str:
    """The page of the documentation that lists every setting."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_takes(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = (
        "# Settings",
        "",
        "Environment variables; some are flags of `glassbot serve` as well, and a flag goes first. A value that cannot",
        "be used, or a misspelt name, ends the start with one sentence. This page is made by `python -m app.settings`.",
        "",
        "| variable | default | takes | meaning |",
        "|---|---|---|---|",
    )
    return "\n".join((*head, *rows, ""))


def _default(field: FieldInfo) -> str:
    if field.default == PRETRAINED:
        return "the shipped one"
    if field.default in ("", ()):
        return "none"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"


def _takes(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if kind in (int, float):
        bounds = {name: getattr(m, name) for m in field.metadata for name in ("gt", "ge", "le") if hasattr(m, name)}
        least = f"above {bounds['gt']:,}" if "gt" in bounds else f"{bounds['ge']:,}"
        return f"{'whole number' if kind is int else 'number'}, {least} to {bounds['le']:,}"
    if kind in (str, Path):
        return "text" if kind is str else "a path"
    choices = get_args(kind)
    return "a list with commas" if ... in choices else ", ".join(f"`{choice}`" for choice in choices)


if __name__ == "__main__":
    print(as_markdown(), end="")
