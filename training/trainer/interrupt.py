"""Ctrl-C and SIGTERM take effect between two steps, never inside one: half an update cannot be resumed."""

from __future__ import annotations

import signal
import sys
from types import FrameType, TracebackType
from typing import Any, Self


class InterruptGuard:
    """A context in which the first signal only sets :attr:`requested`; the second one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.requested = False
        """Whether Ctrl-C or SIGTERM arrived since the context was entered."""
        self._handlers_before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers_before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        print("Stopping after this step; once more to stop at once, at the last state.", file=sys.stderr)
