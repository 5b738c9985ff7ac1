"""Calibration: fits all that a network's probabilities and sentences need, on the fitting part of held-out pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from model.describe import probabilities, strengths
from model.language.hedging import NEVER, tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.beyond import NOTHING_BEYOND, Beyond, ClassPictures, nodes_of_classes
from training.evaluation.label_thresholds import MIN_CLAIMS, fit_label_thresholds, node_predictions
from training.evaluation.predictions import Predictions
from training.evaluation.probability_fit import Floats, fit_kinship, fit_logistic, fit_temperature
from training.evaluation.word_pictures import word_pictures
from training.evaluation.word_thresholds import fit_word_thresholds

MIN_PICTURES = 50
"""Pictures in the fitting part below which a vocabulary is left uncalibrated."""


def calibrate(
    predictions: Mapping[str, Predictions], vocabularies: Sequence[Vocabulary], beyond: Beyond = NOTHING_BEYOND
) -> tuple[Vocabulary, ...]:
    """The vocabularies with temperature, biases, gate and thresholds, wherever there are pictures to fit them on.

    ``predictions`` are keyed by the name of the vocabulary that a set measures. What is ``beyond`` them tells the gate
    and the consent what is foreign, and thresholds have to keep their promises there, too.
    """
    parts = {name: one_set.part(fitting=True) for name, one_set in predictions.items()}
    fitting = {name: part for name, part in parts.items() if len(part.logits) >= MIN_PICTURES}
    beyond = beyond.part(fitting=True)
    rows = rows_of(vocabularies)
    scaled = tuple(
        fit_temperature(fitting[v.name].logits[:, rows[v.name]], fitting[v.name].targets, v) if v.name in fitting else v
        for v in vocabularies
    )
    fitted = (_with_thresholds(v, scaled, fitting, beyond) if v.name in fitting else v for v in scaled)
    enough = [name for name, part in fitting.items() if len(part.logits) >= MIN_CLAIMS]
    return tuple(_silenced(v) if v.name in enough else v for v in fitted)


def _silenced(vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary; with a threshold that nothing reaches where no tier could be promised on pictures enough."""
    return vocabulary if vocabulary.thresholds else replace(vocabulary, thresholds={"hedge": NEVER})


def _with_thresholds(
    vocabulary: Vocabulary, scaled: Sequence[Vocabulary], fitting: Mapping[str, Predictions], beyond: Beyond
) -> Vocabulary:
    """The vocabulary with gate and thresholds. Captions judge things alone: they may well not mention the place."""
    if vocabulary.activation == "sigmoid":
        return fit_word_thresholds(vocabulary, scaled, word_pictures(fitting, beyond, vocabulary))
    places = vocabulary.of_places
    own = fitting[vocabulary.name]
    foreign = beyond.without_label(vocabulary)
    others = [p for name, p in fitting.items() if name != vocabulary.name and not (places and p.captions)]
    outside = [[strengths(one_set.logits, scaled).values for one_set in group] for group in (others, foreign)]
    vocabulary = _with_gate(vocabulary, scaled, own, [group for group in outside if group])
    judged: list[Predictions | ClassPictures] = [*own.apart()]
    if not places:
        judged += [*foreign, *(one_set for one_set in others if one_set.captions)]
        vocabulary = replace(vocabulary, kinship=_kinship(vocabulary, scaled, foreign))
    nodes, *apart = (node_predictions(one_set, vocabulary, scaled) for one_set in (own, *judged))
    return replace(vocabulary, thresholds=fit_label_thresholds(nodes, tree_of(vocabulary), apart))


def _with_gate(
    vocabulary: Vocabulary, scaled: Sequence[Vocabulary], own: Predictions, outside: Sequence[Sequence[Floats]]
) -> Vocabulary:
    """The vocabulary with a gate, where there are pictures outside it.

    Foreign pictures weigh as much as those of all other vocabularies, and where there is one group, its sets alike.
    """
    if not outside:
        return vocabulary
    no = list(outside[0]) if len(outside) == 1 else [np.concatenate(group) for group in outside]
    strength = strengths(own.logits, scaled)
    return replace(vocabulary, gate=fit_logistic([strength.values], no, strength.names))


def _kinship(vocabulary: Vocabulary, scaled: Sequence[Vocabulary], foreign: Sequence[ClassPictures]) -> float:
    if not foreign:
        return 0.0
    tree = tree_of(vocabulary)
    rows = rows_of(scaled)[vocabulary.name]
    scores = np.concatenate([probabilities(one_set.logits[:, rows], vocabulary) for one_set in foreign])
    correct = np.concatenate([nodes_of_classes(one_set.classes, vocabulary) for one_set in foreign])
    return fit_kinship(tree.posterior(scores), correct, ~tree.leaf)
