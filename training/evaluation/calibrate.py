"""Calibration: fits all that a network's probabilities and sentences need, on the fitting part of held-out pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from model.describe import energies
from model.language.hedging import tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.label_thresholds import fit_label_thresholds, node_predictions
from training.evaluation.predictions import Predictions
from training.evaluation.probability_fit import Floats, fit_gate, fit_temperature
from training.evaluation.word_thresholds import fit_word_thresholds

MIN_PICTURES = 50
"""Pictures in the fitting part below which a vocabulary is left uncalibrated."""


def calibrate(predictions: Mapping[str, Predictions], vocabularies: Sequence[Vocabulary]) -> tuple[Vocabulary, ...]:
    """The vocabularies with temperature, biases, gate and thresholds, wherever there are pictures to fit them on.

    ``predictions`` are keyed by the name of the vocabulary that a set measures.
    """
    parts = {name: one_set.part(fitting=True) for name, one_set in predictions.items()}
    fitting = {name: part for name, part in parts.items() if len(part.logits) >= MIN_PICTURES}
    rows = rows_of(vocabularies)
    scaled = tuple(
        fit_temperature(fitting[v.name].logits[:, rows[v.name]], fitting[v.name].targets, v) if v.name in fitting else v
        for v in vocabularies
    )
    energy = {name: energies(part.logits, scaled) for name, part in fitting.items()}
    return tuple(_with_thresholds(v, scaled, fitting, energy) for v in scaled)


def _with_thresholds(
    vocabulary: Vocabulary,
    scaled: Sequence[Vocabulary],
    fitting: Mapping[str, Predictions],
    energy: Mapping[str, Floats],
) -> Vocabulary:
    """The vocabulary with gate and thresholds. Captions judge things alone: they may well not mention the place."""
    if vocabulary.name not in fitting:
        return vocabulary
    if vocabulary.activation == "sigmoid":
        return fit_word_thresholds(fitting, vocabulary, rows_of(scaled)[vocabulary.name])
    places = vocabulary.of_places
    others = [e for name, e in energy.items() if name != vocabulary.name and not (places and fitting[name].captions)]
    if others:
        gate = fit_gate(energy[vocabulary.name], others, [v.name for v in scaled])
        vocabulary = replace(vocabulary, gate=gate)
    nodes = node_predictions(fitting[vocabulary.name], vocabulary, scaled)
    for part in fitting.values():
        if part.captions and not places:
            nodes += node_predictions(part, vocabulary, scaled)
    return replace(vocabulary, thresholds=fit_label_thresholds(nodes, tree_of(vocabulary.labels)))
