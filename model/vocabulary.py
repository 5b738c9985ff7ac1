"""What a network can answer: labels, and vocabularies of labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Activation = Literal["softmax", "sigmoid"]
"""Softmax: exactly one label holds. Sigmoid: each label holds or not, whatever the others do."""

_ACTIVATIONS = {"exclusive": "softmax", "independent": "sigmoid"}


@dataclass(frozen=True, kw_only=True)
class Label:
    """One answer that a network can give, with the words that a sentence needs for it."""

    id: str
    """Class name in the data: ``n02099601``, ``church/outdoor``, ``riding``."""
    name: str
    """Natural noun without article: ``golden retriever``."""
    phrase: str
    """As said after "it's", with its article where it has one: ``a golden retriever``, ``mashed potatoes``."""
    gloss: str = ""
    """Explanation in a few words; may be empty."""
    role: str = ""
    """Role in a sentence: ``subject``, ``action``, ``thing``, ``place`` or ``attribute``; empty for unknown."""
    where: str = ""
    """How a place is said after a subject: ``on a beach``; empty where it cannot be."""
    ancestors: tuple[str, ...] = ()
    """Entry-level nouns, from specific to general: ``("dog", "animal")``."""
    forms: tuple[str, ...] = ()
    """Words in a caption that count as saying it, in lower case."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A logistic regression on all logits of a network: how probable it is that a subject is in the picture at all."""

    weights: tuple[float, ...]
    """One for each row of fc8."""
    constant: float
    """Log-odds where all logits are 0."""
    least: float
    """Probability below which the subject is never claimed."""

    @cached_property
    def array(self) -> NDArray[np.float64]:
        """(K,) ``weights`` as an array to multiply by."""
        return np.array(self.weights)


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """One question that the network answers: which label of many (softmax), or which labels (sigmoid).

    Raises ValueError for labels that are not distinct and for figures that do not fit the labels.
    """

    name: str
    """``object``, ``scene``, ``word``, or what the data set is called."""
    activation: Activation
    """Function that turns its logits into probabilities."""
    labels: tuple[Label, ...]
    """Its labels, in the order of their rows of fc8."""
    temperature: float = 1.0
    """Number that the logits are divided by before softmax or sigmoid."""
    bias: tuple[float, ...] = ()
    """Number for each label that is added to its logit after the division; empty for none."""
    calibrated: bool = False
    """Whether the probabilities were fitted on held-out pictures."""
    gate: Mapping[str, float] = field(default_factory=dict)
    """Weights of a logistic regression on how strongly all vocabularies answer (``model.describe.strengths``), by name,
    and ``constant``. It gives the probability that a picture shows any label of this vocabulary at all; where it is
    empty, that is 1."""
    kinship: float = 0.0
    """Probability that an ancestor that the network would claim holds of a picture that shows no label below it: a
    breed without a label is a dog all the same."""
    consent: Mapping[str, Consent] = field(default_factory=dict)
    """Subject that words name -> what all vocabularies must answer for it to be claimed. A subject that is not here
    needs no consent."""
    platt: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Slope and shift of Platt scaling, from the share of people who say a word to the probability that any of five
    does: under ``""`` for all labels, under its name for an ancestor."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Tier -> least probability of its claims; a tier that is not there is never used."""
    least_addition: float | None = None
    """Of a sigmoid vocabulary, least probability of all that a sentence adds to its subject with a "maybe"; None where
    nothing is added."""
    taught: bool = False
    """Whether people taught its labels by a few photos (:mod:`model.teaching`), after the network was trained."""

    def __post_init__(self) -> None:
        if self.activation not in ("softmax", "sigmoid"):
            raise ValueError(
                f"Vocabulary {self.name!r}: its activation must be softmax or sigmoid, not {self.activation!r}."
            )
        if len({label.id for label in self.labels}) != len(self.labels):
            raise ValueError(f"Vocabulary {self.name!r} holds a label twice.")
        if not self.temperature > 0:
            raise ValueError(f"Vocabulary {self.name!r}: temperature must be above 0, not {self.temperature}.")
        if self.bias and len(self.bias) != len(self.labels):
            raise ValueError(f"Vocabulary {self.name!r} has {len(self.bias)} biases for {len(self.labels)} labels.")

    def __hash__(self) -> int:  # of one field: what is made of a vocabulary is looked up for every picture
        return hash(self.name)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def of_places(self) -> bool:
        """Whether all its labels are places."""
        return all(label.role == "place" for label in self.labels)

    @cached_property
    def bias_array(self) -> NDArray[np.float64]:
        """(labels,) what is added to the logits of each label after the division; 0 where there is no bias."""
        return np.array(self.bias or [0.0] * len(self.labels))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Class names in the data, in the order of the rows of fc8."""
        return tuple(label.id for label in self.labels)


def rows_of(vocabularies: Sequence[Vocabulary]) -> dict[str, slice]:
    """Return for each vocabulary, by name, the rows of fc8 that belong to it."""
    rows = {}
    start = 0
    for vocabulary in vocabularies:
        rows[vocabulary.name] = slice(start, start + len(vocabulary))
        start += len(vocabulary)
    return rows


def to_json(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the vocabulary as plain JSON values; empty fields of labels are left out."""
    record = asdict(vocabulary)
    record["labels"] = [{key: value for key, value in label.items() if value} for label in record["labels"]]
    return record


def from_json(record: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary that :func:`to_json` wrote, or a version before 0.1.0, which had other keys.

    Raises TypeError, KeyError, ValueError, IndexError or AttributeError for anything else.
    """
    record = dict(record)
    if "kind" in record:  # before 0.1.0
        record["activation"] = _ACTIVATIONS.get(record.pop("kind"))
    if "spoken" in record:  # before 0.1.0
        record["platt"] = record.pop("spoken")
    fields: dict[str, Any] = {
        **record,
        "labels": tuple(_label(label) for label in record["labels"]),
        "bias": tuple(record.get("bias", ())),
        "platt": {name: (pair[0], pair[1]) for name, pair in record.get("platt", {}).items()},
        "consent": {
            subject: Consent(**{**one, "weights": tuple(one["weights"])})
            for subject, one in record.get("consent", {}).items()
        },
    }
    return Vocabulary(**fields)


def _label(record: Mapping[str, Any]) -> Label:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}
    return Label(**fields)
