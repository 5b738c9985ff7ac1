"""``python -m benchmarks.exchange``: what a step of training sends between two machines, computed and measured.

Network namespaces stand for the machines (Linux, root, iproute2); their counters are read before and after some steps
of the recipe ``modern``, between two processes with a processor thread each. What eight GPUs would bring is computed:
a step takes as long as its pictures take one GPU, and then as long as a ring takes to add up the gradients; at worst,
for both may overlap.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.nodes import RENDEZVOUS_PORT, ROOT, Machine, torchrun, two_machines
from benchmarks.options import exit_on_sigterm, positive, whole
from model import checkpoint
from model.architecture import Architecture
from model.engines.alexnet import AlexNet
from model.language.phrases import label_for
from model.vocabulary import Vocabulary
from training.config import Stage
from training.data import InMemory, PictureSet
from training.distributed import ProcessGroup, join_process_group
from training.recipes import modern
from training.trainer.plan import Plan, build_plan
from training.trainer.state import build_state
from training.trainer.step import train_step

SHIPPED = ROOT / "model" / "pretrained" / "glassbot.safetensors"
GPUS = 8
LINKS = {
    "NVLink 4, 450 GB/s": 450e9,
    "400 Gb/s InfiniBand": 50e9,
    "100 Gb/s Ethernet": 12.5e9,
    "25 Gb/s Ethernet": 3.125e9,
    "10 Gb/s Ethernet": 1.25e9,
}
"""What a GPU can send, in bytes a second: the makers' figures, of one direction."""
_SIZE = 227  # pixels: the size at which fc6 has all its weights
_WARM_UP = 2  # steps: in the first, optimisers and the process group set up what they keep
_DEADLINE = 900.0  # seconds for the whole measurement


def ring_bytes(gradient_bytes: float, processes: int) -> float:
    """Bytes that each process sends to add up gradients of so many bytes in a ring."""
    return 2 * (processes - 1) / processes * gradient_bytes


def gain(pictures_per_second: float, pictures: int, gradient_bytes: float, link: float, gpus: int = GPUS) -> float:
    """How many times as fast as one GPU so many are, each with its own ``pictures`` a step, nothing overlapping.

    ``link``: bytes a second that a GPU sends.
    """
    computing = pictures / pictures_per_second
    return gpus * computing / (computing + ring_bytes(gradient_bytes, gpus) / link)


def parameters(architecture: Architecture) -> int:
    """Number of weights that training changes, and so of gradients."""
    return sum(weight.numel() for weight in AlexNet(architecture).parameters())


