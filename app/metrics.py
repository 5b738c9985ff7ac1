"""The metrics that Prometheus scrapes. Each application has a registry of its own, so that tests can make many."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters, gauges and histograms of one running service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "glassbot_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self.latency = self._seconds("request", "Seconds from the first byte of a request to its answer.", "route")
        self.rejected = Counter(
            "glassbot_rejected", "Requests answered with a problem, by its type.", ("reason",), registry=self.registry
        )
        self.decode = self._seconds("decode", "Seconds to decode and resize a picture, waiting for a thread included.")
        self.queue = self._seconds("queue", "Seconds that a picture waited for the network.")
        self.model = self._seconds("model", "Seconds of a forward pass of one batch.")
        self.batch = Histogram(
            "glassbot_batch_size", "Pictures in a forward pass.", buckets=(1, 2, 4, 8, 16, 32), registry=self.registry
        )
        self.sentences = Counter(
            "glassbot_sentences", "Sentences said, by how sure they are.", ("tier",), registry=self.registry
        )
        self.info = Info("glassbot_model", "The network that answers.", registry=self.registry)
        self.ready = Gauge("glassbot_ready", "1 while the service is ready, else 0.", registry=self.registry)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add the gauge ``glassbot_{name}``, whose value is ``read()`` at each scrape."""
        Gauge(f"glassbot_{name}", description, registry=self.registry).set_function(read)

    def render(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _seconds(self, name: str, description: str, *labels: str) -> Histogram:
        return Histogram(f"glassbot_{name}_seconds", description, labels, buckets=_SECONDS, registry=self.registry)
