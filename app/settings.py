"""Every setting, from ``GLASSBOT_…`` variables. The only file that reads the environment."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from model.checkpoint import PRETRAINED

PREFIX = "GLASSBOT_"


class SettingsError(ValueError):
    """A setting that cannot be used; the message is one sentence for the person who set it."""


class Settings(BaseSettings):
    """What an operator can choose; the environment variable is ``GLASSBOT_`` and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

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
    max_batch: int = Field(default=8, ge=1, le=256, description="Most pictures in one forward pass.")
    max_in_flight: int = Field(default=64, ge=1, le=10_000, description="Requests at once; more are answered 503.")
    deadline_s: float = Field(default=10, gt=0, le=600, description="Seconds from body to answer, else 504.")
    upload_s: float = Field(default=30, gt=0, le=3600, description="Seconds that a body may take, else 408.")
    drain_seconds: float = Field(
        default=0, ge=0, le=600, description="Seconds of answering on, with /readyz at 503, after SIGTERM."
    )
    cache_pictures: int = Field(default=64, ge=0, le=10_000, description="Prepared pictures kept, 0.2 MB each.")
    cache_outputs: int = Field(
        default=8, ge=0, le=1000, description="Pictures whose answers and activations are kept, up to 5 MB each."
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
    _refuse_misspelt()
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        what = first["msg"][:1].lower() + first["msg"][1:]
        raise SettingsError(f"{name} cannot be {str(first['input'])[:80]!r}: {what}.") from error


def _refuse_misspelt() -> None:
    """A variable that nearly has the name of a setting would be ignored without a word."""
    known = [name.upper() for name in Settings.model_fields]
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in known:
            for close in get_close_matches(name, known, n=1, cutoff=0.75):
                raise SettingsError(f"{variable} is no setting: did you mean {PREFIX}{close}?")
