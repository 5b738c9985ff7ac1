"""From examples to a vocabulary that may be spoken: the better of the classifiers, calibrated on photos held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import NEVER, TARGET_ACCURACY, TIERS
from model.language.phrases import label_of_name
from model.teaching.examples import Examples, ExamplesError
from model.teaching.linear import Linear, Numbers, Samples, candidates
from model.vocabulary import Vocabulary
from model.weights import Floats

VOCABULARY = "taught"
"""Name of the vocabulary of taught names."""
OUTSIDE_SHARE = 0.025
"""Largest share of photos of other things that may be called by a taught name.

Half of what is promised, since what lies around somebody's things is nearer to them than the bundled photos are."""
_TEMPERATURES = np.geomspace(0.01, 10, 31)  # in units of how much the logits differ
_MOST_FITTED = 200_000  # logits that a temperature is fitted to; of more photos every second, third, … is taken
_UNTESTED_ODDS = float(np.log(1 / 9))  # of a gate that could not be fitted: one in ten
_DUPLICATE = 0.93  # cosine from which a photo of other things shows what a taught one does, cropped or flipped


@dataclass(frozen=True)
class Fitted:
    """What was learned from examples."""

    vocabulary: Vocabulary
    """The names as labels, with calibrated probabilities."""
    weight: Floats
    """(K, size) a row for each name, on embeddings."""
    bias: Floats
    """(K,) a constant for each name."""
    figures: Mapping[str, Any]
    """What was measured on photos held back: method, names, outside, tiers."""


@dataclass(frozen=True)
class _Calibration:
    """How the logits of one classifier become probabilities, and what they are on photos held back."""

    linear: Linear
    temperature: float
    gate: Mapping[str, float]
    inside: NDArray[np.float64]
    """(tested, K) probability of each name, the gate counted."""
    outside: NDArray[np.float64]
    """(M,) probability of the name that each photo of other things would be called by."""
    loss: float
    """Mean negative logarithm of the probability of the truth."""


def fit(examples: Examples, outside: Floats) -> Fitted:
    """Return what can be learned from examples, with (M, size) embeddings of bundled photos of other things.

    Which classifier is taken, and how surely it may speak, is decided by photos that were held back one at a time: the
    one that names most of them, and of several the one whose probabilities fit better. Raises ExamplesError where there
    is no name.
    """
    if not examples.things:
        raise ExamplesError("There is no name in these examples: give some photos one.")
    samples = _samples(examples, outside)
    truth = samples.owners[samples.tested]
    found = candidates(samples)
    right = [np.count_nonzero(one.held_out[samples.tested].argmax(1) == truth) for one in found]
    equals = [one for one, number in zip(found, right, strict=True) if number == max(right)]
    best = min((_calibrate(linear, samples) for linear in equals), key=lambda one: one.loss)
    tiers = _tiers(best, truth)
    vocabulary = Vocabulary(
        name=VOCABULARY,
        activation="softmax",
        labels=tuple(map(label_of_name, examples.things)),
        temperature=best.temperature,
        calibrated=True,
        gate=best.gate,
        thresholds={tier: figures["threshold"] for tier, figures in tiers.items()} or {"hedge": NEVER},
        taught=True,
    )
    figures = _figures(examples, best, samples, tiers)
    weight, bias = best.linear.weight.astype(np.float32), best.linear.bias.astype(np.float32)
    return Fitted(vocabulary, weight, bias, figures)


def _samples(examples: Examples, bundled: Floats) -> Samples:
    things = list(examples.things.values())
    embeddings = np.concatenate([photos.embeddings for photos in things]).astype(np.float64)
    owners = np.repeat(np.arange(len(things)), [len(photos) for photos in things])
    given = examples.outside.without(name for photos in things for name in photos.names)
    outside = np.concatenate([given.embeddings, bundled]) if len(given) else bundled
    outside = outside.astype(np.float64)
    # Who tries this with one of our own sample photos has it on both sides.
    lengths = np.linalg.norm(outside, axis=1)[:, None] * np.linalg.norm(embeddings, axis=1)
    closest = (outside @ embeddings.T / np.maximum(lengths, 1e-12)).max(1, initial=-1)
    return Samples(embeddings, owners, outside[closest < _DUPLICATE], len(things))


def _calibrate(linear: Linear, samples: Samples) -> _Calibration:
    truth = samples.owners[samples.tested]
    inside = linear.held_out[samples.tested]
    smoothing = 1 / (len(inside) / samples.count + 2)  # Platt's: what n photos support, and no more
    temperature = _temperature(inside, truth, smoothing, float(linear.held_out.std()) or 1.0)
    gate = _fit_gate(inside.max(1, initial=-np.inf) / temperature, linear.held_out_outside.max(1) / temperature)
    shown = _logistic(inside.max(1, initial=-np.inf) / temperature, gate)
    shares = _softmax(inside / temperature)
    called = _logistic(linear.held_out_outside.max(1) / temperature, gate)
    foreign = called * _softmax(linear.held_out_outside / temperature).max(1)
    probabilities = shares * shown[:, None]
    mine = np.maximum(probabilities[range(len(truth)), truth], 1e-9)
    loss = float(-np.log(mine).mean() if len(mine) else 0.0)
    loss += float(-np.log1p(-np.minimum(called, 1 - 1e-9)).mean() if len(called) else 0.0)
    return _Calibration(linear, temperature, gate, probabilities, foreign, loss)


