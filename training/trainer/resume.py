"""Whether a run may go on: with the sets it began with, and with which of the flags that were given again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model import checkpoint
from training.config import Recipe
from training.data.survey import SetRecord, SurveyedSet
from training.distributed import ProcessGroup
from training.trainer.run_folder import LAST

_LISTED = 3


def check_sets(folder: Path, config: Mapping[str, Any], sets: Sequence[SurveyedSet]) -> Iterator[str]:
    """Yield a line for each set that holds more pictures than when the run in ``folder`` began.

    Raises ValueError where the run would go on with other sets, classes or pictures, whose names would then stand for
    weights that learned something else.
    """
    way_out = "give the sets it began with, or another --out"
    if (folder / LAST).exists():
        way_out += f", where --from {folder / LAST} keeps what it learned"
    if not config.get("data"):  # begun by an older release
        _check_labels(folder, _labels_of_checkpoint(folder / LAST), _labels_of(sets), way_out)
        return
    records = [SetRecord(**record) for record in config["data"]]
    names = [record.name for record in records]
    if names != [one.name for one in sets]:
        given = ", ".join(one.name for one in sets)
        raise ValueError(f"The run in {folder} learns from {', '.join(names)}, not from {given}: {way_out}.")
    for record, one in zip(records, sets, strict=True):
        _check_labels(folder, {record.name: record.labels}, {one.name: list(one.labels)}, way_out)
        now = one.record()
        if now.fingerprint == record.fingerprint and now.sample == record.sample:
            continue
        lost = one.count_lost(record.sample)
        if lost or now.pictures <= record.pictures:
            some = f"at least {lost} of the pictures" if lost else "some of the pictures"
            raise ValueError(
                f"{some.capitalize()} of {record.name} that the run in {folder} began with are gone from {one.folder} "
                f"or changed: {way_out}."
            )
        yield (
            f"{one.folder} holds {now.pictures:,} pictures, {now.pictures - record.pictures:,} more than when the run "
            "began: it goes on with all of them."
        )


def check_folder(
    folder: Path, group: ProcessGroup, config: Mapping[str, Any] | None, saved: Mapping[str, Any] | None
) -> None:
    """Raise ValueError, in all processes, where they do not see the same run in ``folder``.

    ``config`` and ``saved``: what this process read there, after the main process has made the folder.
    """
    seen = group.gather((folder.is_dir(), config, saved and saved["step"]))
    if any(one != seen[0] for one in seen):
        raise ValueError(
            f"The processes of this run do not see the same in {folder}: name an --out that all machines share."
        )


def other_processes(
    saved: Mapping[str, Any] | None, config: Mapping[str, Any] | None, group: ProcessGroup
) -> dict[str, str] | None:
    """A note for the run log where a run goes on with another number of processes than saved its state; else None."""
    if saved is None or config is None:
        return None
    before = saved.get("processes", config["provenance"].get("processes", group.world_size))
    if before == group.world_size:
        return None
    now = f"{group.world_size} process{'es' if group.world_size > 1 else ''}"
    text = (
        f"From step {saved['step']} on the run has {now}, where it had {before}: pictures are the same, but dropout is "
        f"drawn and gradients are added otherwise, so its weights will not be those of {before}, bit for bit."
    )
    return {"label": now, "text": text}


def ignored_flags(recipe: Recipe, wanted: Recipe, given: Collection[str]) -> Iterator[str]:
    """A line for each field of the recipe that a flag gives and that the run has another value of.

    ``recipe``: the run's own. ``wanted``: what the flags ask for. ``given``: the fields that flags name.
    """
    for field in sorted(given):
        own, other = getattr(recipe, field, None), getattr(wanted, field, None)
        if own != other:
            flag = "recipe" if field == "name" else field
            yield f"{flag}={other} is ignored: the run goes on with {flag}={own}, as it began."


def _labels_of(sets: Sequence[SurveyedSet]) -> dict[str, list[str]]:
    labels: dict[str, list[str]] = {}
    for one in sets:
        labels[one.name] = list(dict.fromkeys([*labels.get(one.name, []), *one.labels]))
    return labels


def _labels_of_checkpoint(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        return {}
    return {vocabulary.name: list(vocabulary.ids) for vocabulary in checkpoint.load(path, fold=False).vocabularies}


def _check_labels(folder: Path, own: Mapping[str, list[str]], now: Mapping[str, list[str]], way_out: str) -> None:
    for name, labels in own.items():
        others = now.get(name, [])
        if labels == others:
            continue
        gone = [label for label in labels if label not in others]
        new = [label for label in others if label not in labels]
        parts = [f"{_list(some)} {word}" for some, word in ((gone, "gone"), (new, "new")) if some]
        difference = ", ".join(parts) or "their order is another"
        raise ValueError(f"The run in {folder} learned other labels of {name} ({difference}): {way_out}.")


def _list(labels: Sequence[str]) -> str:
    """The first few labels as text, with ``is`` or ``are`` behind them."""
    listed = ", ".join(map(repr, labels[:_LISTED])) + (f" and {len(labels) - _LISTED} more" if labels[_LISTED:] else "")
    return f"{listed} {'is' if len(labels) == 1 else 'are'}"
