"""The whole of calibration for one checkpoint: what it answers to pictures, what it may say then, how that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model import checkpoint
from model.checkpoint import Checkpoint
from model.engines import create_engine
from model.language.phrases import reviewed
from model.teaching.attach import base_of
from training import data
from training.evaluation.beyond import predict_beyond
from training.evaluation.calibrate import calibrate
from training.evaluation.predictions import Predictions, by_vocabulary, predict
from training.evaluation.reliability import reliability
from training.pages.figure_tables import print_reliability


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A network that was calibrated, and what that was fitted on and measured on."""

    network: Checkpoint
    """With its vocabularies as they are now; without what it was taught, which keeps its own calibration."""
    sets: Sequence[Predictions]
    """One for each picture set, in order."""
    pools: Mapping[str, Predictions]
    """Vocabulary name -> those of all its sets, one after the other."""
    figures: dict[str, dict[str, Any]]
    """Vocabulary name -> the figures of :func:`reliability`."""


def calibrate_checkpoint(
    path: Path, specs: Sequence[str], foreign: Sequence[str] = (), people: Sequence[str] = ()
) -> Calibration:
    """Calibrate the network of a file on the validation split of each ``[NAME=]PATH``; print how promises are kept.

    Its labels become those of today's tables, and nothing is written. Whole sets of ``foreign`` things and of
    ``people`` are looked at, too (:func:`predict_beyond`). Raises DataError and CheckpointError.
    """
    data.check_apart(specs)
    network = base_of(checkpoint.load(path))
    network = replace(network, vocabularies=tuple(map(reviewed, network.vocabularies)))
    engine = create_engine(network)
    sets = [predict(engine, network, spec) for spec in specs]
    pools = by_vocabulary(sets)
    beyond = predict_beyond(engine, network, foreign, people)
    vocabularies = calibrate(pools, network.vocabularies, beyond)
    figures = reliability(pools, vocabularies, beyond)
    print_reliability(figures)
    calibrated = replace(network, vocabularies=vocabularies)
    return Calibration(network=calibrated, sets=sets, pools=pools, figures=figures)
