"""Whether a calibrated network keeps its promises, on held-out pictures that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.describe import probabilities
from model.language.hedging import TARGET_ACCURACY, TIERS, Tier, tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.label_thresholds import Claims, chosen, claims_of
from training.evaluation.predictions import Observed
from training.evaluation.statistics import wilson
from training.evaluation.word_thresholds import false_claims, judge

_BINS = 15
Table = dict[str, dict[str, float]]


def honesty(observed: Mapping[str, Observed], vocabularies: Sequence[Vocabulary]) -> dict[str, dict[str, Any]]:
    """Calibrated vocabulary -> ``ece``, ``tiers`` and the rest, on the reporting half of each set."""
    sets = {name: one.half(fitting=False) for name, one in observed.items()}
    found: dict[str, dict[str, Any]] = {}
    for vocabulary in vocabularies:
        if vocabulary.name in sets and vocabulary.calibrated:
            report = _words if vocabulary.activation == "sigmoid" else _classes
            found[vocabulary.name] = report(vocabulary, vocabularies, sets)
    return found


def _classes(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], sets: Mapping[str, Observed]
) -> dict[str, Any]:
    one, rows = sets[vocabulary.name], rows_of(vocabularies)[vocabulary.name]
    truth, raw = np.asarray(one.targets, np.int64), replace(vocabulary, temperature=1.0, bias=())
    found: dict[str, Any] = {
        "ece_before": error_of(probabilities(one.logits[:, rows], raw), truth),
        "ece": error_of(probabilities(one.logits[:, rows], vocabulary), truth),
        "tiers": tiers(claims_of(one, vocabulary, vocabularies), vocabulary),
    }
    for name, other in sets.items():
        if other.captions and not vocabulary.of_places:
            found[f"tiers_on_{name}"] = tiers(claims_of(other, vocabulary, vocabularies), vocabulary)
    return found


def _words(vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], sets: Mapping[str, Observed]) -> dict[str, Any]:
    one, rows = sets[vocabulary.name], rows_of(vocabularies)[vocabulary.name]
    judged = judge(one, vocabulary, probabilities(one.logits[:, rows], vocabulary))
    made = [j for j in judged if j is not None]
    table = {
        tier: row(tier, [j.right for j in made if j.tier == tier], len(judged))
        for tier in TIERS[:-1] if tier in vocabulary.thresholds
    }  # fmt: skip
    return {
        "tiers": table,
        "said_by_people": round(sum(j.said for j in made) / max(1, sum(j.claims for j in made)), 4),
        "false_claims": round(false_claims(sets, vocabulary, rows), 4),
    }


def tiers(claims: Claims, vocabulary: Vocabulary) -> Table:
    """Of each tier that is offered: what it promises, how often it speaks, how often it is right, and of how many."""
    tree, left = tree_of(vocabulary.labels), np.ones(len(claims.posterior), bool)
    table: Table = {}
    for tier in TIERS[:-1]:
        if tier in vocabulary.thresholds:
            node = chosen(claims, tree, tier, vocabulary.thresholds[tier])
            said = left & (node >= 0)
            left &= ~said
            table[tier] = row(tier, list(claims.right[said, node[said]]), len(left))
    return table


def row(tier: Tier, hits: Sequence[bool], pictures: int) -> dict[str, float]:
    """One line of the table; ``low`` and ``high`` bound the accuracy with 95 % confidence."""
    number = len(hits)
    accuracy = sum(hits) / number if number else 0.0
    low, high = wilson(accuracy, number) if number else (0.0, 1.0)
    figures = {"coverage": number / max(1, pictures), "accuracy": accuracy, "low": low, "high": high}
    return {"promise": TARGET_ACCURACY[tier], **{name: round(float(v), 4) for name, v in figures.items()}, "n": number}


def error_of(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Expected calibration error of the top-1 confidence, in 15 bins of as many pictures each."""
    sure, right = scores.max(1), scores.argmax(1) == truth
    bins = np.array_split(np.argsort(sure, kind="stable"), _BINS)
    parts = [len(part) * abs(float(sure[part].mean()) - float(right[part].mean())) for part in bins if len(part)]
    return round(sum(parts) / len(sure), 4)
