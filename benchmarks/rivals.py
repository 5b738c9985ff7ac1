"""The peers beside Glassbot: LitServe's best settings, then all three in turns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.arrivals import sequential
from benchmarks.footprint import memory
from benchmarks.load import LoadError, Loop, Rounds, closed, files
from benchmarks.plan import Bench, DisagreementError, Figures, Ratios, Setting, console
from benchmarks.servers import GLASSBOT, PLAIN, Program, Server, ServerError, running
from benchmarks.throughput import closed_loops


@dataclass(frozen=True)
class Said:
    """What Glassbot says of each photo, and whether it computes in bf16."""

    answers: Sequence[dict[str, Any]]
    bf16: bool

    def slack(self, theirs: bool) -> float:
        """How far apart two scores may lie where the first two labels change places: in f32, in bf16 on a side."""
        return 0.05 if self.bf16 or theirs else 0.001


def lit(setting: Setting) -> Program:
    """LitServe, started so."""
    flags = {"--workers": setting.workers, "--batch": setting.batch, "--wait-ms": setting.wait_ms}
    module = ["benchmarks.peers.lit", *(str(part) for pair in flags.items() for part in pair)]
    for name in ("compiled", "bf16", "fast_queue"):
        if getattr(setting, name):
            module.append(f"--{name.replace('_', '-')}")
    return Program("LitServe", tuple(module), "/health", "raw")


def peers(bench: Bench, said: Said) -> tuple[Figures, Ratios]:
    """Find LitServe's best settings, then measure everybody as often and as long, by turns; then what they take."""
    tried, setting = best_setting(bench, said)
    programs = (GLASSBOT, PLAIN, lit(setting))
    loops: dict[str, list[Loop]] = {program.name: [] for program in programs}
    for number in range(bench.plan.runs):
        console.log(f"peers: round {number + 1} of {bench.plan.runs}")
        for program in programs:
            slack = said.slack(setting.bf16 and program.name == "LitServe")
            loops[program.name] += measure(bench, program, said, slack, bench.plan.concurrencies, bench.plan.seconds)
    console.log("peers: memory")
    rounds = {name: Rounds(tuple(found)) for name, found in loops.items()}
    ours, runs = rounds[GLASSBOT.name].rate, bench.plan.runs
    figures: Figures = {
        "litserve_settings": str(setting), "litserve_tried": tried, "agreed_on": len(said.answers),
        "servers": {
            name: {"rate": found.rate, "concurrency": found.best, "http": closed_loops(found)}
            for name, found in rounds.items()
        },
        "memory": {program.name: memory(bench, program) for program in programs[1:]},
    }  # fmt: skip
    ratios = {
        "over_fastapi_torch": {"value": ours / rounds[PLAIN.name].rate, "n": runs},
        "over_litserve": {"value": ours / rounds["LitServe"].rate, "n": runs},
    }
    return figures, ratios


def best_setting(bench: Bench, said: Said) -> tuple[list[Figures], Setting]:
    """All that were tried, and the one that answered most: first how it computes, then workers and batches."""
    plan = bench.plan
    if len(plan.how) == 1 and not plan.sizes:
        return [], plan.how[0]
    tried = [_try(bench, setting, said) for setting in plan.how]
    best = _best(tried)
    for workers, batch, wait_ms, fast_queue in plan.sizes:
        setting = replace(best, workers=workers, batch=batch, wait_ms=wait_ms, fast_queue=fast_queue)
        if setting != best:
            tried.append(_try(bench, setting, said))
    return tried, _best(tried)


def _best(tried: list[Figures]) -> Setting:
    """Raises LoadError where none worked."""
    good = [one for one in tried if one["rate"]]
    if not good:
        raise LoadError(f"LitServe worked with none of its settings: {tried[0]['fault']}")
    return Setting(**max(good, key=lambda one: float(one["rate"]))["setting"])


def _try(bench: Bench, setting: Setting, said: Said) -> Figures:
    """One short measurement; what goes wrong is noted, and this setting is out."""
    plan, seconds = bench.plan, max(1, bench.plan.seconds // 2)
    rate, fault = 0.0, ""
    try:
        found = measure(bench, lit(setting), said, said.slack(setting.bf16), plan.concurrencies[1:3], seconds)
        rate = Rounds(tuple(found)).rate
    except (ServerError, LoadError, DisagreementError) as error:
        fault = str(error)
    console.log(f"LitServe, {setting}: {fault or f'{rate:.1f} a second'}")
    return {"setting": asdict(setting), "rate": rate, "fault": fault}


def measure(
    bench: Bench, program: Program, said: Said, slack: float, concurrencies: Sequence[int], seconds: int
) -> list[Loop]:
    """Start, check what it answers, warm up, and one closed loop of each concurrency."""
    bodies = bench.bodies(program.encoding)
    with running(program, bench.plan.checkpoint) as server, files(bodies) as arguments:
        agree(bench, server, program, said, slack)
        closed(server, arguments, min(8, concurrencies[-1]), max(1, seconds // 2))  # of more, a slow one answers none
        loops: list[Loop] = []
        for concurrency in concurrencies:
            try:
                loops.append(closed(server, arguments, concurrency, seconds))
            except LoadError:
                if not loops:
                    raise
        return loops  # flooded, a slow one may answer none in time: that is not its best


def agree(bench: Bench, server: Server, program: Program, said: Said, slack: float) -> None:
    """Raises DisagreementError unless its first label is ours, or one that we score within ``slack`` of ours."""
    answers = asyncio.run(sequential(server.port, bench.bodies(program.encoding), len(said.answers)))
    for number, (answer, wanted) in enumerate(zip(answers, said.answers, strict=True)):
        if answer.status != 200:
            raise DisagreementError(f"Photo {number}: {program.name} said {answer.status}: {answer.content[:300]!r}")
        theirs, first = answer.json()["labels"][0], wanted["labels"][0]
        if _name(theirs) != _name(first):
            ours = {_name(one): float(one["score"]) for one in wanted["labels"]}
            if ours.get(_name(theirs), 0) < first["score"] - slack:
                raise DisagreementError(f"Photo {number}: {program.name} sees {theirs}, Glassbot {first}.")


def _name(label: dict[str, Any]) -> tuple[str, str]:
    return label["vocabulary"], label["label"]
