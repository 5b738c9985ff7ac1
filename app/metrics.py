"""The metrics that Prometheus scrapes. Each application has a registry of its own, so that tests can make many.

Where several processes serve, each writes its metrics to files in one folder (``PROMETHEUS_MULTIPROC_DIR``, which has
to be set before prometheus_client is imported), and any of them answers for all: counters and histograms add up, those
of processes that have ended included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters, gauges and histograms of one running service; of all its processes where they are ``shared``."""

    def __init__(self, *, shared: bool = False) -> None:
        self.registry = CollectorRegistry()
        self._rendered = CollectorRegistry() if shared else self.registry
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self._process = ProcessCollector(registry=None if shared else self.registry)
        self._of_process: dict[str, Gauge] = {}  # told apart by the label pid, where several processes serve
        if shared:
            MultiProcessCollector(self._rendered)
            for family in self._process.collect():
                (sample,) = family.samples
                self._of_process[sample.name] = self._gauge(sample.name, family.documentation, "liveall")
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
        self._network = self._gauge("glassbot_model_info", "The network that answers.", "livemax", "name", "version")
        self.ready = self._gauge("glassbot_ready", "1 while the service is ready, else 0.", "livemax")

    def name_network(self, name: str, version: str) -> None:
        """Tell which network answers; a gauge of 1, because prometheus_client adds up no ``Info``."""
        self._network.labels(name, version).set(1)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add the gauge ``glassbot_{name}``: ``read()``, summed over all processes that serve."""
        self._watched.append((self._gauge(f"glassbot_{name}", description, "livesum"), read))

    def update(self) -> None:
        """Read all that is watched; where several processes serve, each does so once a second."""
        for gauge, read in self._watched:
            gauge.set(read())
        if self._of_process:
            for family in self._process.collect():
                (sample,) = family.samples
                self._of_process[sample.name].set(sample.value)

    def render(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        self.update()
        return generate_latest(self._rendered)

    def _gauge(
        self, name: str, description: str, of_processes: Literal["livemax", "livesum", "liveall"], *labels: str
    ) -> Gauge:
        return Gauge(name, description, labels, registry=self.registry, multiprocess_mode=of_processes)

    def _seconds(self, name: str, description: str, *labels: str) -> Histogram:
        return Histogram(f"glassbot_{name}_seconds", description, labels, buckets=_SECONDS, registry=self.registry)
