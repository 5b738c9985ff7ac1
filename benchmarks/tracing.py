"""``python -m benchmarks.tracing``: answers a second without traces, with 1 % of them, and with all.

One service of each kind runs, and they take turns on the same cores; the collector, which throws away what it is sent,
runs beside them. ``--before CHECKOUT`` adds an older build, which shows what traces cost that are off.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread

from rich.console import Console
from rich.table import Table

from benchmarks.load import require_wrk, run_closed_loop, wrk_arguments
from benchmarks.options import exit_on_sigterm, whole
from benchmarks.photos import encoded, ordinary
from benchmarks.plan import ratio_of_turns
from benchmarks.servers import CORES, GLASSBOT, Program, Server, processor, running
from model.checkpoint import PRETRAINED

_PHOTOS = 64
_FIRST_LINE = (__doc__ or "").splitlines()[0]


class _Collector(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received = 0

    def do_POST(self) -> None:
        _Collector.received += len(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _collecting() -> Iterator[str]:
    """The address of a collector while the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Collector) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _programs(collector: str, before: Path | None) -> list[Program]:
    """What is compared, first what the others are held against."""
    traced = {
        **GLASSBOT.environment,
        "GLASSBOT_TRACES": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    }
    shares = {"1 %": "0.01", "100 %": "1"}
    kept = [
        replace(GLASSBOT, name=name, environment={**traced, "OTEL_TRACES_SAMPLER_ARG": share})
        for name, share in shares.items()
    ]
    older = [replace(GLASSBOT, name="before", folder=before)] if before else []
    return [replace(GLASSBOT, name="off"), *older, *kept]


def _core_seconds(server: Server) -> float:
    """Seconds of all cores that a server has used so far."""
    fields = Path(f"/proc/{server.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cells(figures: Sequence[float], off: Sequence[float]) -> tuple[str, str]:
    """The median of some turns, and its ratio with the lowest and highest turn."""
    ratio = ratio_of_turns(figures, off)
    return f"{median(figures):.2f}", f"{ratio['value']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracing", description=_FIRST_LINE)
    parser.add_argument("--before", type=Path, help="a checkout of an older build, run by our interpreter")
    parser.add_argument("--seconds", type=whole(), default=6, help="of each loop (default: %(default)s)")
    parser.add_argument("--runs", type=whole(), default=5, help="turns (default: %(default)s)")
    parser.add_argument("--connections", type=whole(), default=32, help="requests at once (default: %(default)s)")
    chosen = parser.parse_args()
    exit_on_sigterm()
    console = Console()
    version = require_wrk()
    with ExitStack() as ends:
        programs = _programs(ends.enter_context(_collecting()), chosen.before)
        servers = [ends.enter_context(running(program, PRETRAINED)) for program in programs]
        bodies = [encoded(photo, "raw") for photo in ordinary(_PHOTOS)]
        arguments = ends.enter_context(wrk_arguments(bodies))
        rates: dict[str, list[float]] = {server.name: [] for server in servers}
        costs: dict[str, list[float]] = {server.name: [] for server in servers}
        for turn in range(chosen.runs + 1):  # the first one warms up
            for server in servers if turn % 2 else reversed(servers):
                before = _core_seconds(server)
                loop = run_closed_loop(server, arguments, chosen.connections, chosen.seconds if turn else 1)
                if turn:
                    rates[server.name].append(loop.rate)
                    costs[server.name].append(1000 * (_core_seconds(server) - before) / loop.ok)
    table = Table("traces", "answers/s", "ratio to off", "ms of a core each", "ratio to off")
    for name in rates:
        row = (part for figures in (rates, costs) for part in _cells(figures[name], figures["off"]))
        table.add_row(name, *row)
    console.print(f"{processor()}, {CORES} cores; wrk {version}")
    console.print(f"{chosen.connections} connections, {chosen.seconds} s a loop, n = {chosen.runs}")
    console.print(table)
    console.print(f"The collector was sent {_Collector.received / 1e6:.1f} MB.")


if __name__ == "__main__":
    main()
