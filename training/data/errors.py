"""The errors of picture sets: folders that cannot be used, and single pictures that cannot be decoded."""

from __future__ import annotations

from dataclasses import dataclass


class DataError(ValueError):
    """A data folder that cannot be used; the message is one sentence for the person who named it."""


class UnlabelledError(DataError):
    """A split whose pictures have no classes, as the test split of a competition."""


@dataclass(frozen=True)
class BrokenPicture:
    """A picture that cannot be decoded, and why."""

    name: str
    """Its path, or ``SHARD:ROW`` with rows counted from 0."""
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"
