"""Ships a network: prepares its weights, model card and run log beside the served ones, then swaps them.

The swap withdraws the served card, run log and unit cards, replaces the weights, and publishes the new ones, in this
order. So wherever it is interrupted, what lies beside the weights belongs to the weights that are there. All new
files are whole before it begins, and the next ``ship`` finishes what an interrupted one left.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.checkpoint import PRETRAINED, Checkpoint
from model.files import atomically, write_atomically
from model.runlog import writer
from model.unit_cards import path_beside
from model.vocabulary import Vocabulary
from training.evaluation.accuracy import Figures, accuracy_by_class, figures_by_vocabulary, merge_figures, overall_score
from training.evaluation.calibrate_checkpoint import calibrate_checkpoint
from training.pages.figure_tables import print_figures

WEIGHTS = PRETRAINED.name
CARD = "README.md"
RUN_LOG = "journal.jsonl"
UNITS = path_beside(PRETRAINED).name
_SHEETS = "journal"  # the folder of the journal's pictures
_DRAFT = ".shipping.half"
_PREPARED = ".shipping"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The figures of a network that is to be shipped, and its vocabularies calibrated on the same pictures."""

    figures: Figures
    classes: dict[str, list[tuple[str, float]]]
    """Softmax vocabulary -> name and top-1 accuracy of each class, best first."""
    vocabularies: Sequence[Vocabulary]


def measure_and_calibrate(
    path: Path, specs: Sequence[str], foreign: Sequence[str] = (), people: Sequence[str] = ()
) -> Measurement:
    """Run a checkpoint over the validation split of each ``[NAME=]PATH`` once; print and return what comes of it.

    Calibrates as :func:`calibrate_checkpoint`, and raises as it does.
    """
    done = calibrate_checkpoint(path, specs, foreign, people)
    rows = done.network.slices()
    accuracy = figures_by_vocabulary([(one, one.logits[:, rows[one.vocabulary.name]]) for one in done.sets])
    print_figures(accuracy)
    classes = {
        name: accuracy_by_class(pool, pool.logits[:, rows[name]])
        for name, pool in done.pools.items()
        if pool.vocabulary.activation == "softmax"
    }
    figures = merge_figures(accuracy, done.figures)
    return Measurement(figures=figures, classes=classes, vocabularies=done.network.vocabularies)


def refuse_worse(figures: Figures, served: Checkpoint, target: Path) -> None:
    """Raises ValueError where the served network, that at ``target``, scores higher on the vocabularies that both have.

    One that has grown by further sets is compared on the set that it had, among that set's classes.
    """
    sizes = {vocabulary.name: len(vocabulary) for vocabulary in served.vocabularies}
    before = {name: one for name, one in served.measured.items() if name in figures}
    if not before:
        return
    new_score = overall_score({name: _among(figures[name], sizes[name]) for name in before})
    served_score = overall_score({name: _among(one, sizes[name]) for name, one in before.items()})
    if new_score < served_score:
        raise ValueError(
            f"{target} stays: the network there scores {100 * served_score:.1f} on {', '.join(before)}, "
            f"this one {100 * new_score:.1f}."
        )


def _among(figures: dict[str, Any], classes: int) -> dict[str, Any]:
    """The figures of a vocabulary, or those among the classes of the one of its sets that has as many."""
    own = [one for one in figures.get("sets", {}).values() if one["classes"] == classes]
    return {"top1": own[0]["own_top1"]} if own else figures


def prepare(
    folder: Path, weights: Path, card: str, run_log: Path, *, continued: bool, units: Path | None = None
) -> None:
    """Write all that :func:`swap` will put into ``folder``; nothing that is served changes. Raises OSError.

    ``continued``: the run of ``run_log`` started from the network in ``folder``, so its run log goes on from there.
    ``units``: the file of unit cards, where there is one.
    """
    draft = folder / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    with weights.open("rb") as source, atomically(draft / WEIGHTS) as copy:
        shutil.copyfileobj(source, copy)
    write_atomically(draft / CARD, card)
    if units is not None:
        with units.open("rb") as source, atomically(draft / UNITS) as copy:
            shutil.copyfileobj(source, copy)
    _copy_run_log(folder / RUN_LOG if continued else run_log, draft / RUN_LOG)
    if continued:
        writer.extend(draft / RUN_LOG, run_log)
    draft.rename(folder / _PREPARED)


def swap(folder: Path) -> bool:
    """Serve what :func:`prepare` wrote, or finish an interrupted swap; False where nothing was prepared.

    Raises OSError; then another call goes on from there.
    """
    prepared = folder / _PREPARED
    if not prepared.is_dir():
        return False
    if (prepared / WEIGHTS).exists():
        (folder / CARD).unlink(missing_ok=True)
        (folder / RUN_LOG).unlink(missing_ok=True)
        (folder / UNITS).unlink(missing_ok=True)
        if (folder / _SHEETS).is_dir():
            shutil.rmtree(folder / _SHEETS)
        (prepared / WEIGHTS).replace(folder / WEIGHTS)
    for name in (_SHEETS, RUN_LOG, UNITS, CARD):
        if (prepared / name).exists():
            (prepared / name).replace(folder / name)
    prepared.rmdir()
    return True


def _copy_run_log(run_log: Path, to: Path) -> None:
    shutil.copyfile(run_log, to)
    if run_log.with_suffix("").is_dir():
        shutil.copytree(run_log.with_suffix(""), to.with_suffix(""))
