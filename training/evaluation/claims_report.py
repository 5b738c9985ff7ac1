"""The claims report: how reliable and how telling a network's claims are, on its own sets and on photos beyond them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np

from model.checkpoint import Checkpoint
from model.describe import believe
from model.engines import Engine
from model.language.beliefs import Fragment
from model.language.hedging import TIERS, tree_of
from model.language.sentence import Caption, caption, fullest
from model.preprocess import prepare_all
from model.vocabulary import Vocabulary
from training.evaluation.beyond import NOBODY, NOTHING_BEYOND, PERSON, Beyond
from training.evaluation.calibrate import calibrate
from training.evaluation.caption_metrics import (
    CONSTANT_CAPTION,
    Captions,
    caption_scores,
    claim_forms,
    count_confirmed,
)
from training.evaluation.information import information
from training.evaluation.label_thresholds import node_predictions
from training.evaluation.ood_pictures import make_ood_pictures
from training.evaluation.predictions import Predictions
from training.evaluation.reliability import reliability
from training.evaluation.word_thresholds import says_person

OOD_PICTURES = 500
"""Number of out-of-distribution pictures that are described."""
_SEED = 2012
_BATCH = 25
PredictionsByName = Mapping[str, Predictions]
"""Predictions by the name of the vocabulary that their set measures."""


def claims_report(
    predictions: PredictionsByName, network: Checkpoint, engine: Engine, beyond: Beyond = NOTHING_BEYOND
) -> dict[str, Any]:
    """All that ``evaluate --claims`` reports: by vocabulary, and under ``captions``, ``beyond`` and ``ood_pictures``.

    Raises ValueError for a network that was never calibrated.
    """
    if not all(v.calibrated for v in network.vocabularies):
        raise ValueError("This network is not calibrated: run `python -m training calibrate` on it first.")
    report: dict[str, Any] = reliability(predictions, network.vocabularies, beyond)
    for vocabulary in network.vocabularies:
        if vocabulary.activation == "softmax" and vocabulary.name in predictions:
            one_set = predictions[vocabulary.name]
            fitting = node_predictions(one_set.part(fitting=True), vocabulary, network.vocabularies)
            reporting = node_predictions(one_set.part(fitting=False), vocabulary, network.vocabularies)
            report[vocabulary.name]["information"] = information(fitting, reporting, tree_of(vocabulary))
    if any(one_set.captions for one_set in predictions.values()):
        report["captions"] = caption_report(predictions, network.vocabularies, beyond)
    report["beyond"] = sentence_report(beyond.part(fitting=False), network.vocabularies)
    report["ood_pictures"] = ood_report(network, engine)
    return report


def caption_report(
    predictions: PredictionsByName, vocabularies: Sequence[Vocabulary], beyond: Beyond = NOTHING_BEYOND
) -> dict[str, Any]:
    """Caption metrics of all pictures with captions, each described with what was fitted on the other part."""
    captions = next(one_set.captions for one_set in predictions.values() if one_set.captions)
    sentences, guesses = describe_cross_fitted(predictions, vocabularies, beyond)
    claims = [sentence.said for sentence in sentences]
    confirmed, words = count_confirmed(claims, captions, claim_forms(vocabularies))
    texts = {
        "as_said": ["" if sentence.tier == "pass" else sentence.phrase for sentence in sentences],
        "best_guess": [guess.text for guess in guesses],
        "constant": [CONSTANT_CAPTION] * len(captions),
    }
    described = sum(bool(claims_of_picture) for claims_of_picture in claims)
    return {
        "said_by_people": round(confirmed / max(1, words), 4),
        "coverage": round(described / len(captions), 4),
        "words_per_sentence": round(words / max(1, described), 3),
        "n": len(captions),
        **{name: caption_scores(lines, captions) for name, lines in texts.items()},
        "against_four": leave_one_out_scores(texts, captions),
    }


def describe_cross_fitted(
    predictions: PredictionsByName, vocabularies: Sequence[Vocabulary], beyond: Beyond
) -> tuple[list[Caption], list[Fragment]]:
    """The sentence and the fullest guess for each picture with captions, in order.

    Pictures of the fitting part are described with what is fitted anew on the reporting part.
    """
    swapped = {name: replace(one_set, fitting=~one_set.fitting) for name, one_set in predictions.items()}
    described = next(one_set for one_set in predictions.values() if one_set.captions)
    sentences: dict[int, Caption] = {}
    guesses: dict[int, Fragment] = {}
    for fitting, fitted in ((False, vocabularies), (True, calibrate(swapped, vocabularies, beyond.swapped()))):
        rows = np.flatnonzero(described.fitting == fitting)
        for row, beliefs in zip(rows.tolist(), believe(described.logits[rows], fitted), strict=True):
            sentences[row] = caption(beliefs)
            guesses[row] = fullest(beliefs)
    return [sentences[row] for row in sorted(sentences)], [guesses[row] for row in sorted(guesses)]


def leave_one_out_scores(texts: Mapping[str, Sequence[str]], captions: Captions) -> dict[str, dict[str, float]]:
    """Mean scores of sentences, and of one person's captions, against those of the other four people."""
    people = range(min(map(len, captions)))
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in ("one_person", *texts)}
    for person in people:
        others = [[*five[:person], *five[person + 1 :]] for five in captions]
        scores["one_person"].append(caption_scores([five[person] for five in captions], others))
        for name, lines in texts.items():
            scores[name].append(caption_scores(lines, others))
    return {name: {key: round(mean(row[key] for row in rows), 2) for key in rows[0]} for name, rows in scores.items()}


def sentence_report(beyond: Beyond, vocabularies: Sequence[Vocabulary]) -> dict[str, dict[str, Any]]:
    """Set -> how whole sentences about its photos end: ``tiers`` counts them, ``person`` is the share with somebody.

    Of a set of people, each of the two classes for itself.
    """
    sets = {one_set.name: one_set for one_set in beyond.foreign}
    for one_set in beyond.people:
        classes = np.array(one_set.classes)
        sets |= {f"{one_set.name}, {name}": one_set.where(classes == name) for name in (PERSON, NOBODY)}
    report = {}
    for name, one_set in sets.items():
        sentences = [caption(beliefs) for beliefs in believe(one_set.logits, vocabularies)]
        report[name] = _ends(sentences) | {
            "person": round(sum(map(says_person, sentences)) / max(1, len(sentences)), 4)
        }
    return report


def _ends(sentences: Sequence[Caption]) -> dict[str, Any]:
    tiers = Counter(sentence.tier for sentence in sentences)
    modest = (tiers["hedge"] + tiers["pass"]) / max(1, len(sentences))
    return {"n": len(sentences), "hedge_or_pass": round(modest, 4), "tiers": {tier: tiers[tier] for tier in TIERS}}


def ood_report(network: Checkpoint, engine: Engine) -> dict[str, Any]:
    """How often each tier speaks of out-of-distribution pictures, which show no label of any vocabulary."""
    size = network.architecture.input_size
    pictures = prepare_all(make_ood_pictures(OOD_PICTURES, size, _SEED, captured=True), network.architecture)
    sentences = []
    for start in range(0, OOD_PICTURES, _BATCH):
        logits = engine.run(pictures[start : start + _BATCH]).logits
        sentences += [caption(beliefs) for beliefs in believe(logits, network.vocabularies)]
    return _ends(sentences)
