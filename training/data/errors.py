"""What can be wrong with pictures."""

from __future__ import annotations

from dataclasses import dataclass


class DataError(ValueError):
    """A data folder that cannot be used; the message is one sentence for the person who named it."""


@dataclass(frozen=True)
class Broken:
    """A picture that cannot be decoded."""

    name: str
    """Its path, or ``SHARD:ROW`` with rows counted from 0."""
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"
