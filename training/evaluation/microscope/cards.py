"""What was found of a network's units, as the cards that travel with it, and the figures of each layer.

A card names labels by their rows of fc8. C units, K labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model import checkpoint, unit_cards
from model.unit_cards import LayerCards
from training.evaluation.microscope import sheets
from training.evaluation.microscope.cells import LABELS, Cell
from training.evaluation.microscope.compare import compare
from training.evaluation.microscope.naming import Name, name_units
from training.evaluation.microscope.responses import Floats, active_share, best_of, pooled
from training.evaluation.microscope.run import Plan, Seen, look
from training.evaluation.microscope.tuning import Tuning, tune

REAL_PICTURES = 1000
"""Real pictures whose best is compared with the synthetic one."""
_TUNED = ("conv1", "conv2")
_ARGUMENTS = 4  # labels on each side of a card
_SOURCES = 6  # units of the layer before on a card

Card = dict[str, Any]


def make_cards(plan: Plan, out: Path, *, resume: bool) -> dict[str, Any]:
    """Look at a network and write its cards; returns the figures of each layer. Raises as :func:`look` and OSError."""
    seen, work = look(plan, out, resume=resume)
    figures = write_cards(seen, plan, out)
    work.remove()
    return figures


def write_cards(seen: Seen, plan: Plan, out: Path) -> dict[str, Any]:
    """Write the file of cards; returns the figures that it holds, by layer. Raises OSError and ValueError."""
    pixels = {layer: found["pixels"] for layer, found in seen.pictures.items()}
    files = sheets.encode(pixels)
    layers = []
    figures: dict[str, Any] = {}
    for layer, pictures in pixels.items():
        names = names_of(seen, layer)
        cards = _cards(seen, layer, names)
        figures[layer] = _figures(seen, layer, cards)
        side = sheets.side_of(layer, pictures.shape[1])
        facts = LayerCards(name=layer, units=len(cards), side=side, seen=pictures.shape[1])
        layers.append((facts, cards, files[layer]))
    made = {
        "ascent": asdict(plan.ascent),
        "sets": [one.vocabulary.name for one in seen.responses],
        "pictures": sum(len(one.targets) for one in seen.responses),
        "real_pictures": REAL_PICTURES,
        "effect_pictures": plan.effect_pictures if plan.specs else 0,
    }
    digest = checkpoint.weights_digest(plan.path)
    unit_cards.write(out, weights=digest, layers=layers, figures=figures, made=made)
    return figures


def names_of(seen: Seen, layer: str, *, shuffled: bool = False) -> list[Name | None]:
    """The names of a convolution's units; None for units without one, and for all where no real picture was seen."""
    if layer == LABELS or not seen.responses:
        return [None] * len(seen.pictures[layer]["values"])
    return name_units(pooled(seen.responses), layer, shuffled=shuffled)


def _cards(seen: Seen, layer: str, names: Sequence[Name | None]) -> list[Card]:
    cards: list[Card] = [{"synthetic": _round(value)} for value in seen.pictures[layer]["values"]]
    if layer in _TUNED:
        _add(cards, "tuning", [None if one is None else one.to_json() for one in _tuning(seen, layer)])
    if not seen.responses:
        return cards
    best, _ = best_of(seen.responses, layer, REAL_PICTURES)
    _add(cards, "real", [_round(value) for value in best])
    if layer != LABELS:
        share = active_share(seen.responses, layer)
        _add(cards, "active", [_round(value) for value in share])
        _add(cards, "dead", [bool(value == 0) for value in share])
        _add(cards, "name", [None if name is None else name.to_json() for name in names])
    _add_effects(cards, seen, layer)
    return cards


def _add(cards: Sequence[Card], key: str, values: Sequence[Any]) -> None:
    for card, value in zip(cards, values, strict=True):
        card[key] = value


def _tuning(seen: Seen, layer: str) -> list[Tuning | None]:
    return tune(Cell(seen.network, layer))


def _add_effects(cards: Sequence[Card], seen: Seen, layer: str) -> None:
    """What a convolution's units argue for and against; what feeds them, or a label."""
    assert seen.effects is not None
    if layer == LABELS:
        last = seen.network.architecture.last_convolution
        sources = seen.effects.on_labels[last].T  # (K, C): what each unit of the last convolution adds to a label
    else:
        effects = seen.effects.on_labels[layer]
        _add(cards, "for", [_strongest(row, _ARGUMENTS) for row in effects])
        _add(cards, "against", [_strongest(-row, _ARGUMENTS, sign=-1) for row in effects])
        if layer not in seen.effects.fed_by:
            return
        sources = seen.effects.fed_by[layer]
    _add(cards, "fed_by", [_strongest(row, _SOURCES) for row in sources])


def _strongest(values: Floats, most: int, *, sign: int = 1) -> list[list[float]]:
    """Pairs of row and value of the largest values above 0, largest first."""
    rows = np.argsort(-values, kind="stable")[:most]
    return [[int(row), _round(sign * values[row])] for row in rows if values[row] > 0]


def _figures(seen: Seen, layer: str, cards: Sequence[Card]) -> dict[str, Any]:
    """Of a layer: units, dead ones, those whose synthetic picture beats the best real one, those with a name."""
    figures: dict[str, Any] = {"units": len(cards)}
    if not seen.responses:
        return figures
    _, real = best_of(seen.responses, layer, REAL_PICTURES)
    figures |= {"real_pictures": real, "beaten": sum(card["synthetic"] > card["real"] for card in cards)}
    if layer != LABELS:
        by_chance = names_of(seen, layer, shuffled=True)
        figures |= {
            "dead": sum(card["dead"] for card in cards),
            "named": sum(card["name"] is not None for card in cards),
            "by_chance": sum(name is not None for name in by_chance),
        }
        if seen.others and layer in seen.others[0].values:
            found = compare(seen.responses, seen.others, layer)
            figures |= {"pairs": found.pairs, "pairs_named": found.named, "pairs_named_alike": found.same}
    return figures


def _round(value: float) -> float:
    return float(f"{float(value):.3g}")


def table(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The figures as lines for a person to read."""
    lines = []
    for layer, found in figures.items():
        line = f"{layer}: {found['units']} units"
        if "beaten" in found:
            line += (
                f"; the synthetic picture beats the best of {found['real_pictures']:,} real ones for {found['beaten']} "
                f"({100 * found['beaten'] / found['units']:.1f} %)"
            )
        if "dead" in found:
            line += f"; {found['dead']} dead; {found['named']} with a name, {found['by_chance']} by chance"
        if "pairs" in found:
            line += f"; {found['pairs']} pairs with the other network, {found['pairs_named_alike']} of "
            line += f"{found['pairs_named']} that are named named alike"
        lines.append(line)
    return lines
