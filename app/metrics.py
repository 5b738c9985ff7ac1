"""The metrics that Prometheus scrapes. Each application has a registry of its own, so that tests can make many.

Where several processes serve, each writes its metrics to files in one folder (``PROMETHEUS_MULTIPROC_DIR``, which has
to be set before prometheus_client is imported), and any of them answers for all: counters and histograms add up, those
of processes that have ended included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

OfProcesses = Literal["livesum", "livemax", "liveall"]
"""What a gauge is of several processes: their sum, the highest, or each by itself."""


class Metrics:
    """The counters, gauges and histograms of one running service; of all its processes where they are ``shared``."""

    def __init__(self, *, shared: bool = False) -> None:
        self.registry = CollectorRegistry()
        self._shared = CollectorRegistry() if shared else None
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self._of_process: dict[str, Gauge] = {}
        self._process = ProcessCollector(registry=None if shared else self.registry)
        if shared:
            MultiProcessCollector(self._shared)
            for name, description, _ in self._process_samples():
                self._of_process[name] = self._gauge(name, description, "liveall")  # told apart by the label pid
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
        self._network = self._gauge("glassbot_model_info", "The network that answers.", "livemax", "name", "version")

    def name_network(self, name: str, version: str) -> None:
        """Tell which network answers; a gauge of 1, because prometheus_client adds up no ``Info``."""
        self._watch(self._network.labels(name, version), lambda: 1)

    def watch(
        self, name: str, description: str, read: Callable[[], float], of_processes: OfProcesses = "livesum"
    ) -> None:
        """Add the gauge ``glassbot_{name}``: ``read()``, over all processes that serve its sum, or what is chosen."""
        self._watch(self._gauge(f"glassbot_{name}", description, of_processes), read)

    def _watch(self, gauge: Gauge, read: Callable[[], float]) -> None:
        if self._shared:  # no process calls another's function
            self._watched.append((gauge, read))
        else:
            gauge.set_function(read)

    def update(self) -> None:
        """Write what is watched to the files that all processes read, where there are several: once a second."""
        if self._shared:
            for gauge, read in self._watched:
                gauge.set(read())
            for name, _, value in self._process_samples():
                self._of_process[name].set(value)

    def render(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        self.update()
        return generate_latest(self._shared or self.registry)

    def _process_samples(self) -> Iterator[tuple[str, str, float]]:
        """Names, descriptions and values of what is known of this process."""
        for family in self._process.collect():
            for sample in family.samples:
                yield sample.name, family.documentation, sample.value

    def _gauge(self, name: str, description: str, of_processes: OfProcesses, *labels: str) -> Gauge:
        return Gauge(name, description, labels, registry=self.registry, multiprocess_mode=of_processes)

    def _seconds(self, name: str, description: str, *labels: str) -> Histogram:
        return Histogram(f"glassbot_{name}_seconds", description, labels, buckets=_SECONDS, registry=self.registry)