def _temperature(logits: Numbers, truth: NDArray[np.int64], smoothing: float, spread: float) -> float:
    """Return the temperature at which (n, K) logits fit the truth best, a little of which is taken for an error."""
    if logits.shape[1] < 2 or not len(logits):
        return spread
    step = -(-logits.size // _MOST_FITTED)
    logits, truth = logits[::step], truth[::step]
    number, names = logits.shape
    targets = np.full((number, names), smoothing / (names - 1))
    targets[range(number), truth] = 1 - smoothing
    losses = [-(targets * np.log(_softmax(logits / (t * spread)) + 1e-12)).sum() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))] * spread)


def _fit_gate(inside: Numbers, outside: Numbers) -> dict[str, float]:
    """Return the logistic regression that tells photos of the names from others by their strongest logit.

    Both sides weigh the same, and targets are Platt's (1999), so that few photos do not make it certain.
    """
    strongest = f"strongest {VOCABULARY}"
    if not len(inside):
        return {strongest: 0.0, "constant": _UNTESTED_ODDS}
    if not len(outside):
        return {strongest: 0.0, "constant": -_UNTESTED_ODDS}
    scores = np.concatenate([inside, outside])
    centre, spread = scores.mean(), scores.std() or 1.0
    columns = np.stack([(scores - centre) / spread, np.ones(len(scores))], axis=1)
    n, m = len(inside), len(outside)
    targets = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
    weights = np.repeat([1 / n, 1 / m], [n, m])
    slope, constant = _newton(columns, targets, weights)
    slope = max(slope, 0.0)
    return {strongest: float(slope / spread), "constant": float(constant - slope * centre / spread)}


def _newton(columns: Numbers, targets: Numbers, weights: Numbers, rounds: int = 50) -> tuple[float, float]:
    """Return slope and constant of a weighted logistic regression, by Newton's method with a slight penalty."""
    found = np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-(columns @ found)))
        gradient = columns.T @ (weights * (p - targets)) + 1e-3 * found
        curvature = (columns.T * (weights * p * (1 - p))) @ columns + 1e-3 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        found -= np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return float(found[0]), float(found[1])


def _tiers(calibration: _Calibration, truth: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Return for each tier that may be used its threshold, and how often what it says is right as far as is known."""
    inside = calibration.inside
    if not len(inside):
        return {}
    top = inside.max(1)
    right = inside.argmax(1) == truth
    foreign = calibration.outside
    allowed = max(OUTSIDE_SHARE, 1 / (len(foreign) + 2))
    found: dict[str, dict[str, Any]] = {}
    for tier in TIERS[:-1]:
        for threshold in sorted(top[right]):
            said = top >= threshold
            called = (np.count_nonzero(foreign >= threshold) + 1) / (len(foreign) + 2)
            hits = np.count_nonzero(said & right) / len(top)
            # Rule of succession: of n photos without an error, the next one is still wrong one time in n + 2.
            misses = (np.count_nonzero(said & ~right) + 1) / (len(top) + 2)
            accuracy = hits / (hits + misses + called)
            if accuracy >= TARGET_ACCURACY[tier] and called <= allowed:
                number = int(np.count_nonzero(said))
                found[tier] = {"threshold": float(threshold), "right": accuracy, "low": accuracy, "n": number}
                break
    return found


def _figures(
    examples: Examples, calibration: _Calibration, samples: Samples, tiers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    right = np.zeros(len(samples.owners), bool)
    right[samples.tested] = calibration.inside.argmax(1) == samples.owners[samples.tested]
    lowest = min((tier["threshold"] for tier in tiers.values()), default=NEVER)
    names = [
        {
            "name": name,
            "photos": len(photos),
            "tested": int(np.count_nonzero(samples.tested & (samples.owners == number))),
            "right": int(np.count_nonzero(right & (samples.owners == number))),
        }
        for number, (name, photos) in enumerate(examples.things.items())
    ]
    return {
        "method": calibration.linear.method,
        "photos": len(examples),
        "names": names,
        "outside": len(samples.outside),
        "outside_called": int(np.count_nonzero(calibration.outside >= lowest)),
        "tiers": {tier: dict(figures) for tier, figures in tiers.items()},
    }


def _softmax(logits: Numbers) -> Numbers:
    shifted = np.exp(logits - logits.max(1, keepdims=True, initial=-np.inf)) if logits.size else logits
    return shifted / shifted.sum(1, keepdims=True) if logits.size else logits


def _logistic(scores: Numbers, gate: Mapping[str, float]) -> Numbers:
    odds = scores * gate[f"strongest {VOCABULARY}"] + gate["constant"]
    return np.asarray(1 / (1 + np.exp(-odds)))
