"""Writes the small form of a network that is shipped: pruned, evened out, rounded, and run in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model import checkpoint
from model.checkpoint import Checkpoint
from model.engines import create_engine
from model.int8 import quantised_rows
from training import data
from training.evaluation.accuracy import evaluate
from training.evaluation.sample import sample_pictures
from training.release.int8 import equalise, fit_ranges, measured_same
from training.release.prune import prune_for_sets

PICTURES = 600
"""Pictures by which channels are evened out and ranges are chosen."""
COMPARED = 2000
"""Pictures of which whole numbers and float32 must say the same."""
MOST_LOST = 0.001
"""Largest loss of top-1 accuracy or mean average precision by whole numbers, in any vocabulary."""
LEAST_SAME = 0.97
"""Least share of sentences that stay word for word the same; in bf16, too, some change (docs/experiments.md)."""


def write_small(path: Path, network: Checkpoint, specs: Sequence[str]) -> None:
    """Write the small form of a network, by the training pictures of ``specs`` ([NAME=]PATH). Raises DataError."""
    pictures = sample_pictures(network, specs, PICTURES, "train")
    thin = prune_for_sets(equalise(network, pictures), specs)
    checkpoint.save(path, replace(thin, int8=None), small=True)
    int8 = fit_ranges(checkpoint.load(path), pictures)
    if int8 is not None:
        checkpoint.note_int8(path, int8)
    else:
        print("No int8: the network has a layer that it cannot be done for, or would answer too coarsely.")


def keep_int8_if_same(path: Path, specs: Sequence[str]) -> None:
    """Compare int8 with float32 on the validation pictures, and store what loses little: all layers, else convolutions.

    Linear layers are the first to go, for they cost sentences; convolutions take most of the time. Where these lose
    too much, too, int8 is dropped. To be called once the vocabularies are calibrated, for the sentences depend on
    that. Raises DataError.
    """
    network = checkpoint.load(path)
    if network.int8 is None:
        return
    pictures = sample_pictures(network, specs, COMPARED, "evaluation")
    convolutions = quantised_rows(network.architecture, "conv")
    for ranges in (network.int8.ranges, {name: network.int8.ranges[name] for name in convolutions}):
        tried = replace(network, int8=replace(network.int8, ranges=ranges))
        same, lost = measured_same(tried, pictures), _lost(tried, specs)
        kept = round(max(lost.values()), 6) <= MOST_LOST and same["sentence"] >= LEAST_SAME
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in same.items())
        points = ", ".join(f"{name} {100 * loss:.2f}" for name, loss in lost.items())
        print(f"In int8 ({', '.join(ranges)}) as in float32: {shares}; points lost: {points}.", flush=True)
        if kept or len(ranges) == len(convolutions):
            break
    if not kept:
        print("That is too much: int8 is left out.")
    checkpoint.note_int8(path, replace(network.int8, ranges=ranges, same=same) if kept else None)


def _lost(network: Checkpoint, specs: Sequence[str]) -> dict[str, float]:
    """Vocabulary -> how much less accurate int8 is than float32, as top-1 accuracy or mean average precision."""
    sets = [data.load_for(network.vocabularies, spec, "evaluation") for spec in specs]
    engines = [create_engine(network, engine="openvino", precision=precision) for precision in ("f32", "int8")]
    float32, int8 = (evaluate(engine, sets, network.slices()) for engine in engines)
    measures = {name: "top1" if "top1" in figures else "map" for name, figures in float32.items()}
    return {name: float32[name][measure] - int8[name][measure] for name, measure in measures.items()}
