"""OpenTelemetry: one trace for each request, with a span for each step of its answer.

FastAPI makes the span of the request, beneath that of its caller (W3C ``traceparent``); the steps are added here. Where
traces go, which are kept and under which name are questions for the SDK's own ``OTEL_…`` variables. As they come, a
request whose caller does not keep its trace sends nothing.
"""

from __future__ import annotations

import asyncio
import logging
from threading import Thread
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry import trace
from starlette.types import ASGIApp, Receive, Scope, Send

from app import logs
from app.http.middleware import POLLED, path_of
from app.http.protocol import repeats
from app.settings import SettingsError

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import TracerProvider

_FLUSH_SECONDS = 2.0
"""Longest time that the end of the process waits for the last spans to be sent."""
_SERVICE = "glassbot"


class Tracing:
    """Sends traces until it is closed. Raises SettingsError where OpenTelemetry is not installed or wrongly set up."""

    def __init__(self) -> None:
        try:
            self._provider = _provider()
        except ImportError as error:
            raise SettingsError(
                "GLASSBOT_TRACES=otlp needs OpenTelemetry: install the extra, pip install 'glassbot[otel]'."
            ) from error
        except ValueError as error:
            raise SettingsError(f"An OTEL_… variable cannot be used: {str(error).rstrip('.')}.") from error
        self._tracer = self._provider.get_tracer(_SERVICE)
        logging.getLogger("opentelemetry.exporter").setLevel("ERROR")  # not each retry, only what is lost

    @property
    def telemetry(self) -> TelemetryConfig:
        """What FastAPI is told: the spans of requests, and nothing else."""
        return {
            "tracer_provider": self._provider,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": _is_untraced,
        }

    def step(self, step: str, began: float, ended: float, /, **facts: int) -> None:
        """Add one step to the span of the request that the running task answers (``app.inference.steps.Watch``)."""
        if not trace.get_current_span().is_recording():
            return
        epoch = time_ns() - perf_counter_ns()
        span = self._tracer.start_span(step, start_time=epoch + int(began * 1e9), attributes=facts)
        span.end(epoch + int(ended * 1e9))

    @staticmethod
    def ids_in_logs(app: ASGIApp) -> ASGIApp:
        """The middleware, around all others, that puts the id of a trace that is kept into its request's log lines."""

        async def with_id(scope: Scope, receive: Receive, send: Send) -> None:
            context = trace.get_current_span().get_span_context()
            token = logs.trace_id.set(trace.format_trace_id(context.trace_id) if context.trace_flags.sampled else "")
            try:
                await app(scope, receive, send)
            finally:
                logs.trace_id.reset(token)

        return with_id

    async def close(self) -> None:
        """Send what is left, for at most ``_FLUSH_SECONDS``; the collector may be gone."""
        flush = Thread(target=self._provider.shutdown, name="flush traces", daemon=True)
        flush.start()
        await asyncio.to_thread(flush.join, _FLUSH_SECONDS)


def _provider() -> TracerProvider:
    """The SDK as its variables set it up. Raises ImportError where it is missing, ValueError where they are wrong."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter()
    _check_address(exporter._endpoint)
    resource = Resource.create({SERVICE_NAME: _SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _check_address(address: str) -> None:
    """Raise ValueError for an address of the collector to which nothing could ever be sent."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # a port that is none raises
        raise ValueError(f"the collector's address {address!r} is no URL such as http://127.0.0.1:4318")


def _is_untraced(scope: Scope) -> bool:
    """Whether a request is one of those that machines ask again and again, or for a file of the page, or has a span."""
    path = path_of(scope)
    return path in POLLED or path.startswith("/static/") or repeats(scope)
