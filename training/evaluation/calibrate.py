"""All that makes a network's answers hold, fitted on one half of the held-out pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from model.describe import energies
from model.language.hedging import tree_of
from model.vocabulary import Vocabulary, rows_of
from training.evaluation.label_thresholds import claims_of, fit_thresholds
from training.evaluation.predictions import Observed
from training.evaluation.probability_fit import Floats, fit_gate, fit_scale
from training.evaluation.word_thresholds import fit_words

FEWEST = 50
"""Pictures on the fitting half below which a vocabulary stays as it is."""


def calibrate(observed: Mapping[str, Observed], vocabularies: Sequence[Vocabulary]) -> tuple[Vocabulary, ...]:
    """The vocabularies with all that can be fitted; ``observed`` by name of the vocabulary that a set measures."""
    halves = {name: one.half(fitting=True) for name, one in observed.items()}
    fitting = {name: half for name, half in halves.items() if len(half.logits) >= FEWEST}
    rows = rows_of(vocabularies)
    scaled = tuple(
        fit_scale(fitting[v.name].logits[:, rows[v.name]], fitting[v.name].targets, v)
        if v.name in fitting else v
        for v in vocabularies
    )  # fmt: skip
    energy = {name: energies(one.logits, scaled) for name, one in fitting.items()}
    return tuple(_hedged(v, scaled, fitting, energy) for v in scaled)


def _hedged(
    vocabulary: Vocabulary,
    scaled: Sequence[Vocabulary],
    fitting: Mapping[str, Observed],
    energy: Mapping[str, Floats],
) -> Vocabulary:
    """With gate and thresholds. Silence about a place is no error, so captions judge things alone."""
    if vocabulary.name not in fitting:
        return vocabulary
    if vocabulary.activation == "sigmoid":
        return fit_words(fitting, vocabulary, rows_of(scaled)[vocabulary.name])
    places = vocabulary.of_places
    others = [e for name, e in energy.items() if name != vocabulary.name and not (places and fitting[name].captions)]
    if others:
        gate = fit_gate(energy[vocabulary.name], others, [v.name for v in scaled])
        vocabulary = replace(vocabulary, gate=gate)
    claims = claims_of(fitting[vocabulary.name], vocabulary, scaled)
    for one in fitting.values():
        if one.captions and not places:
            claims += claims_of(one, vocabulary, scaled)
    return replace(vocabulary, thresholds=fit_thresholds(claims, tree_of(vocabulary.labels)))
