"""The model card of a shipped network: its training data, its measured accuracy, and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model.checkpoint import Checkpoint
from model.teaching.attach import base_of
from training.evaluation.statistics import wilson_interval
from training.pages.templates import fill

_NAMED_CLASSES = 10  # at either end
_PICTURES = {"tiers": "all of its sets", "tiers_of_additions": "all of its sets, what follows “maybe”"}
_IMAGENET = "derives from ImageNet: non-commercial research and education only"
_SETS = {  # folder and number of its training pictures -> public name, what it answers, its pictures, terms
    ("objects", 100_000): ("Tiny ImageNet-200", "`object`, 200 things", " at 64 px", _IMAGENET),
    ("things", 50_000): ("mini-ImageNet", "`object`, 100 things, 25 of them among those 200", " at 84 px", _IMAGENET),
    ("sharp", 9_469): ("Imagenette", "`object`, 10 things, 9 of them in neither of these", " at 224 px", _IMAGENET),
    ("scenes", 90_000): (
        "MiniPlaces-100",
        "`scene`, 100 places",
        " at 128 px",
        "Places: copyright stays with the owners of the pictures",
    ),
    ("captions", 6_091): (
        "Flickr8k",
        "`word`, 113 words",
        " at 224 px, five captions each",
        "non-commercial research and education only",
    ),
}
_COARSENED = {"things64": "things", "sharp64b": "sharp"}


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """The facts of a model card that the checkpoint does not hold."""

    megabytes: float
    """Size of the shipped file."""
    dense: Mapping[str, Mapping[str, Any]]
    """Figures of the network before pruning and compression, by vocabulary."""
    classes: Mapping[str, list[tuple[str, float]]]
    """Vocabulary -> name and top-1 accuracy of each class, best first."""
    command: str
    """The command that shipped it."""


def render_card(network: Checkpoint, facts: CardFacts) -> str:
    """The model card of a network as Markdown text, without what it was taught."""
    network = base_of(network)
    sets = {name: _set_row(name, pictures) for name, pictures in network.provenance.get("data", {}).items()}
    titles = {name: row["title"] for name, row in sets.items()}
    vocabularies = {one.name: one for one in network.vocabularies}
    return fill(
        "model_card.md.j2",
        network=network,
        facts=facts,
        sets=list(sets.values()),
        rows=[
            row
            for name, figures in network.measured.items()
            for row in _accuracy_rows(name, len(vocabularies[name]), figures, titles)
        ],
        ends={
            name: (classes[:_NAMED_CLASSES], classes[-_NAMED_CLASSES:][::-1]) for name, classes in facts.classes.items()
        },
        calibrated=all(v.calibrated for v in network.vocabularies),
        tiers=[row for name, figures in network.measured.items() for row in _tier_rows(name, figures, titles)],
        persons={
            titles.get(pictures, pictures): persons
            for figures in network.measured.values()
            for pictures, persons in figures.get("persons", {}).items()
        },
        beyond=any(v.kinship for v in network.vocabularies),
    )


def _set_row(name: str, pictures: int) -> dict[str, Any]:
    """The row of a set that the network learned from: what we know of the public ones, else its name."""
    unknown = (name, "not told here", "", "those of whoever made it")
    title, answers, size, terms = _SETS.get((_COARSENED.get(name, name), pictures), unknown)
    size = " made 64 px" if name in _COARSENED and size else size
    return {"title": title, "answers": answers, "pictures": f"{pictures:,}{size}", "terms": terms}


def _tier_rows(name: str, figures: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of a vocabulary's tiers: on all its sets together, then on each set apart."""
    for key, table in figures.items():
        if key.startswith("tiers"):
            name_of_set = key.removeprefix("tiers_on_")
            pictures = _PICTURES.get(key) or titles.get(name_of_set) or name_of_set.replace("_", ", ")
            for tier, row in table.items():
                yield {"vocabulary": name, "pictures": pictures, "tier": tier, **row}


def _accuracy_rows(
    name: str, classes: int, figures: Mapping[str, Any], titles: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The row of a vocabulary, then one for each of several sets: its pictures, among its own classes."""
    yield {**_accuracy_row(name, figures), "classes": classes}
    for one, own in figures.get("sets", {}).items():
        among = {"top1": own["own_top1"], "top5": own["own_top5"], "n": own["n"]}
        yield {**_accuracy_row(f"{name}: {titles.get(one, one)} among its own", among), "classes": own["classes"]}


def _accuracy_row(name: str, figures: Mapping[str, Any]) -> dict[str, str]:
    if "map" in figures:
        accuracy = f"mean average precision {100 * figures['map']:.1f} %"
    else:
        accuracy = ", ".join(
            f"{title} {100 * figures[key]:.1f} % ({_interval(figures[key], figures['n'])})"
            for key, title in (("top1", "top-1"), ("top5", "top-5"))
        )
    return {"name": name, "n": f"{figures['n']:,}", "accuracy": accuracy}


def _interval(share: float, number: int) -> str:
    low, high = wilson_interval(round(share * number), number)
    return f"{100 * low:.1f} to {100 * high:.1f}"
