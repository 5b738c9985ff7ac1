"""The whole of the microscope: real pictures, synthetic pictures, effects, names; then one file of cards.

On two cores the shipped network takes about ten minutes (docs/microscope.md). Each thread runs torch on one core: two
threads that wait for each other after every operation are slower wherever the cores are shared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from model import checkpoint
from model.checkpoint import Checkpoint
from model.engines import create_engine
from training import data
from training.evaluation.microscope import effects
from training.evaluation.microscope.ascent import Ascent, ascend
from training.evaluation.microscope.cells import Cell, layers_of, quick_type
from training.evaluation.microscope.effects import Effects
from training.evaluation.microscope.progress import Stages
from training.evaluation.microscope.responses import Responses, respond
from training.evaluation.microscope.work_folder import Arrays, WorkFolder
from training.evaluation.sample import sample_pictures

_UNITS = 16  # drawn at a time


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the microscope is to do."""

    path: Path
    """File of the network that is looked into."""
    specs: tuple[str, ...] = ()
    """``[NAME=]PATH`` of the sets whose validation pictures are looked at; none leaves out what needs real pictures."""
    ascent: Ascent = field(default_factory=Ascent)
    """How the synthetic pictures are made."""
    effect_pictures: int = 64
    """Real pictures over which effects are averaged."""
    other: Path | None = None
    """File of a network whose units are matched with this one's."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All that was found of a network, by layer."""

    network: Checkpoint
    pictures: dict[str, Arrays]
    """Layer -> ``pixels`` (n, S, S, 3) and ``values`` (n,), as in :class:`Made`."""
    responses: tuple[Responses, ...]
    """One for each set; none without real pictures."""
    effects: Effects | None
    """None where no real pictures were seen."""
    others: tuple[Responses, ...] = ()
    """What the units of the network that it is compared with answer to the same sets; none where there is no such."""


def look(plan: Plan, out: Path, *, resume: bool) -> tuple[Seen, WorkFolder]:
    """Do all that takes time, and keep it in a folder beside ``out`` until the caller removes it.

    Raises ValueError as :class:`WorkFolder` does, DataError and CheckpointError.
    """
    network = checkpoint.load(plan.path)
    other = checkpoint.load(plan.other) if plan.other else None
    facts = {
        "weights": checkpoint.weights_digest(plan.path),
        "sets": list(plan.specs),
        "ascent": asdict(plan.ascent),
        "effect_pictures": plan.effect_pictures,
        **({"other": checkpoint.weights_digest(plan.other)} if plan.other else {}),
    }
    for spec in plan.specs:
        data.match_vocabulary(spec, network.vocabularies)
    work = WorkFolder(out, facts, resume=resume)
    with Stages() as stages:
        responses = tuple(_responses(plan.specs, network, work, stages))
        others = tuple(_responses(plan.specs, other, work, stages, "other-")) if other else ()
        pictures = _pictures(plan, network, work, stages)
        weighed = _effects(plan, network, work, stages) if plan.specs else None
    seen = Seen(network=network, pictures=pictures, responses=responses, effects=weighed, others=others)
    return seen, work


def _responses(
    specs: Sequence[str], network: Checkpoint, work: WorkFolder, stages: Stages, prefix: str = ""
) -> Iterator[Responses]:
    """What the units answer to the pictures of each set; ``prefix`` is of the names under which it is kept."""
    engine = create_engine(network)
    for number, spec in enumerate(specs):
        stage = f"{prefix}looking at {data.parse_spec(spec)[1].name}"
        vocabulary = data.match_vocabulary(spec, network.vocabularies)

        def make(spec: str = spec, stage: str = stage) -> Arrays:
            found = respond(engine, network, spec, lambda total: stages.begin(stage, total), _counter(stages, stage))
            return {"targets": found.targets, "choosing": found.choosing, **found.values}

        stored = work.once(f"{prefix}responses-{number}", make)
        yield Responses(
            vocabulary=vocabulary,
            targets=stored.pop("targets"),
            choosing=stored.pop("choosing"),
            values=stored,
        )


def _pictures(plan: Plan, network: Checkpoint, work: WorkFolder, stages: Stages) -> dict[str, Arrays]:
    """The synthetic picture of every unit: batches of units, on all cores."""
    layers = layers_of(network)
    quick = quick_type()
    batches = {layer: _batches(network.architecture.layer(layer).shape[0]) for layer in layers}
    stages.begin("drawing", sum(map(len, (unit for layer in layers for unit in batches[layer]))))
    for layer in layers:
        cell, exact = Cell(network, layer, quick), Cell(network, layer)

        def draw(number: int, layer: str = layer, cell: Cell = cell, exact: Cell = exact) -> int:
            units = batches[layer][number]
            work.once(f"{layer}-{number}", lambda: asdict(ascend(cell, exact, units, plan.ascent)))
            return len(units)

        _on_all_cores(draw, len(batches[layer]), _counter(stages, "drawing"))
    return {layer: _joined(work, layer, len(batches[layer])) for layer in layers}


def _on_all_cores(piece: Callable[[int], int], number: int, done: Callable[[int], None]) -> None:
    """Do so many pieces of work, each on one core; ``done`` is told what each returns. The first error ends it."""
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as threads:
        waiting = [threads.submit(piece, at) for at in range(number)]
        try:
            for one in as_completed(waiting):
                done(one.result())
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _batches(units: int) -> list[range]:
    return [range(start, min(start + _UNITS, units)) for start in range(0, units, _UNITS)]


def _joined(work: WorkFolder, layer: str, batches: int) -> Arrays:
    parts = [work.once(f"{layer}-{number}", dict) for number in range(batches)]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _effects(plan: Plan, network: Checkpoint, work: WorkFolder, stages: Stages) -> Effects:
    """The effects of units on labels and on one another."""
    number = plan.effect_pictures
    sample = work.once("sample", lambda: {"pixels": sample_pictures(network, plan.specs, number, "evaluation")})
    pixels = sample["pixels"]
    batches = [pixels[start : start + effects.BATCH] for start in range(0, len(pixels), effects.BATCH)]
    stages.begin("weighing", len(pixels))

    def weigh(number: int) -> int:
        work.once(f"effects-{number}", lambda: effects.sums(network, batches[number]))
        return len(batches[number])

    _on_all_cores(weigh, len(batches), _counter(stages, "weighing"))
    return effects.joined([work.once(f"effects-{number}", dict) for number in range(len(batches))])


def _counter(stages: Stages, stage: str) -> Callable[[int], None]:
    return lambda number: stages.advance(stage, number)
