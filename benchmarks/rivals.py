"""The peers of Glassbot: the best settings of LitServe, then all three servers in turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from benchmarks.arrivals import sequential
from benchmarks.footprint import memory
from benchmarks.load import ClosedLoop, LoadError, Rounds, run_closed_loop, wrk_arguments
from benchmarks.plan import Bench, DisagreementError, Figures, LitServeSettings, Ratios, console, ratio_of_turns
from benchmarks.servers import GLASSBOT, PLAIN, Program, Server, ServerError, running
from benchmarks.throughput import closed_loop_figures


@dataclass(frozen=True)
class Reference:
    """The answers of Glassbot that its peers must agree with."""

    answers: Sequence[dict[str, Any]]
    """The answers to the ordinary photos, in their order."""
    rounded: bool
    """Whether Glassbot computed them in bf16 or int8; else in f32."""

    def tolerance(self, *, bf16: bool) -> float:
        """Return the difference of two scores below which labels may change places; ``bf16`` says what a peer uses."""
        return 0.05 if self.rounded or bf16 else 0.001


def litserve(settings: LitServeSettings) -> Program:
    """Return LitServe with some settings, as a program to start."""
    flags = {"--workers": settings.workers, "--batch": settings.batch, "--wait-ms": settings.wait_ms}
    module = ["benchmarks.peers.lit", *(str(part) for pair in flags.items() for part in pair)]
    for name in ("compiled", "bf16", "fast_queue"):
        if getattr(settings, name):
            module.append(f"--{name.replace('_', '-')}")
    return Program("LitServe", tuple(module), "/health", "raw")


def peers(bench: Bench, reference: Reference) -> tuple[Figures, Ratios]:
    """Find the best settings of LitServe, then measure all servers in turns, and then their memory."""
    trials, settings = best_settings(bench, reference)
    programs = (GLASSBOT, PLAIN, litserve(settings))
    loops: dict[str, list[ClosedLoop]] = {program.name: [] for program in programs}
    for number in range(bench.plan.runs):
        console.log(f"peers: round {number + 1} of {bench.plan.runs}")
        for program in programs:
            tolerance = reference.tolerance(bf16=settings.bf16 and program.name == "LitServe")
            check = partial(require_agreement, bench, program, reference, tolerance)
            loops[program.name] += measure(bench, program, check, bench.plan.concurrencies)
    console.log("peers: memory")
    rounds = {name: Rounds(tuple(measured)) for name, measured in loops.items()}
    figures: Figures = {
        "litserve_settings": str(settings),
        "litserve_tried": trials,
        "agreed_on": len(reference.answers),
        "servers": {
            name: {"rate": measured.rate, "concurrency": measured.best, "http": closed_loop_figures(measured)}
            for name, measured in rounds.items()
        },
        "memory": {program.name: memory(bench, program) for program in programs[1:]},
    }
    return figures, _ratios(rounds[GLASSBOT.name], rounds[PLAIN.name], rounds["LitServe"], bench.plan.concurrencies)


def _ratios(ours: Rounds, plain: Rounds, lit: Rounds, concurrencies: Sequence[int]) -> Ratios:
    """Compare Glassbot with both peers at the best of each, and with LitServe at every concurrency that it answered."""
    ratios = {
        "over_fastapi_torch": ratio_of_turns(ours.best_rates, plain.best_rates),
        "over_litserve": ratio_of_turns(ours.best_rates, lit.best_rates),
    }
    for concurrency in concurrencies:
        mine, other = ours.rates_at(concurrency), lit.rates_at(concurrency)
        if len(mine) == len(other):
            ratios[f"over_litserve_at_{concurrency}"] = ratio_of_turns(mine, other)
    return ratios


def best_settings(bench: Bench, reference: Reference) -> tuple[list[Figures], LitServeSettings]:
    """Try the modes of LitServe, then the sizes with the best mode; return all trials and the fastest settings."""
    plan = bench.plan
    if len(plan.litserve_modes) == 1 and not plan.litserve_sizes:
        return [], plan.litserve_modes[0]
    trials = [_try(bench, settings, reference) for settings in plan.litserve_modes]
    best = _best(trials)
    for workers, batch, wait_ms, fast_queue in plan.litserve_sizes:
        settings = replace(best, workers=workers, batch=batch, wait_ms=wait_ms, fast_queue=fast_queue)
        if settings != best:
            trials.append(_try(bench, settings, reference))
    return trials, _best(trials)


def _best(trials: list[Figures]) -> LitServeSettings:
    """Return the fastest settings. Raises LoadError where none worked."""
    working = [trial for trial in trials if trial["rate"]]
    if not working:
        raise LoadError(f"LitServe worked with none of its settings: {trials[0]['fault']}")
    return LitServeSettings(**max(working, key=lambda trial: float(trial["rate"]))["setting"])


def _try(bench: Bench, settings: LitServeSettings, reference: Reference) -> Figures:
    """Measure some settings for a short time; settings that fail have the rate 0 and a ``fault``."""
    seconds = max(1, bench.plan.seconds // 2)
    concurrencies = bench.plan.concurrencies[1:3]
    tolerance = reference.tolerance(bf16=settings.bf16)
    rate = 0.0
    fault = ""
    try:
        program = litserve(settings)
        check = partial(require_agreement, bench, program, reference, tolerance)
        loops = measure(bench, program, check, concurrencies, seconds)
        rate = Rounds(tuple(loops)).rate
    except (ServerError, LoadError, DisagreementError) as error:
        fault = str(error)
    console.log(f"LitServe, {settings}: {fault or f'{rate:.1f} per second'}")
    return {"setting": asdict(settings), "rate": rate, "fault": fault}


def measure(
    bench: Bench,
    program: Program,
    check: Callable[[Server], None],
    concurrencies: Sequence[int],
    seconds: int | None = None,
) -> list[ClosedLoop]:
    """Start a server, check its answers, warm it up, and run one closed loop of each concurrency."""
    seconds = seconds or bench.plan.seconds
    bodies = bench.bodies(program.encoding)
    with running(program, bench.plan.checkpoint) as server, wrk_arguments(bodies) as arguments:
        check(server)
        # With more clients, a slow server would answer none of them in so short a time.
        run_closed_loop(server, arguments, min(8, concurrencies[-1]), max(1, seconds // 2))
        loops: list[ClosedLoop] = []
        for concurrency in concurrencies:
            try:
                loops.append(run_closed_loop(server, arguments, concurrency, seconds))
            except LoadError:
                if not loops:
                    raise
        return loops  # without those in which a slow server answered none of too many clients


def require_agreement(bench: Bench, program: Program, reference: Reference, tolerance: float, server: Server) -> None:
    """Compare the first label of each answer with Glassbot's first of that vocabulary; it weighs vocabularies by gates.

    Raises DisagreementError unless it is the same, or one whose score by Glassbot is lower by at most ``tolerance``.
    """
    answers = asyncio.run(sequential(server.port, bench.bodies(program.encoding), len(reference.answers)))
    for number, (answer, expected) in enumerate(zip(answers, reference.answers, strict=True)):
        if answer.status != 200:
            raise DisagreementError(
                f"Photo {number}: {program.name} answered {answer.status}: {answer.content[:300]!r}"
            )
        theirs = answer.json()["labels"][0]
        alike = [label for label in expected["labels"] if label["vocabulary"] == theirs["vocabulary"]]
        first = alike[0] if alike else expected["labels"][0]
        if alike and _name(theirs) != _name(first):
            ours = {_name(label): float(label["score"]) for label in alike}
            if ours.get(_name(theirs), 0) < first["score"] - tolerance:
                raise DisagreementError(f"Photo {number}: {program.name} sees {theirs}, Glassbot {first}.")


def _name(label: dict[str, Any]) -> tuple[str, str]:
    return label["vocabulary"], label["label"]
