"""``python -m benchmarks.searching``: how long the most similar of many photos take to find, by numpy and by usearch.

Embeddings are drawn: around 1,000 places, as photos lie around what they show. usearch, which Glassbot does without, is
measured where it is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from app.embeddings.search import Rows, groups_of_duplicates, most_similar, unit_rows
from benchmarks.options import whole

_FIRST_LINE = (__doc__ or "").splitlines()[0]
_SIZE = 256
_BEST = 10
_IN_GROUPS = 20_000
"""Photos among which near-duplicates are looked for."""


def drawn(number: int) -> NDArray[np.float16]:
    """Return (number, 256) embeddings around 1,000 places."""
    random = np.random.default_rng(0)
    places = random.standard_normal((1000, _SIZE)).astype(np.float32)
    noise = random.standard_normal((number, _SIZE), np.float32)
    return (places[random.integers(1000, size=number)] + 0.7 * noise).astype(np.float16)


def milliseconds(search: Callable[[Rows], object], queries: Rows) -> list[float]:
    """Return how long each query takes, after one that is not counted."""
    search(queries[0])
    found = []
    for query in queries:
        began = perf_counter()
        search(query)
        found.append(1000 * (perf_counter() - began))
    return found


def by_usearch(rows: Rows, queries: Rows, table: Table) -> None:
    """Add the rows of usearch: exact, and by its graph (HNSW), with the share of the ten best that it finds."""
    library: Any = import_module("usearch.index")
    exact = milliseconds(lambda query: library.search(rows, query, _BEST, library.MetricKind.IP, exact=True), queries)
    table.add_row("usearch, exact", *_row(exact), "1.000", "")
    began = perf_counter()
    graph = library.Index(ndim=_SIZE, metric="ip", dtype="f16")
    graph.add(np.arange(len(rows)), rows)
    built = perf_counter() - began
    times = milliseconds(lambda query: graph.search(query, _BEST), queries)
    hits = [
        len({number for number, _ in most_similar(query, rows, _BEST)} & set(graph.search(query, _BEST).keys.tolist()))
        for query in queries
    ]
    table.add_row("usearch, HNSW", *_row(times), f"{np.mean(hits) / _BEST:.3f}", f"{built:.1f} s")


def _row(times: list[float]) -> tuple[str, str]:
    return f"{median(times):.1f} ms", f"{max(times):.1f} ms"


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.searching", description=_FIRST_LINE)
    parser.add_argument("--photos", type=whole(), default=100_000)
    parser.add_argument("--times", type=whole(), default=100, help="queries of each kind (default: 100)")
    options = parser.parse_args()
    embeddings = drawn(options.photos)
    began = perf_counter()
    rows = unit_rows(embeddings)
    prepared = perf_counter() - began
    queries = rows[:: max(1, len(rows) // options.times)][: options.times]
    table = Table("search", "median", "longest", "of the ten best", "made ready in")
    times = milliseconds(lambda query: most_similar(query, rows, _BEST), queries)
    table.add_row("numpy, exact", *_row(times), "1.000", f"{prepared:.2f} s")
    if find_spec("usearch"):
        by_usearch(rows, queries, table)
    console = Console(width=120)
    console.print(f"{len(rows):,} embeddings of {_SIZE} numbers, {len(queries)} queries")
    console.print(table)
    some = rows[:_IN_GROUPS]
    began = perf_counter()
    groups_of_duplicates(some)
    console.print(f"near-duplicates among {len(some):,}: {perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
