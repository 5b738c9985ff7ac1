"""Reliability: whether a calibrated network is as often right as it says, on pictures that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.describe import probabilities
from model.language.beliefs import Belief
from model.language.fragments import rows_by_subject
from model.language.hedging import NEVER, TARGET_ACCURACY, TIERS, Tier, tree_of
from model.language.sentence import caption
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.beyond import NOTHING_BEYOND, Beyond, ClassPictures
from training.evaluation.consent import shows
from training.evaluation.label_thresholds import NodePredictions, choose_nodes, node_predictions
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import wilson_interval
from training.evaluation.word_pictures import WordPictures, word_pictures
from training.evaluation.word_thresholds import additions_right, false_claim_rate, judge_sentences, says_person

_BINS = 15
TierTable = dict[str, dict[str, float]]
"""Tier -> its promised accuracy, coverage, accuracy with both ends of its 95 % interval, and number of claims."""


def reliability(
    predictions: Mapping[str, Predictions], vocabularies: Sequence[Vocabulary], beyond: Beyond = NOTHING_BEYOND
) -> dict[str, dict[str, Any]]:
    """Calibrated vocabulary -> ``ece``, ``tiers`` and more, measured on the reporting part of each set.

    ``tiers_on_NAME`` are those of one set: of several of the vocabulary, with captions, or ``beyond`` them all. The
    pictures of a foreign set that the vocabulary has a label for are a row of their own, ``tiers_on_NAME_named``.
    """
    sets = {name: one_set.part(fitting=False) for name, one_set in predictions.items()}
    figures: dict[str, dict[str, Any]] = {}
    for vocabulary in vocabularies:
        if vocabulary.name in sets and vocabulary.calibrated:
            measure = _sigmoid_figures if vocabulary.activation == "sigmoid" else _softmax_figures
            figures[vocabulary.name] = measure(vocabulary, vocabularies, sets, beyond)
    return figures


def _softmax_figures(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], sets: Mapping[str, Predictions], beyond: Beyond
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
    judged: dict[str, Predictions | ClassPictures] = {one_set.name: one_set for one_set in predictions.apart()}
    if not vocabulary.of_places:
        judged |= {name: other for name, other in sets.items() if other.captions}
        judged |= _foreign_sets(vocabulary, beyond)
    for name, one_set in judged.items():
        figures[f"tiers_on_{name}"] = tier_table(node_predictions(one_set, vocabulary, vocabularies), vocabulary)
    return figures


def _foreign_sets(vocabulary: Vocabulary, beyond: Beyond) -> dict[str, ClassPictures]:
    """Name of a row -> its pictures. Nothing is ever fitted on those that have a label, so all of them are reported."""
    rows = {one_set.name: one_set for one_set in beyond.part(fitting=False).without_label(vocabulary)}
    for one_set in beyond.foreign:
        known = one_set.have_label(vocabulary)
        if known.any():
            rows[f"{one_set.name}_named"] = one_set.where(known)
    return rows


def _sigmoid_figures(
    vocabulary: Vocabulary, vocabularies: Sequence[Vocabulary], sets: Mapping[str, Predictions], beyond: Beyond
) -> dict[str, Any]:
    pictures = word_pictures(sets, beyond.part(fitting=False), vocabulary)
    beliefs = [one_set.beliefs(vocabulary, tuple(vocabularies)) for one_set in pictures]
    pairs = list(zip(pictures, beliefs, strict=True))
    judged = [j for one_set, group in pairs if one_set.described for j in judge_sentences(one_set, group)]
    sentences = [sentence for sentence in judged if sentence is not None]
    table = {
        tier: tier_row(tier, [sentence.correct for sentence in sentences if sentence.tier == tier], len(judged))
        for tier in TIERS[:-1]
        if vocabulary.thresholds.get(tier, NEVER) < NEVER
    }
    additions = additions_right(judged)
    confirmed = sum(sentence.confirmed for sentence in sentences)
    claims = sum(sentence.claims for sentence in sentences)
    return {
        "tiers": table,
        **({"tiers_of_additions": {"hedge": tier_row("hedge", additions, len(judged))}} if additions else {}),
        "said_by_people": round(confirmed / max(1, claims), 4),
        "false_claims": {
            one_set.name: round(false_claim_rate(one_set, group), 4)
            for one_set, group in pairs
            if not one_set.described
        },
        "persons": _person_figures(pairs, vocabulary),
    }


def _person_figures(
    pairs: Sequence[tuple[WordPictures, Sequence[Belief]]], vocabulary: Vocabulary
) -> dict[str, dict[str, float]]:
    """Set -> how often a sentence of words claims somebody: ``found`` where there is, ``false`` where there is nobody.

    ``n_found`` and ``n_false`` are the numbers of those pictures.
    """
    rows = rows_by_subject(vocabulary).get("person", [])
    figures: dict[str, dict[str, float]] = {}
    for one_set, beliefs in pairs if rows else ():
        is_there = shows(one_set.targets, rows)
        said = np.array([says_person(caption([belief])) for belief in beliefs])
        for name, answer in (("found", 1.0), ("false", 0.0)):
            chosen = is_there == answer
            if chosen.any():
                figures.setdefault(one_set.name, {})[name] = round(float(said[chosen].mean()), 4)
                figures[one_set.name][f"n_{name}"] = int(chosen.sum())
    return figures


def tier_table(nodes: NodePredictions, vocabulary: Vocabulary) -> TierTable:
    """One row for each tier that is offered; a tier is measured only on pictures for which no higher tier spoke."""
    tree = tree_of(vocabulary)
    remaining = np.ones(len(nodes.posterior), bool)
    table: TierTable = {}
    for tier in TIERS[:-1]:
        if vocabulary.thresholds.get(tier, NEVER) < NEVER:
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
