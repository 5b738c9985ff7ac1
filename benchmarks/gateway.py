"""``python -m benchmarks.gateway``: what clients see at the gateway while replicas leave, die, come and become slow.

HAProxy runs with the configuration that is deployed, before replicas that run as processes on loopback addresses of
this machine. It takes HAProxy and wrk. Each round begins with three replicas. ``--parts``:

leaving  one is told to end under traffic: requests that failed, of all
dying    one is killed under traffic: requests that failed, how, and how long the longest took
coming   one more is started under traffic: seconds from its readiness until it has its share of the answers
slow     one stands still four fifths of the time: p99 of the answers of the others, over the same without
cost     a closed loop: processor time of replicas and gateway for each answer, and from it, computed, the answers of
         three replicas with two cores each, which this machine may not have
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import photos
from benchmarks.fleet import CONFIGURATION, Fleet, Gateway, cpu_seconds, gateway, require_haproxy
from benchmarks.load import LoadError, require_wrk, run_closed_loop, wrk_arguments
from benchmarks.options import exit_on_sigterm, positive, whole
from benchmarks.outages import Neighbours, Outage, coming, leaving, neighbours, slowed
from benchmarks.photos import Body
from benchmarks.plan import Figures, console, ratio_of_turns, rounded
from benchmarks.servers import CORES, Server, ServerError, processor
from model.checkpoint import PRETRAINED

REPLICAS = 3
_CORES_OF_A_REPLICA = 2
_SLOW = "app1"
"""The gateway's name of the first replica that it found."""


@dataclass(frozen=True)
class Plan:
    """How much each part measures."""

    checkpoint: Path
    """The network that all replicas serve."""
    configuration: Path
    """The configuration file that HAProxy runs with."""
    rounds: int
    """How often each part is measured, each time with new replicas."""
    seconds: int
    """Seconds of each loop whose times or costs count."""
    clients: int
    """Clients that ask at once in a closed loop."""
    rate: float
    """Requests a second of each open loop: well below what the machine answers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the figures, and return the exit status: 2 where HAProxy or wrk is missing, 1 after a failure."""
    parts: dict[str, Callable[[Plan, Sequence[Body]], Figures]] = {
        "leaving": lambda plan, bodies: _leaving(plan, bodies, kill=False),
        "dying": lambda plan, bodies: _leaving(plan, bodies, kill=True),
        "coming": _coming,
        "slow": _slow,
        "cost": _cost,
    }
    options = _parser(list(parts)).parse_args(arguments)
    exit_on_sigterm()
    plan = Plan(
        options.checkpoint.resolve(), options.config, options.rounds, options.seconds, options.clients, options.rate
    )
    try:
        report: dict[str, Any] = {"conditions": _conditions(plan)}
        bodies = [photos.encoded(jpeg, "raw") for jpeg in photos.ordinary(32)]
        for part in options.parts or parts:
            console.log(part)
            report[part] = parts[part](plan, bodies)
    except (LoadError, ServerError) as error:
        print(f"benchmarks.gateway: {error}", file=sys.stderr)
        return 2 if isinstance(error, LoadError) else 1
    _show(report)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return 0


def _parser(parts: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gateway", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=parts, metavar="PART", help="default: all")
    parser.add_argument("--rounds", type=whole(), default=3, help="how often each part is measured (default: 3)")
    parser.add_argument("--seconds", type=whole(), default=10, help="seconds of each loop (default: 10)")
    parser.add_argument("--clients", type=whole(), default=24, help="clients of a closed loop (default: 24)")
    parser.add_argument("--rate", type=positive, default=60, help="requests a second of an open loop (default: 60)")
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED, help="another network than the shipped one")
    parser.add_argument("--config", type=Path, default=CONFIGURATION, help="another configuration of HAProxy")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE, too")
    return parser


def _conditions(plan: Plan) -> Figures:
    return {
        "processor": processor(),
        "cores": CORES,
        "haproxy": require_haproxy(),
        "wrk": require_wrk(),
        "replicas": REPLICAS,
        "network": plan.checkpoint.name,
        "rounds": plan.rounds,
    }


@contextmanager
def _running(plan: Plan) -> Iterator[tuple[Fleet, Gateway]]:
    """Three new replicas and a new gateway before them."""
    with (
        tempfile.TemporaryDirectory(prefix="glassbot-gateway-") as folder,
        Fleet(plan.checkpoint, Path(folder)) as fleet,
        gateway(fleet, Path(folder), plan.configuration, GATEWAY_RATE="1000000") as running,
    ):
        for number in range(REPLICAS):
            fleet.start()
            running.await_replicas(number + 1)
        yield fleet, running


