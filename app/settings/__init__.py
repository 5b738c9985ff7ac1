"""The settings of the service, read from ``GLASSBOT_…`` variables. No other file reads the environment.

The name of a setting that has a unit ends with it: ``_seconds``, ``_ms``, ``_mb`` (10⁶ bytes) or ``_mpx`` (10⁶ pixels).
``python -m app.settings > docs/settings.md`` writes the page of the documentation.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Collection
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from model.checkpoint import PRETRAINED

PREFIX = "GLASSBOT_"
LAST_PORT = 65535
"""A socket takes a larger one for what is left of it after 65536."""
_KEY = re.compile(r"[!-~]+")
_ORIGIN = re.compile(r"\*|https?://[^/,?#\s*]+")


class SettingsError(ValueError):
    """Report a setting or an option that cannot be used; the message is one sentence for the person who set it."""


def _split(value: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, value.split(",")) if part)


def _keys(value: object) -> object:
    """Split a list of API keys; a variable that was meant to hold keys and holds none must not open the service."""
    if not isinstance(value, str):
        return value
    keys = _split(value)
    if not keys or not all(map(_KEY.fullmatch, keys)):
        raise ValueError("it takes keys of visible ASCII characters, separated by commas; leave it unset for no keys")
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


def _renamed(name: str, *, old: str) -> AliasChoices:
    """Accept the environment variable of the ``old`` name too, for one release; the new name wins if both are set."""
    return AliasChoices(f"{PREFIX}{name.upper()}", f"{PREFIX}{old.upper()}")


class Settings(BaseSettings):
    """What an operator can choose; the environment variable is ``GLASSBOT_`` and the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )

    checkpoint: Path = Field(default=PRETRAINED, description="The network to serve: a checkpoint file.")
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=LAST_PORT, description="Port to listen on; 0 takes a free one.")
    root_path: Annotated[str, AfterValidator(lambda path: path.rstrip("/"))] = Field(
        default="", pattern=r"^(/[^/\s]+)*/?$", description="Path prefix that a gateway strips, such as /glassbot."
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        default="auto",
        description="What runs the network; auto takes torch where it is installed and sees a GPU, else OpenVINO.",
    )
    precision: Literal["auto", "int8", "bf16", "f32"] = Field(
        default="auto",
        description="Number format of the convolutions; auto takes the first that processor and network support.",
    )
    threads: int = Field(
        default=0, ge=0, le=1024, description="Threads of the engine; 0 lets the engine choose their number."
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="Processes that answer; several share address, weights, cores and caches."
    )
    decode_threads: int = Field(default=2, ge=1, le=64, description="Pictures decoded at the same time.")
    max_body_mb: float = Field(
        default=20, gt=0, le=1024, description="Largest request body with one picture, in megabytes (10⁶ bytes)."
    )
    max_batch_body_mb: float = Field(
        default=100, gt=0, le=4096, description="Largest request body with several pictures, in megabytes."
    )
    max_batch_files: int = Field(default=64, ge=1, le=1024, description="Most pictures in one request.")
    max_jpeg_mpx: float = Field(
        default=210, gt=0, le=1000, description="Largest JPEG, in megapixels; a progressive one may have half as many."
    )
    max_mpx: float = Field(
        default=50, gt=0, le=1000, description="Largest picture of any other format, in megapixels of up to 4 bytes."
    )
    max_batch: int = Field(default=16, ge=1, le=256, description="Most pictures in one forward pass of the network.")
    max_wait_ms: float = Field(
        default=150,
        gt=0,
        le=60_000,
        description="Longest queue for the network, in milliseconds of its work; further requests are answered 503. "
        "Where the network is slow, more time makes larger batches: more answers, and later ones. "
        "Eight, or a full batch where that is less, are always admitted.",
    )
    max_in_flight: int = Field(
        default=64,
        ge=1,
        le=10_000,
        description="Most requests held in memory at once, those still being uploaded included.",
    )
    deadline_seconds: float = Field(
        default=10,
        gt=0,
        le=600,
        validation_alias=_renamed("deadline_seconds", old="deadline_s"),
        description="Longest time from the end of an upload to its answer, in seconds; after that it is answered 504.",
    )
    upload_seconds: float = Field(
        default=30,
        gt=0,
        le=3600,
        validation_alias=_renamed("upload_seconds", old="upload_s"),
        description="Longest time to upload a request body, in seconds; after that it is answered 408.",
    )
    keep_alive_seconds: int = Field(
        default=75, ge=1, le=3600, description="Time to keep idle connections, in seconds; more than a load balancer."
    )
    drain_seconds: float = Field(
        default=0,
        ge=0,
        le=600,
        description="Time after SIGTERM, in seconds, for which requests are still accepted while /readyz answers 503.",
    )
    # 256 outlast a minute in which four others arrive each second: who plays with a photo need not send it again.
    cache_pictures: int = Field(
        default=256, ge=0, le=10_000, description="Decoded pictures kept, of 0.16 MB each; ?image= can name them."
    )
    cache_outputs: int = Field(
        default=8, ge=0, le=1000, description="Pictures whose logits and activations are kept, up to 3.3 MB each."
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_keys)] = Field(
        default=(),
        description="API keys; a request with pictures or examples must send one as X-API-Key, all others need none.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        default=(),
        description="Origins whose pages may call the service, such as https://example.org, or * for all.",
    )
    runs: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)] = Field(
        default=(), description="Folders of training runs to show on /training, beside the run of the shipped network."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["json", "plain"] = Field(default="json", description="One JSON object per line, or plain text.")
    traces: Literal["off", "otlp"] = Field(default="off", description="otlp sends traces (docs/standards.md).")

    @property
    def max_body_bytes(self) -> int:
        """Largest request body with one picture, in bytes."""
        return int(self.max_body_mb * 1_000_000)

    @property
    def max_batch_body_bytes(self) -> int:
        """Largest request body with several pictures, in bytes."""
        return int(self.max_batch_body_mb * 1_000_000)

    @property
    def longest_request_seconds(self) -> int:
        """Whole seconds within which every accepted request is answered: its upload, its answer, and one to spare."""
        return int(self.upload_seconds + self.deadline_seconds) + 1

    @property
    def longest_stop_seconds(self) -> float:
        """Seconds from SIGTERM until the last request is answered or ended."""
        return self.drain_seconds + self.longest_request_seconds


def read_settings(**chosen: Any) -> Settings:
    """Read the settings from the environment; those in ``chosen`` that are not None win. Raises SettingsError."""
    chosen = {name: value for name, value in chosen.items() if value is not None}
    _refuse_misspelt(chosen)
    try:
        return Settings(**chosen)
    except ValidationError as error:
        first = error.errors()[0]
        variable = _variable(str(first["loc"][0]))
        reason = first["msg"].removeprefix("Value error, ")
        reason = reason[:1].lower() + reason[1:]
        if variable == f"{PREFIX}API_KEYS":  # keys are never repeated, and the cause would repeat them
            raise SettingsError(f"{variable} cannot be used: {reason}.") from None
        raise SettingsError(f"{variable} cannot be {str(first['input'])[:80]!r}: {reason}.") from error


def deprecated_variables() -> dict[str, str]:
    """Map each deprecated environment variable to the one that replaces it."""
    aliases = [field.validation_alias for field in Settings.model_fields.values()]
    choices = [list(map(str, alias.choices)) for alias in aliases if isinstance(alias, AliasChoices)]
    return {old: new for new, *deprecated in choices for old in deprecated}


def check_propagators() -> None:
    """Raise SettingsError where the framework cannot be imported for what OTEL_PROPAGATORS names."""
    with suppress(ImportError):
        try:
            importlib.import_module("opentelemetry.propagate")
        except ValueError as error:
            reason = str(error).split(". ")[0].rstrip(".")
            raise SettingsError(f"OTEL_PROPAGATORS cannot be used ({reason}): install its package.") from error


def deprecation_warnings() -> list[str]:
    """Say, in one sentence for each deprecated variable that is set, which variable replaces it."""
    return [
        f"{old} is deprecated and will be removed in the next release: set {new} instead."
        for old, new in deprecated_variables().items()
        if old in os.environ
    ]


def read_api_key(chosen: str | None) -> str | None:
    """Return the key that a client sends: ``chosen``, or else ``GLASSBOT_API_KEY``. Raises SettingsError."""
    key = chosen or os.environ.get(f"{PREFIX}API_KEY") or None
    if key and not _KEY.fullmatch(key):
        raise SettingsError("The API key cannot be used: a key consists of visible ASCII characters.")
    return key


def s3_endpoint() -> str | None:
    """Return the URL of an S3 that is not Amazon's, from the variables that Amazon's own programs read; None for it."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def _variable(location: str) -> str:
    """Name the environment variable that a validation error is about, as the operator spelt it."""
    variable = f"{PREFIX}{location.upper().removeprefix(PREFIX)}"
    spellings = [variable, *(old for old, new in deprecated_variables().items() if new == variable)]
    return next((spelling for spelling in spellings if spelling in os.environ), variable)


def _refuse_misspelt(chosen: Collection[str]) -> None:
    """Refuse a variable that almost has the name of a setting, unless ``chosen`` holds that setting anyway."""
    names = [name.upper() for name in Settings.model_fields]
    known = {*(f"{PREFIX}{name}" for name in names), *deprecated_variables()}
    for variable in sorted(os.environ):
        if not variable.startswith(PREFIX) or variable in known:
            continue
        for close in get_close_matches(variable.removeprefix(PREFIX), names, n=1, cutoff=0.69):
            if close.lower() not in chosen:
                raise SettingsError(f"{variable} is not a setting: did you mean {PREFIX}{close}?")
