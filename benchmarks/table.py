"""The report of a serving benchmark as tables: the goals, met or missed, and the figures behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

Report = Mapping[str, Any]
"""A report, or a part of one, as JSON values."""


@dataclass(frozen=True)
class Goal:
    """A bound for one figure, which was set before anything was measured."""

    name: str
    """The name of the figure, for people."""
    ratio: str
    """The name of the ratio in a report."""
    at_least: bool
    """Whether the ratio must be at least the bound; else at most."""
    bound: float
    """The bound of the goal."""

    def judge(self, report: Report) -> dict[str, Any] | None:
        """Return the ratio with its n and spread, the bound and whether it is met; None where it was not measured."""
        entry = report["ratios"].get(self.ratio)
        if entry is None:
            return None
        met = entry["value"] >= self.bound if self.at_least else entry["value"] <= self.bound
        return {"what": self.name, "ratio": self.ratio, **entry, "goal": self.goal, "met": met}

    @property
    def goal(self) -> str:
        """The bound as text, such as ``≤ 3 ×``."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} ×"


GOALS = (
    Goal("answers over HTTP / the older build's", "http_over_today", True, 1.6),
    Goal("engine alone / the older build's", "engine_over_today", True, 1.8),
    Goal("answers over HTTP / in process (N/D1)", "http_over_in_process", True, 0.9),
    Goal("Glassbot / LitServe, each at its best", "over_litserve", True, 1.5),
    *(Goal(f"Glassbot / LitServe, {n} connection(s)", f"over_litserve_at_{n}", True, 1) for n in (1, 8, 32, 128)),
    Goal("Glassbot / FastAPI + eager torch", "over_fastapi_torch", True, 6),
    Goal("p99 at 50 % load / p99 idle", "p99_half_load_over_idle", False, 3),
    Goal("p99 at 5× overload / p99 at 80 % load", "p99_overload_over_80_percent", False, 3),
    Goal("photos of a folder / answers in process", "folder_over_in_process", True, 0.95),
    Goal("memory after the photos / the older build's", "memory_over_today", False, 0.75),
    Goal("start to ready / the older build's", "start_over_today", False, 1),
)


def judge_goals(report: Report) -> list[dict[str, Any]]:
    """Judge every goal whose figure was measured."""
    return [judgement for goal in GOALS if (judgement := goal.judge(report)) is not None]


def show(report: Report, console: Console | None = None) -> None:
    """Print the goals, the other ratios, the figures and the conditions of a report."""
    console = console or Console()
    ratios = Table("ratio", "measured", "turns from", "to", "n", "goal", "", title="Serving")
    for goal in report["goals"]:
        verdict = "met" if goal["met"] else "[bold]MISSED[/]"
        ratios.add_row(goal["what"], *_ratio(goal), goal["goal"], verdict)
    judged = {goal["ratio"] for goal in report["goals"]}
    for name, ratio in report["ratios"].items():
        if name not in judged:
            ratios.add_row(name.replace("_", " "), *_ratio(ratio))
    console.print(ratios)
    figures = Table("figure", "measured", show_lines=False)
    for name, value in rows(report["figures"]):
        figures.add_row(name, value)
    console.print(figures)
    console.print("  ".join(f"{name} {value}" for name, value in report["conditions"].items()), highlight=False)


def _ratio(ratio: Report) -> tuple[str, ...]:
    return (*(f"{ratio[key]:.2f} ×" for key in ("value", "low", "high")), f"{ratio['n']:,}")


def rows(figures: Report) -> Iterator[tuple[str, str]]:
    """Yield the names and the values of all figures, of all parts that ran."""
    rows_of_part = {
        "answers": _answers,
        "throughput": _throughput,
        "arrivals": _arrivals,
        "bodies": _bodies,
        "peers": _peers,
        "today": _today,
        "openvino": _openvino,
        "folder": _folder,
        "footprint": _footprint,
        "workers": _workers,
    }
    for part, part_figures in figures.items():
        if "failed" in part_figures:
            yield part, f"FAILED: {part_figures['failed']}"
        else:
            yield from rows_of_part[part](part_figures)


def _answers(figures: Report) -> Iterator[tuple[str, str]]:
    yield "HTTP answers equal to in-process answers", f"{figures['compared']} of {figures['compared']}"


def _throughput(figures: Report) -> Iterator[tuple[str, str]]:
    engine = f"batch {figures['d0_batch']}, {figures['d0_callers']} caller(s)"
    yield "D0: engine alone", f"{figures['d0']:.1f}/s at {engine}"
    yield "D1: in process", f"{figures['d1']:.1f}/s, {figures['d1_concurrency']} at once"
    yield "N: over HTTP", f"{figures['n']:.1f}/s at concurrency {figures['n_concurrency']}"
    yield from _closed_loops("Glassbot", figures["http"])


def _closed_loops(name: str, loops: Report) -> Iterator[tuple[str, str]]:
    for concurrency, loop in loops.items():
        cells = [
            f"{loop['median']:.1f}/s {_spread(loop['rates'])}",
            f"503: {loop['shed']}",
            f"wrk {loop['client_cpu']:.1%} of the cores",
            *(f"{loop[key]} {text}" for key, text in (("other", "other statuses"), ("lost", "lost")) if loop[key]),
        ]
        if loop["shed_without_retry_after"]:
            cells.append(f"{loop['shed_without_retry_after']} without Retry-After")
        yield f"{name}, concurrency {concurrency}", ", ".join(cells)


