"""Log formats: one line for each event, with the id of its request. A request body is never logged."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that the running code answers; empty outside a request."""
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""The id of the trace that the request is kept in; empty where it is not traced."""
_IDS = (request_id, trace_id)

_PLAIN = "%(asctime)s %(levelname)-7s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """Format a record as one JSON object; the values of ``extra={"facts": {...}}`` become fields of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object, without a line end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {one.name: current for one in _IDS if (current := one.get())}
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """Format a record as plain text, with its facts as ``name=value`` at the end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text, without a line end."""
        facts = {**{one.name: one.get() for one in _IDS}, **getattr(record, "facts", {})}
        tail = " ".join(f"{name}={value}" for name, value in facts.items() if value != "")
        return f"{super().format(record)} {tail}".rstrip()


def set_up(level: str, style: str) -> None:
    """Log everything from ``level`` on to stderr, as ``json`` or ``plain`` lines; for the process that serves."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else PlainLines(_PLAIN))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("PIL", "python_multipart", "asyncio"):
        logging.getLogger(noisy).setLevel("WARNING")
