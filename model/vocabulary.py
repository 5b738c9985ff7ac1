"""What a network can say: labels, and vocabularies of labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Activation = Literal["softmax", "sigmoid"]
_ACTIVATIONS = {"exclusive": "softmax", "independent": "sigmoid"}


@dataclass(frozen=True, kw_only=True)
class Label:
    """One thing a network can say, with the words a sentence needs to say it."""

    id: str
    """Raw class name: ``n02099601``, ``church/outdoor``, ``riding``."""
    name: str
    """Natural noun without article: ``golden retriever``."""
    phrase: str
    """As said after "it's", with its article where it has one: ``a golden retriever``, ``mashed potatoes``."""
    gloss: str = ""
    """A few words of explanation."""
    role: str = ""
    """``subject``, ``action``, ``thing``, ``place`` or ``attribute``."""
    where: str = ""
    """For places: ``on a beach``."""
    ancestors: tuple[str, ...] = ()
    """Entry-level nouns, from specific to general: ``("dog", "animal")``."""
    forms: tuple[str, ...] = ()
    """Surface forms that count as saying it."""

    def __hash__(self) -> int:  # of one field: whole vocabularies are looked up for every picture
        return hash(self.id)


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """One question the network answers: one label of many (softmax), or each label for itself (sigmoid)."""

    name: str
    activation: Activation
    labels: tuple[Label, ...]
    temperature: float = 1.0
    """Logits are divided by it before softmax or sigmoid."""
    bias: tuple[float, ...] = ()
    """Added to each logit after that; empty for none."""
    calibrated: bool = False
    """Whether the probabilities were fitted on held-out pictures."""
    gate: Mapping[str, float] = field(default_factory=dict)
    """How probable it is that a picture shows any label of an exclusive vocabulary: weights of the energies of all
    vocabularies, by name, and ``constant``; a logit. Empty: certain."""
    spoken: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """From the share of people who say a word to the probability that one of five does: slope and shift of its logit,
    for an ancestor by name, and under ``""`` for all labels."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Tier -> how probable a claim must be; a tier that is not there is not offered."""

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

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def of_places(self) -> bool:
        """Whether it says where, not what."""
        return all(label.role == "place" for label in self.labels)

    @property
    def ids(self) -> tuple[str, ...]:
        """Raw class names, in the order of the rows of fc8."""
        return tuple(label.id for label in self.labels)


def rows_of(vocabularies: Sequence[Vocabulary]) -> dict[str, slice]:
    """Name -> the rows of fc8 that belong to each of several vocabularies."""
    rows, start = {}, 0
    for vocabulary in vocabularies:
        rows[vocabulary.name] = slice(start, start + len(vocabulary))
        start += len(vocabulary)
    return rows


def to_json(vocabulary: Vocabulary) -> dict[str, Any]:
    """The vocabulary as plain JSON values; empty fields of labels are left out."""
    record = asdict(vocabulary)
    record["labels"] = [{key: value for key, value in label.items() if value} for label in record["labels"]]
    return record


def from_json(record: Mapping[str, Any]) -> Vocabulary:
    """The inverse of :func:`to_json`. Raises TypeError, KeyError or ValueError for anything else."""
    fields = {
        "activation": _ACTIVATIONS.get(record.get("kind", "")),  # as files were written before 0.1.0
        **{key: value for key, value in record.items() if key != "kind"},
        "labels": tuple(_label(label) for label in record["labels"]),
        "bias": tuple(record.get("bias", ())),
        "spoken": {name: (pair[0], pair[1]) for name, pair in record.get("spoken", {}).items()},
    }
    return Vocabulary(**fields)


def _label(record: Mapping[str, Any]) -> Label:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}
    return Label(**fields)