def _arrivals(figures: Report) -> Iterator[tuple[str, str]]:
    idle = figures["idle"]
    yield "idle, one after another", f"{_ms(idle['ms'])} (n {idle['n']})"
    for share, load in figures["loads"].items():
        cells = [f"{_ms(load['ms'])} (n {load['accepted']})", f"shed {load['shed_share']:.1%}"]
        cells += [f"{load[key]} {key}" for key in ("unanswered", "other", "shed_without_retry_after") if load[key]]
        if load["recovered"] is not None:
            cells.append(f"recovered in {load['recovery_seconds']:.2f} s" if load["recovered"] else "NOT RECOVERED")
        cells.append(f"client {load['client_cpu']:.1%} of the cores")
        cells.append(f"late by p99 {load['client_late_p99_ms']:.1f} ms")
        yield f"arrivals at {share} of N", ", ".join(cells)


def _ms(percentiles: Report) -> str:
    return " ".join(f"{name} {value:.1f}" for name, value in percentiles.items()) + " ms"


def _bodies(figures: Report) -> Iterator[tuple[str, str]]:
    for size, of_size in figures.items():
        p50s = ", ".join(f"{encoding} {of_size[encoding]:.1f} ms" for encoding in ("raw", "multipart", "base64"))
        yield f"p50 of a photo of {size} ({of_size['bytes'] / 1e3:,.0f} kB)", f"{p50s} (n {of_size['n']} each)"


def _peers(figures: Report) -> Iterator[tuple[str, str]]:
    for name, server in figures["servers"].items():
        yield f"{name}, in turns", f"{server['rate']:.1f}/s at concurrency {server['concurrency']}"
    for name, server in figures["servers"].items():
        yield from _closed_loops(f"{name}, in turns", server["http"])
    trials = len(figures["litserve_tried"])
    yield "LitServe's best settings", f"{figures['litserve_settings']} (of {trials} tried)"
    for name, memory in figures["memory"].items():
        yield name, _memory(memory)


def _today(figures: Report) -> Iterator[tuple[str, str]]:
    yield "the older build", f"commit {figures['commit']}, with {figures['network']}"
    for name, loops in figures["http"]["servers"].items():
        yield from _closed_loops(f"{name}, in turns", loops)
    for name, engine in figures["engine"].items():
        best = f"batch {engine['batch']}, {engine['callers']} caller(s)"
        yield f"engine alone, {name}", f"{engine['rate']:.1f}/s {_spread(engine['rates'][best])} at {best}"
    for name, turns in figures["memory"].items():
        megabytes = [turn["after"]["rss"] / 1e6 for turn in turns]
        yield (
            f"memory, {name}",
            f"{median(megabytes):.0f} MB {_spread(megabytes)} after {turns[0]['answered']:,} photos",
        )
    for name, seconds in figures["start"].items():
        yield f"starts, {name}", ", ".join(f"{one:.2f} s" for one in seconds)


def _openvino(figures: Report) -> Iterator[tuple[str, str]]:
    for batch, rates in figures["rates"].items():
        cells = [f"{name} {median(values):.1f}/s {_spread(values)}" for name, values in rates.items()]
        yield f"batch {batch}: {figures['engine']}", ", ".join(cells)


def _folder(figures: Report) -> Iterator[tuple[str, str]]:
    rates, callers = figures["rates"], figures["in_process_callers"]
    inside = figures["in_process"][str(callers)]
    yield f"glassbot caption, {figures['photos']:,} photos", f"{median(rates):.1f}/s {_spread(rates)}"
    yield f"in process, {callers} at once", f"{median(inside):.1f}/s {_spread(inside)}"


def _spread(values: Sequence[float]) -> str:
    return f"({min(values):.1f}–{max(values):.1f})"


def _footprint(figures: Report) -> Iterator[tuple[str, str]]:
    yield "Glassbot", _memory(figures["memory"])
    yield "starts", ", ".join(f"{seconds:.2f} s" for seconds in figures["starts"])
    largest = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in list(figures["installed"].items())[:4])
    yield "installed for serving", f"{figures['installed_bytes'] / 1e6:.0f} MB ({largest}, …)"


def _workers(figures: Report) -> Iterator[tuple[str, str]]:
    for number, loops in figures["loops"].items():
        rates, p99 = loops["rates"], loops["p99_ms"]
        yield f"{number} worker(s)", f"{rates} answers/s, p99 {p99} ms, at {figures['connections']} connections"
    further = ", ".join(f"{pss / 1e6:.0f}" for pss in figures["pss_of_each_further_worker"])
    yield "each further worker", f"{further} MB (PSS)"


def _memory(figures: Report) -> str:
    before = figures["at_start"]
    after = figures["after"]
    return (
        f"{before['rss'] / 1e6:.0f} MB at start, {after['rss'] / 1e6:.0f} MB after {figures['answered']:,} photos "
        f"(PSS {after['pss'] / 1e6:.0f}, {after['processes']} process(es)); started in {figures['start_seconds']:.1f} s"
    )
