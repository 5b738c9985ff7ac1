"""Logs: one line for each thing, with the id of the request it belongs to. Never a body."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that the running code works for."""

_PLAIN = "%(asctime)s %(levelname)-7s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line; whatever is passed as ``extra={"facts": {...}}`` joins it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts = {"request_id": request_id.get(), **getattr(record, "facts", {})}
        tail = " ".join(f"{name}={value}" for name, value in facts.items() if value != "")
        return f"{super().format(record)} {tail}".rstrip()


def set_up(level: str, style: str) -> None:
    """Send everything to stderr; for the process that serves."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else PlainLines(_PLAIN))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("PIL", "python_multipart", "asyncio"):
        logging.getLogger(noisy).setLevel("WARNING")
