"""Prints the figures of a network for a terminal: accuracy, reliability, information told, caption metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

_SCORES = ("bleu1", "bleu4", "cider", "rouge_l")


def print_figures(figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Print one line for each vocabulary: its name, then each figure with its value; below it each of its sets."""
    for name, values in figures.items():
        single = (f"{key} {value}" for key, value in values.items() if not isinstance(value, Mapping))
        print(f"{name:10}", "  ".join(single), flush=True)
        print_figures({f"  {one}": of_set for one, of_set in values.get("sets", {}).items()})


def print_reliability(figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Print how often each tier is right and what it promised, by vocabulary; then the calibration errors."""
    table = Table("vocabulary", "tier", "promised", "right", "95 %", "speaks", "n")
    for name, values in figures.items():
        for key in (key for key in values if key.startswith("tiers")):
            set_name = name + key.removeprefix("tiers").replace("_", " ")
            for tier, row in values[key].items():
                interval = f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"
                promise, accuracy, coverage = (f"{100 * row[k]:.1f} %" for k in ("promise", "accuracy", "coverage"))
                table.add_row(set_name, tier, promise, accuracy, interval, coverage, str(row["n"]))
    Console().print(table)
    print_figures({name: _single_values(values) for name, values in figures.items()})
    _print_words(figures)


def _print_words(figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Print by set how often the words claim what is not there, and somebody where there is somebody or nobody."""
    table = Table("vocabulary", "set", "false claims", "a person, of nobody", "n", "a person, of somebody", "n")
    for name, values in figures.items():
        false_claims, persons = values.get("false_claims", {}), values.get("persons", {})
        for of_set in dict.fromkeys((*false_claims, *persons)):
            cells = [_percent(false_claims.get(of_set))]
            for key in ("false", "found"):
                person = persons.get(of_set, {})
                cells += [_percent(person.get(key)), str(person.get(f"n_{key}", ""))]
            table.add_row(name, of_set, *cells)
    if table.row_count:
        Console().print(table)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _single_values(values: Mapping[str, Any]) -> dict[str, float]:
    return {key: value for key, value in values.items() if isinstance(value, float)}


def print_claims_report(report: Mapping[str, Any]) -> None:
    """Print the claims report of ``evaluate --claims``, table by table."""
    print_reliability({name: values for name, values in report.items() if "ece" in values or "persons" in values})
    _print_information(report)
    if "captions" in report:
        _print_caption_metrics(report["captions"])
    table = Table("sentences about", "n", "end in hedge or pass", "with a person")
    for name, ends in {**report["beyond"], "noise, patterns, text": report["ood_pictures"]}.items():
        table.add_row(name, str(ends["n"]), _percent(ends["hedge_or_pass"]), _percent(ends.get("person")))
    Console().print(table)


def print_encodings(report: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print for each set how much hangs on the encoding of its pictures, one row an encoding."""
    table = Table("set", "encoding", "same label", "same sentence", "speaks of a person", "n")
    for name, rows in report.items():
        for encoding, row in rows.items():
            shares = (f"{100 * row[key]:.1f} %" for key in ("same_label", "same_sentence", "person"))
            table.add_row(name, encoding, *shares, str(row["n"]))
    Console().print(table)


def _print_information(report: Mapping[str, Any]) -> None:
    table = Table("vocabulary", "promised", "bits told, DARTS", "right", "bits told, top-1", "right")
    for name, values in report.items():
        for row in values.get("information", ()):
            cells = []
            for way in ("darts", "top1"):
                cells += [f"{row[f'{way}_bits']:.3f}", f"{100 * row[f'{way}_accuracy']:.1f} %"]
            table.add_row(name, f"{100 * row['promise']:.0f} %", *cells)
    Console().print(table)


def _print_caption_metrics(metrics: Mapping[str, Any]) -> None:
    table = Table(f"on {metrics['n']} pictures", *_SCORES, "against four:", *_SCORES[1:])
    for name, against_four in metrics["against_four"].items():
        scores = metrics.get(name, {})
        cells = [f"{scores[key]:.1f}" if scores else "" for key in _SCORES]
        table.add_row(name.replace("_", " "), *cells, "", *(f"{against_four[key]:.1f}" for key in _SCORES[1:]))
    Console().print(table)
    keys = ("said_by_people", "coverage", "words_per_sentence")
    print_figures({"captions": {key: metrics[key] for key in keys}})
