"""Metrics for Prometheus, which an operator watches.

Each application has a registry of its own, so that tests can have many. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one running service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("glassbot_requests", "Answers.", ("route", "method", "status"), registry=self.registry)
        self.latency = self._seconds("request", "From the first byte of a request to its answer.", "route")
        self.rejected = Counter(
            "glassbot_rejected", "Problems answered, by reason.", ("reason",), registry=self.registry
        )
        self.decode = self._seconds("decode", "Bytes to prepared pixels, waiting for a thread included.")
        self.queue = self._seconds("queue", "Waiting for the network.")
        self.model = self._seconds("model", "A forward pass, of a whole batch.")
        self.batch = Histogram(
            "glassbot_batch_size", "Pictures in a forward pass.", buckets=(1, 2, 4, 8, 16, 32), registry=self.registry
        )
        self.info = Info("glassbot_model", "The network that answers.", registry=self.registry)
        self.ready = Gauge("glassbot_ready", "1 while ready.", registry=self.registry)

    def watch(self, name: str, what: str, read: Callable[[], float]) -> None:
        """Export a gauge ``glassbot_<name>`` whose value is read at each scrape."""
        Gauge(f"glassbot_{name}", what, registry=self.registry).set_function(read)

    def render(self) -> bytes:
        """All metrics in the text format that Prometheus scrapes."""
        return generate_latest(self.registry)

    def _seconds(self, name: str, what: str, *labels: str) -> Histogram:
        return Histogram(f"glassbot_{name}_seconds", what, labels, buckets=_SECONDS, registry=self.registry)