def main() -> None:
    """Print the sizes, what a step sends, and what eight GPUs would bring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("--labels", type=whole(), help="rows of fc8 (default: those of the shipped network)")
    parser.add_argument("--steps", type=whole(0), default=5, help="steps to measure; 0 computes only")
    parser.add_argument("--rate", type=positive, action="append", help="pictures a second of one GPU, for the table")
    parser.add_argument("--batch-size", type=whole(), default=512, help="pictures a step of one GPU, for the table")
    parser.add_argument("--worker", type=Path, metavar="SENT", help=argparse.SUPPRESS)
    parser.add_argument("--interface", help=argparse.SUPPRESS)
    options = parser.parse_args()
    labels = options.labels or sum(map(len, checkpoint.load(SHIPPED).vocabularies))
    if options.worker:
        measure(options.steps, labels, options.interface, options.worker)
        return
    exit_on_sigterm()
    count = parameters(modern().architecture(labels, _SIZE))
    console = Console(highlight=False)
    console.print(f"{count:,} parameters ({labels} labels, {_SIZE} px); computed:")
    for name, size in (("f32", 4), ("bf16", 2)):
        sent = ", ".join(f"{ring_bytes(count * size, n) / 1e6:.0f} MB of {n}" for n in (2, GPUS))
        console.print(f"gradients in {name}: {count * size / 1e6:.0f} MB a step; each process sends {sent}")
    for rate in options.rate or (6_300, 50_000):
        console.print(_table(rate, options.batch_size, count * 4))
    if options.steps:
        found = send(options.steps, labels)
        first, second = (f"{number / 1e6:.1f}" for number in found["bytes_per_step"])
        console.print(
            f"measured between two namespaces, f32, n = {options.steps} steps: {first} and {second} MB sent a step; "
            f"{found['seconds_per_step']:.1f} s a step; torch {torch.__version__}, {os.cpu_count()} cores"
        )


def _table(rate: float, pictures: int, gradient_bytes: int) -> Table:
    title = f"{GPUS} GPUs of {rate:,.0f} pictures/s, {pictures} pictures a step each, f32 (computed)"
    table = Table(title=title, title_justify="left")
    for column in ("a GPU sends over", "exchange, ms a step", f"times one GPU, of {GPUS}"):
        table.add_column(column, justify="left" if column.startswith("a GPU") else "right")
    for link, speed in LINKS.items():
        seconds = ring_bytes(gradient_bytes, GPUS) / speed
        table.add_row(link, f"{seconds * 1e3:.1f}", f"{gain(rate, pictures, gradient_bytes, speed):.1f}")
    return table


def send(steps: int, labels: int) -> dict[str, Any]:
    """``bytes_per_step`` that each of two machines sends, and ``seconds_per_step``; each trains with one process.

    Raises ValueError where there can be no namespaces, RuntimeError where a process fails.
    """
    with two_machines() as machines, TemporaryDirectory() as folder:
        sent = Path(folder) / "sent.json"
        running = [_start(machine, machines[0], steps, labels, sent) for machine in machines]
        try:
            if sum(process.wait(_DEADLINE) for process in running):
                raise RuntimeError("A process of the measurement failed.")
        finally:
            for process in running:
                process.terminate()  # the launcher then ends what it started
                process.wait(_DEADLINE)
        found: dict[str, Any] = json.loads(sent.read_text())
        return found


def _start(machine: Machine, host: Machine, steps: int, labels: int, sent: Path) -> subprocess.Popen[bytes]:
    words = ["-m", "benchmarks.exchange", "--steps", str(steps), "--labels", str(labels)]
    words += ["--worker", str(sent), "--interface", machine.interface]
    command, environment = torchrun(machine, host, RENDEZVOUS_PORT, words)
    return subprocess.Popen(command, env=environment, cwd=ROOT)


def measure(steps: int, labels: int, interface: str, sent: Path) -> None:
    """Train so many steps as one of the processes; the first of them writes what each has sent."""
    with join_process_group(torch.device("cpu")) as group:
        plan = _plan(labels, group)
        state = build_state(plan)
        for _ in range(_WARM_UP):
            train_step(plan, state)
        group.barrier()
        before, start = _sent_bytes(interface), time.perf_counter()
        for _ in range(steps):
            train_step(plan, state)
        seconds = (time.perf_counter() - start) / steps
        found = group.gather((_sent_bytes(interface) - before) / steps)
        if group.is_main:
            sent.write_text(json.dumps({"bytes_per_step": found, "seconds_per_step": seconds}))


def _sent_bytes(interface: str) -> int:
    return int(Path(f"/sys/class/net/{interface}/statistics/tx_bytes").read_text())


def _plan(labels: int, group: ProcessGroup) -> Plan:
    """A plan of four pictures a step in the full network; what the pictures show does not matter here."""
    recipe = replace(modern(), precision="f32", batch_size=4, stages=(Stage(size=_SIZE, share=1.0),))
    pixels = np.random.default_rng(0).integers(0, 256, (4, _SIZE, _SIZE, 3), np.uint8)
    vocabulary = Vocabulary(
        name="label",
        activation="softmax",
        labels=tuple(label_for("label", f"label {number}") for number in range(labels)),
    )
    targets = np.arange(4) % labels
    pictures = PictureSet(name="noise", vocabulary=vocabulary, pictures=InMemory.of(pixels), targets=targets)
    return build_plan(recipe, [pictures], [], torch.device("cpu"), group=group, steps=10**6)


if __name__ == "__main__":
    main()
