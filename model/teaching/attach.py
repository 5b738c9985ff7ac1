"""A network and what it was taught, as one: fc8 with a further row for each name. Everything else stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from model.network import Checkpoint
from model.teaching.embedding import Embedding
from model.teaching.examples import Examples
from model.teaching.fitting import VOCABULARY, Fitted, fit
from model.vocabulary import Vocabulary
from model.weights import Floats, Quantised, Weights, quantised, weight_rows

_TOP = 127  # the largest int8


def teach(base: Checkpoint, embedding: Embedding, examples: Examples, outside: Floats) -> Checkpoint:
    """Return a network, one that was taught nothing, with the names of ``examples`` as a further vocabulary.

    ``outside`` holds the (M, size) embeddings of the bundled photos of other things. Raises OtherNetworkError where the
    examples are of another network, or ExamplesError.
    """
    examples.check_network(embedding.network)
    examples.check_size(embedding.size)
    fitted = fit(examples, outside)
    return attach(base, fitted, embedding.to_fc7(fitted.weight), examples)


def attach(base: Checkpoint, fitted: Fitted, rows: Floats, examples: Examples) -> Checkpoint:
    """Return the network with (K, units) ``rows`` below those of fc8, for the labels of ``fitted``."""
    weights = _parts(base.weights)
    held = quantised(base.weights, "fc8.weight")
    weights["fc8.weight"] = np.concatenate([base.weights["fc8.weight"], rows]) if held is None else _joined(held, rows)
    weights["fc8.bias"] = np.concatenate([base.weights["fc8.bias"], fitted.bias])
    architecture = replace(base.architecture, outputs=base.architecture.outputs + len(rows))
    return replace(
        base,
        architecture=architecture,
        vocabularies=(*_widened(base.vocabularies, len(rows)), fitted.vocabulary),
        weights=Weights(weights),
        measured={**base.measured, VOCABULARY: dict(fitted.figures)},
        examples=examples,
    )


def base_of(checkpoint: Checkpoint) -> Checkpoint:
    """Return the network without what it was taught; itself where that is nothing."""
    taught = next((v for v in checkpoint.vocabularies if v.taught), None)
    if taught is None:
        return checkpoint
    number = len(taught)
    weights = _parts(checkpoint.weights)
    held = quantised(checkpoint.weights, "fc8.weight")
    weights["fc8.weight"] = (
        checkpoint.weights["fc8.weight"][:-number]
        if held is None
        else Quantised(held.codes[:-number], held.scale[:-number])
    )
    weights["fc8.bias"] = checkpoint.weights["fc8.bias"][:-number]
    return replace(
        checkpoint,
        architecture=replace(checkpoint.architecture, outputs=checkpoint.architecture.outputs - number),
        vocabularies=_widened(checkpoint.vocabularies[:-1], -number),
        weights=Weights(weights),
        measured={name: figures for name, figures in checkpoint.measured.items() if name != VOCABULARY},
        examples=None,
    )


def taught_logits(logits: Floats, fc7: Floats, checkpoint: Checkpoint) -> Floats:
    """Return (N, K) logits of a taught network, from those of any engine of its base, and (N, units) of fc7.

    For an engine whose own fc8 does not have the taught rows, or has others.
    """
    rows = next(checkpoint.slices()[v.name] for v in checkpoint.vocabularies if v.taught)
    weight = weight_rows(checkpoint.weights, "fc8.weight", range(rows.start, rows.stop))
    further = np.einsum("nu,ku->nk", fc7, weight) + checkpoint.weights["fc8.bias"][rows]
    return np.concatenate([logits[:, : rows.start], further], axis=1)


def _parts(weights: Mapping[str, Floats]) -> dict[str, Floats | Quantised]:
    return dict(weights.parts if isinstance(weights, Weights) else weights)


def _joined(held: Quantised, rows: Floats) -> Quantised:
    """Return quantised rows with further ones below them, in int8, too."""
    scale = (np.maximum(np.abs(rows).max(1), 1e-12) / _TOP).astype(np.float32)
    codes = np.round(rows / scale[:, None]).astype(np.int8)
    return Quantised(np.concatenate([held.codes, codes]), np.concatenate([held.scale, scale]))


def _widened(vocabularies: tuple[Vocabulary, ...], number: int) -> tuple[Vocabulary, ...]:
    """Return vocabularies whose consent has weights for ``number`` further rows, all 0; for fewer where below 0."""

    def fitting(weights: tuple[float, ...]) -> tuple[float, ...]:
        return (*weights, *[0.0] * number) if number > 0 else weights[:number]

    return tuple(
        replace(v, consent={name: replace(one, weights=fitting(one.weights)) for name, one in v.consent.items()})
        for v in vocabularies
    )
