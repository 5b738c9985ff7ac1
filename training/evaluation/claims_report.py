"""The whole account of what a calibrated network claims: promises, information, people, strangers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np

from model.checkpoint import Checkpoint
from model.describe import believe
from model.engines import Engine
from model.language.beliefs import Fragment
from model.language.hedging import tree_of
from model.language.sentence import Caption, caption, fullest
from model.vocabulary import Vocabulary
from training.evaluation.calibrate import calibrate
from training.evaluation.caption_metrics import CONSTANT, Captions, forms_of, likeness, said_by_people
from training.evaluation.information import information
from training.evaluation.label_thresholds import claims_of
from training.evaluation.ood_pictures import strangers
from training.evaluation.predictions import Observed
from training.evaluation.reliability import honesty

STRANGERS = 500
_SEED = 2012
_BATCH = 25
Observations = Mapping[str, Observed]


def account(observed: Observations, network: Checkpoint, engine: Engine) -> dict[str, Any]:
    """All that ``evaluate --claims`` reports, by vocabulary; and under ``captions`` and ``strangers``.

    Raises ValueError for a network that was never calibrated.
    """
    if not all(v.calibrated for v in network.vocabularies):
        raise ValueError("This network promises nothing yet: run `python -m training calibrate` on it first.")
    found: dict[str, Any] = honesty(observed, network.vocabularies)
    for vocabulary in network.vocabularies:
        if vocabulary.activation == "softmax" and vocabulary.name in observed:
            fitting, reporting = (
                claims_of(observed[vocabulary.name].half(fitting=fitting), vocabulary, network.vocabularies)
                for fitting in (True, False)
            )
            found[vocabulary.name]["information"] = information(fitting, reporting, tree_of(vocabulary.labels))
    if any(one.captions for one in observed.values()):
        found["captions"] = against_people(observed, network.vocabularies)
    found["strangers"] = before_strangers(network, engine)
    return found


def against_people(observed: Observations, vocabularies: Sequence[Vocabulary]) -> dict[str, Any]:
    """Sentences on all pictures with captions; each half is spoken of with what was fitted on the other."""
    captions = next(one.captions for one in observed.values() if one.captions)
    said, guessed = cross_fitted(observed, vocabularies)
    made = [() if one.tier == "pass" else one.claims for one in said]
    right, words = said_by_people(made, captions, forms_of(vocabularies))
    texts = {
        "as_said": ["" if one.tier == "pass" else one.phrase for one in said],
        "best_guess": [one.text for one in guessed],
        "constant": [CONSTANT] * len(captions),
    }
    spoken = sum(bool(claims) for claims in made)
    return {
        "said_by_people": round(right / max(1, words), 4),
        "coverage": round(spoken / len(captions), 4),
        "words_per_sentence": round(words / max(1, spoken), 3),
        "n": len(captions),
        **{name: likeness(sentences, captions) for name, sentences in texts.items()},
        "against_four": against_four(texts, captions),
    }


def cross_fitted(observed: Observations, vocabularies: Sequence[Vocabulary]) -> tuple[list[Caption], list[Fragment]]:
    """What is said of each picture with captions, and the fullest guess."""
    swapped = {name: replace(one, fitting=~one.fitting) for name, one in observed.items()}
    one = next(one for one in observed.values() if one.captions)
    said: dict[int, Caption] = {}
    guessed: dict[int, Fragment] = {}
    for fitting, fitted in ((False, vocabularies), (True, calibrate(swapped, vocabularies))):
        rows = np.flatnonzero(one.fitting == fitting)
        for row, beliefs in zip(rows.tolist(), believe(one.logits[rows], fitted), strict=True):
            said[row], guessed[row] = caption(beliefs), fullest(beliefs)
    return [said[row] for row in sorted(said)], [guessed[row] for row in sorted(guessed)]


def against_four(texts: Mapping[str, Sequence[str]], captions: Captions) -> dict[str, dict[str, float]]:
    """Our sentences and one person's against the other four, the mean over who is left out."""
    people = range(min(map(len, captions)))
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ("one_person", *texts)}
    for person in people:
        others = [[*five[:person], *five[person + 1 :]] for five in captions]
        found["one_person"].append(likeness([five[person] for five in captions], others))
        for name, sentences in texts.items():
            found[name].append(likeness(sentences, others))
    return {name: {key: round(mean(row[key] for row in rows), 2) for key in rows[0]} for name, rows in found.items()}


def before_strangers(network: Checkpoint, engine: Engine) -> dict[str, Any]:
    """How pictures that show no label of any vocabulary are spoken of."""
    pictures = strangers(STRANGERS, network.architecture.input_size, _SEED, captured=True)
    tiers: dict[str, int] = {"sure": 0, "think": 0, "hedge": 0, "pass": 0}
    for start in range(0, STRANGERS, _BATCH):
        logits = engine.run(pictures[start : start + _BATCH]).logits
        for beliefs in believe(logits, network.vocabularies):
            tiers[caption(beliefs).tier] += 1
    modest = (tiers["hedge"] + tiers["pass"]) / STRANGERS
    return {"n": STRANGERS, "hedge_or_pass": round(modest, 4), "tiers": tiers}
