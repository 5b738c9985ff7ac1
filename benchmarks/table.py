"""What was found, as a table for people: each goal met or missed, and the figures behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """A bound that was set before anything was measured."""

    what: str
    path: tuple[str, ...]
    """Where in a report the value stands."""
    least: bool
    """Whether the value must be at least the bound; else at most."""
    bound: float
    unit: str = "×"
    scale: float = 1.0

    def judge(self, report: Report) -> dict[str, Any] | None:
        """Value, n, bound and whether it is met; None where it was not measured."""
        found: Any = report
        for key in self.path:
            if not isinstance(found, Mapping) or key not in found:
                return None
            found = found[key]
        value = (found["value"] if isinstance(found, Mapping) else found) * self.scale
        met = value >= self.bound if self.least else value <= self.bound
        n = found["n"] if isinstance(found, Mapping) else self._n(report)
        return {"what": self.what, "value": value, "unit": self.unit, "n": n, "goal": self.goal, "met": met}

    def _n(self, report: Report) -> int:
        footprint = report["figures"]["footprint"]
        return int(footprint["memory"]["answered"] if "memory" in self.path else len(footprint["starts"]))

    @property
    def goal(self) -> str:
        """As people write it."""
        return f"{'≥' if self.least else '≤'} {self.bound:g} {self.unit}"


GOALS = (
    Goal("answers over HTTP / in process (N/D1)", ("ratios", "http_over_in_process"), True, 0.9),
    Goal("Glassbot / FastAPI + eager torch", ("ratios", "over_fastapi_torch"), True, 4),
    Goal("Glassbot / LitServe at its best", ("ratios", "over_litserve"), True, 2),
    Goal("p99 at 50 % load / p99 idle", ("ratios", "p99_half_load_over_idle"), False, 3),
    Goal("p99 at 5× overload / p99 at 80 % load", ("ratios", "p99_overload_over_80_percent"), False, 3),
    Goal("start to ready", ("figures", "footprint", "start_seconds"), False, 2, "s"),
    Goal("memory after the photos (RSS)", ("figures", "footprint", "memory", "after", "rss"), False, 600, "MB", 1e-6),
)


def judged(report: Report) -> list[dict[str, Any]]:
    """Every goal that this run has a value for."""
    return [found for goal in GOALS if (found := goal.judge(report)) is not None]


def show(report: Report, console: Console | None = None) -> None:
    """Goals, then figures, then conditions."""
    console = console or Console()
    goals = Table("goal", "measured", "n", "wanted", "", title="Serving")
    for one in report["goals"]:
        value = f"{one['value']:.2f} {one['unit']}" if one["value"] < 100 else f"{one['value']:,.0f} {one['unit']}"
        goals.add_row(one["what"], value, f"{one['n']:,}", one["goal"], "met" if one["met"] else "[bold]MISSED[/]")
    console.print(goals)
    figures = Table("figure", "measured", show_lines=False)
    for what, value in rows(report["figures"]):
        figures.add_row(what, value)
    console.print(figures)
    console.print("  ".join(f"{name} {value}" for name, value in report["conditions"].items()), highlight=False)


def rows(figures: Report) -> Iterator[tuple[str, str]]:
    """All figures of all parts that ran, a line each."""
    makers = {
        "answers": _answers, "throughput": _throughput, "arrivals": _arrivals, "bodies": _bodies, "peers": _peers,
        "footprint": _footprint,
    }  # fmt: skip
    for part, found in figures.items():
        if "failed" in found:
            yield part, f"FAILED: {found['failed']}"
        else:
            yield from makers[part](found)


def _answers(found: Report) -> Iterator[tuple[str, str]]:
    yield "HTTP answers equal to in-process answers", f"{found['compared']} of {found['compared']}"


def _throughput(found: Report) -> Iterator[tuple[str, str]]:
    yield "D0: engine alone", f"{found['d0']:.1f}/s at batch {found['d0_batch']}, {found['d0_callers']} caller(s)"
    yield "D1: in process", f"{found['d1']:.1f}/s, {found['d1_concurrency']} under way"
    yield "N: over HTTP", f"{found['n']:.1f}/s at concurrency {found['n_concurrency']}"
    yield "N/D0", f"{found['n'] / found['d0']:.2f}"
    yield from _loops("Glassbot", found["http"])


def _loops(name: str, loops: Report) -> Iterator[tuple[str, str]]:
    for concurrency, one in loops.items():
        faults = [f"{one[key]} {word}" for key, word in (("other", "other statuses"), ("lost", "lost")) if one[key]]
        if one["shed_without_retry_after"]:
            faults.append(f"{one['shed_without_retry_after']} without Retry-After")
        said = [f"{one['median']:.1f}/s", f"503: {one['shed']}", f"wrk {one['client_cpu']:.1%} of the cores", *faults]
        yield f"{name}, concurrency {concurrency}", ", ".join(said)


def _arrivals(found: Report) -> Iterator[tuple[str, str]]:
    idle = found["idle"]
    yield "idle, one after another", f"{_ms(idle['ms'])} (n {idle['n']})"
    for share, one in found["loads"].items():
        said = [f"{_ms(one['ms'])} (n {one['accepted']})", f"shed {one['shed_share']:.1%}"]
        said += [f"{one[key]} {key}" for key in ("unanswered", "other", "shed_without_retry_after") if one[key]]
        if one["recovered"] is not None:
            said.append(f"recovered in {one['recovery_seconds']:.2f} s" if one["recovered"] else "NOT RECOVERED")
        yield (
            f"arrivals at {share} of N",
            ", ".join(
                [*said, f"client {one['client_cpu']:.1%} of the cores, late by p99 {one['client_late_p99_ms']:.1f} ms"]
            ),
        )


def _ms(percentiles: Report) -> str:
    return " ".join(f"{name} {value:.1f}" for name, value in percentiles.items()) + " ms"


def _bodies(found: Report) -> Iterator[tuple[str, str]]:
    for size, one in found.items():
        p50s = ", ".join(f"{name} {one[name]:.1f} ms" for name in ("raw", "multipart", "base64"))
        yield f"p50 of a photo of {size} ({one['bytes'] / 1e3:,.0f} kB)", f"{p50s} (n {one['n']} each)"


def _peers(found: Report) -> Iterator[tuple[str, str]]:
    for name, one in found["servers"].items():
        yield f"{name}, in turns", f"{one['rate']:.1f}/s at concurrency {one['concurrency']}"
    for name, one in found["servers"].items():
        yield from _loops(f"{name}, in turns", one["http"])
    yield "LitServe's best settings", f"{found['litserve_settings']} (of {len(found['litserve_tried'])} tried)"
    for name, one in found["memory"].items():
        yield name, _memory(one)


def _footprint(found: Report) -> Iterator[tuple[str, str]]:
    yield "Glassbot", _memory(found["memory"])
    yield "starts", ", ".join(f"{seconds:.2f} s" for seconds in found["starts"])
    biggest = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in list(found["installed"].items())[:4])
    yield "installed for serving", f"{found['installed_bytes'] / 1e6:.0f} MB ({biggest}, …)"


def _memory(one: Report) -> str:
    before, after = one["at_start"], one["after"]
    return (
        f"{before['rss'] / 1e6:.0f} MB at start, {after['rss'] / 1e6:.0f} MB after {one['answered']:,} photos "
        f"(PSS {after['pss'] / 1e6:.0f}, {after['processes']} process(es)); started in {one['start_seconds']:.1f} s"
    )
