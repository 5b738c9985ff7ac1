"""Reliability: whether a calibrated network is as often right as it says, on pictures that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.describe import probabilities
from model.language.hedging import TARGET_ACCURACY, TIERS, Tier, tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.label_thresholds import NodePredictions, choose_nodes, node_predictions
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import wilson_interval
from training.evaluation.word_thresholds import false_claim_rate, judge_sentences

_BINS = 15
TierTable = dict[str, dict[str, float]]
"""Tier -> its promised accuracy, coverage, accuracy with both ends of its 95 % interval, and number of claims."""


def reliability(
    predictions: Mapping[str, Predictions], vocabularies: Sequence[Vocabulary]
) -> dict[str, dict[str, Any]]:
    """Calibrated vocabulary -> ``ece``, ``tiers`` and more, measured on the reporting part of each set."""
    sets = {name: one_set.part(fitting=False) for name, one_set in predictions.items()}
    figures: dict[str, dict[str, Any]] = {}
    for vocabulary in vocabularies:
        if vocabulary.name in sets and vocabulary.calibrated:
            measure = _sigmoid_figures if vocabulary.activation == "sigmoid" else _softmax_figures
            figures[vocabulary.name] = measure(vocabulary, vocabularies, sets)
    return figures


def _softmax_figures(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], sets: Mapping[str, Predictions]
) -> dict[str, Any]:
    predictions = sets[vocabulary.name]
    logits = predictions.logits[:, rows_of(vocabularies)[vocabulary.name]]
    truth = np.asarray(predictions.targets, np.int64)
    uncalibrated = replace(vocabulary, temperature=1.0, bias=())
    figures: dict[str, Any] = {
        "ece_before": expected_calibration_error(probabilities(logits, uncalibrated), truth),
        "ece": expected_calibration_error(probabilities(logits, vocabulary), truth),
        "tiers": tier_table(node_predictions(predictions, vocabulary, vocabularies), vocabulary),
    }
    for name, other in sets.items():
        if other.captions and not vocabulary.of_places:
            nodes = node_predictions(other, vocabulary, vocabularies)
            figures[f"tiers_on_{name}"] = tier_table(nodes, vocabulary)
    return figures


def _sigmoid_figures(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], sets: Mapping[str, Predictions]
) -> dict[str, Any]:
    predictions = sets[vocabulary.name]
    rows = rows_of(vocabularies)[vocabulary.name]
    judged = judge_sentences(predictions, vocabulary, probabilities(predictions.logits[:, rows], vocabulary))
    sentences = [sentence for sentence in judged if sentence is not None]
    table = {
        tier: tier_row(tier, [sentence.correct for sentence in sentences if sentence.tier == tier], len(judged))
        for tier in TIERS[:-1]
        if tier in vocabulary.thresholds
    }
    confirmed = sum(sentence.confirmed for sentence in sentences)
    claims = sum(sentence.claims for sentence in sentences)
    return {
        "tiers": table,
        "said_by_people": round(confirmed / max(1, claims), 4),
        "false_claims": round(false_claim_rate(sets, vocabulary, rows), 4),
    }


def tier_table(nodes: NodePredictions, vocabulary: Vocabulary) -> TierTable:
    """One row for each tier that is offered; a tier is measured only on pictures for which no higher tier spoke."""
    tree = tree_of(vocabulary.labels)
    remaining = np.ones(len(nodes.posterior), bool)
    table: TierTable = {}
    for tier in TIERS[:-1]:
        if tier in vocabulary.thresholds:
            chosen = choose_nodes(nodes, tree, tier, vocabulary.thresholds[tier])
            claimed = remaining & (chosen >= 0)
            remaining &= ~claimed
            table[tier] = tier_row(tier, list(nodes.correct[claimed, chosen[claimed]]), len(remaining))
    return table


def tier_row(tier: Tier, correct: Sequence[bool], pictures: int) -> dict[str, float]:
    """One row of the table, of the claims that a tier makes about so many pictures.

    ``low`` and ``high`` are the ends of the 95 % interval of the accuracy.
    """
    claims = len(correct)
    accuracy = sum(correct) / claims if claims else 0.0
    low, high = wilson_interval(int(sum(correct)), claims) if claims else (0.0, 1.0)
    figures = {"coverage": claims / max(1, pictures), "accuracy": accuracy, "low": low, "high": high}
    return {
        "promise": TARGET_ACCURACY[tier],
        **{name: round(float(value), 4) for name, value in figures.items()},
        "n": claims,
    }


def expected_calibration_error(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Expected calibration error of the top-1 confidence, in 15 bins of equally many pictures.

    ``scores`` (N, classes) are probabilities, ``truth`` (N,) class numbers.
    """
    confidence = scores.max(1)
    correct = scores.argmax(1) == truth
    bins = np.array_split(np.argsort(confidence, kind="stable"), _BINS)
    errors = [len(b) * abs(float(confidence[b].mean()) - float(correct[b].mean())) for b in bins if len(b)]
    return round(sum(errors) / len(confidence), 4)