def _leaving(plan: Plan, bodies: Sequence[Body], *, kill: bool) -> Figures:
    outages = []
    for _ in range(plan.rounds):
        with _running(plan) as (fleet, running):
            outages.append(leaving(fleet, running, bodies, plan.clients, kill=kill))
    return _of_outages(outages)


def _of_outages(outages: Sequence[Outage]) -> Figures:
    failures = [one for outage in outages for one in outage.failures]
    sent = [one for outage in outages for one in outage.sent]
    late = [one for outage in outages for one in outage.failures if one.began > outage.ended]
    return {
        "requests": len(sent),
        "failed": len(failures),
        "failed, by round": [len(outage.failures) for outage in outages],
        "statuses of those": sorted({one.status for one in failures}),
        "failed, sent when it was gone": len(late),
        "longest, s": round(max(one.seconds for one in sent), 2),
        "longest of those that failed, s": round(max((one.seconds for one in failures), default=0), 2),
    }


def _coming(plan: Plan, bodies: Sequence[Body]) -> Figures:
    outages, seconds = [], []
    for _ in range(plan.rounds):
        with _running(plan) as (fleet, running):
            outage, until = coming(fleet, running, bodies, plan.clients)
            outages.append(outage)
            seconds.append(until)
    return {"seconds until its share, by round": seconds, **_of_outages(outages)}


def _slow(plan: Plan, bodies: Sequence[Body]) -> Figures:
    """All turns with the same replicas, with and without a slow one by turns."""
    usual, disturbed = [], []
    with _running(plan) as (fleet, running):
        one = next(replica for replica in fleet.replicas if replica.address.endswith(".1"))
        for seed in range(plan.rounds):
            usual.append(_turn(plan, running, bodies, seed))
            with slowed(one):
                disturbed.append(_turn(plan, running, bodies, seed))
    requests = sum(len(turn.milliseconds) for turn in (*usual, *disturbed))
    return {
        "p99 of the others, ms": rounded([turn.p99 for turn in usual]),
        "the same beside a slow one, ms": rounded([turn.p99 for turn in disturbed]),
        "ratio": ratio_of_turns([turn.p99 for turn in disturbed], [turn.p99 for turn in usual], requests),
        "answers of the one": [turn.of_the_one for turn in usual],
        "answers of the one when slow": [turn.of_the_one for turn in disturbed],
        "not answered 200": sum(a.status != 200 for turn in (*usual, *disturbed) for a in turn.loop.answers),
    }


def _turn(plan: Plan, running: Gateway, bodies: Sequence[Body], seed: int) -> Neighbours:
    return neighbours(running, _SLOW, bodies, rate=plan.rate, seconds=plan.seconds, seed=seed)


def _cost(plan: Plan, bodies: Sequence[Body]) -> Figures:
    rates, of_replicas, of_gateway = [], [], []
    with _running(plan) as (fleet, running), wrk_arguments(bodies) as arguments:
        server = Server("the gateway", running.pid, running.port, 0)
        for _ in range(plan.rounds):
            before = sum(replica.cpu_seconds() for replica in fleet.replicas), cpu_seconds(running.pid)
            loop = run_closed_loop(server, arguments, plan.clients, plan.seconds)
            after = sum(replica.cpu_seconds() for replica in fleet.replicas), cpu_seconds(running.pid)
            rates.append(loop.rate)
            of_replicas.append(1000 * (after[0] - before[0]) / loop.ok)
            of_gateway.append(1000 * (after[1] - before[1]) / loop.ok)
    computed = REPLICAS * _CORES_OF_A_REPLICA * 1000 / median(of_replicas)
    return {
        "answers a second on this machine": rounded(rates, 1),
        "replica, ms of a core for each answer": rounded(of_replicas, 2),
        "gateway, ms of a core for each answer": rounded(of_gateway, 3),
        f"COMPUTED: answers a second of {REPLICAS} replicas with {_CORES_OF_A_REPLICA} cores each, all busy": round(
            computed
        ),
        "COMPUTED: answers a second that one core of the gateway passes on": round(1000 / median(of_gateway)),
    }


def _show(report: dict[str, Any]) -> None:
    table = Table("part", "figure", "value")
    for part, figures in report.items():
        for name, value in figures.items():
            table.add_row(part, name, str(value))
    Console(width=140).print(table)


if __name__ == "__main__":
    sys.exit(main())
