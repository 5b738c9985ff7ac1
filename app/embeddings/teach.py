"""The command ``glassbot teach``: from folders of photos to a network that says their names, in seconds.

Nothing is written before everything is learned, and then whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from app.embeddings.inputs import Given, read_inputs
from app.embeddings.photos import Photo, embed_photos, photo_at, under_two_names
from app.embeddings.teach_report import print_report
from app.inference.engine_host import CreateEngine
from app.inference.offline import network
from app.inference.offline.messages import finish, note
from app.inference.offline.paths import check_path, printable
from app.inference.offline.progress import show_progress
from app.inference.predictor import Predictor
from app.settings import Settings, SettingsError
from app.startup import StartError
from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.files import atomically, replacing
from model.picture_files import find_pictures, reason_of
from model.teaching.attach import base_of
from model.teaching.embedding import network_name
from model.teaching.examples import Examples, ExamplesError, Photos, no_photos
from model.unit_cards import path_beside

EXAMPLES_SUFFIX = ".examples"
"""With which the name of a file of examples ends; ``--out`` with it writes no network."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """The options of the command, checked and read."""

    given: Given
    outside: list[Photo]
    """Photos of things that have none of the names."""
    settings: Settings
    checkpoint: Checkpoint
    """The network that is taught."""
    out: Path | None
    """Where the taught network goes; None for nowhere."""
    examples: Path | None
    """Where the file of examples goes; None for nowhere."""
    console: Console
    create_engine: CreateEngine

    @property
    def photos(self) -> list[Photo]:
        """All photos that are to be read, those of other things last."""
        return [photo for _, photo in self.given.named] + self.outside


def run(options: dict[str, Any]) -> int:
    """Run the command and return 0, or 1 where a photo or a folder had to be left out.

    Raises SettingsError, StartError or CheckpointError.
    """
    with ExitStack() as opened:
        job = _prepare(options, opened)
        for kinds in job.given.passed_over:
            note(job.console, f"passed over: {kinds}")
        errors = list(job.given.problems)
        try:
            taught = asyncio.run(_teach(job, errors))
            _write(job, taught)
        finally:
            status = finish(errors)
    print_report(taught, job.out, job.examples)
    return status


def _prepare(options: Mapping[str, Any], opened: ExitStack) -> Job:
    """Check everything that can be checked before the engine starts."""
    out, examples_file = _outputs(options)
    given = read_inputs(options["inputs"], opened)
    if not given.photos and not given.examples:
        raise StartError(" ".join(["There is no photo in the given paths.", *given.problems]))
    source = options["source"] or next(iter(given.networks), None)
    settings = network.offline_settings(source)
    checkpoint = checkpoints.load(settings.checkpoint)
    if out is not None and checkpoint.examples is None and _same(out, settings.checkpoint):
        raise SettingsError(f"{out} is the network that would be taught: write to another file.")
    if out is not None and out.exists() and not checkpoints.is_taught(out):
        raise SettingsError(f"{out} is there already, and is no network that was taught: write to another file.")
    name = network_name(base_of(checkpoint))
    for path, found in given.examples:
        try:
            found.check_network(name)
        except ExamplesError as error:
            raise StartError(printable(f"{path}: {error}")) from error
    return Job(
        given=given,
        outside=_outside(options["outside"], given),
        settings=settings,
        checkpoint=checkpoint,
        out=out,
        examples=examples_file,
        console=Console(stderr=True, quiet=options["quiet"]),
        create_engine=options["create_engine"],
    )


def _outputs(options: Mapping[str, Any]) -> tuple[Path | None, Path | None]:
    """Return where the network and the examples are to be written. Raises SettingsError."""
    out: Path | None = options["out"]
    examples_file: Path | None = options["examples"]
    if out is not None and out.suffix.lower() == EXAMPLES_SUFFIX:
        if examples_file is not None:
            raise SettingsError(f"--out {out} and --examples {examples_file} both name a file of examples.")
        out, examples_file = None, out
    if out is None and examples_file is None:
        raise SettingsError("Nothing would be written: add --out FILE, --examples FILE, or both.")
    for path in (out, examples_file):
        if path is not None and path.is_dir():
            raise SettingsError(f"{path} is a folder; a file is needed to write to.")
    if out is not None and examples_file is not None and _same(out, examples_file):
        raise SettingsError("--out and --examples name the same file.")
    return out, examples_file


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _outside(folder: Path | None, given: Given) -> list[Photo]:
    if folder is None:
        return []
    check_path(folder)
    found = find_pictures([folder])
    given.problems += [printable(f"{path} cannot be read ({reason}).") for path, reason in found.unreadable.items()]
    if not found.files:
        given.problems.append(printable(f"{folder} holds no photo."))
    return [photo_at(path) for path in found.files]


async def _teach(job: Job, errors: list[str]) -> Checkpoint:
    async with network.running(job.settings, job.checkpoint, job.create_engine) as predictor:
        read = await _read(job, predictor, errors)
        try:
            return await predictor.teacher.taught_by(_merged(job, read, predictor, errors))
        except ExamplesError as error:
            raise StartError(str(error)) from error


Read = dict[str, tuple[Photo, NDArray[np.float16]]]
"""SHA-256 -> a photo and its embedding."""


async def _read(job: Job, predictor: Predictor, errors: list[str]) -> dict[str | None, Read]:
    """Embed all photos, each once, by name; under None those of other things. Raises StartError.

    A name whose photos were all corrected to other names is missing. What is kept of a photo are some 500 bytes; only
    those in progress are in memory.
    """
    owners: list[str | None] = [name for name, _ in job.given.named]
    owners += [None] * len(job.outside)
    read: dict[str | None, Read] = {}
    owner_of: dict[str, str | None] = {}
    photos, total = iter(owners), len(owners)
    with show_progress(0, total, console=job.console, bar=job.console.is_interactive, what="photos") as step:
        async with aclosing(embed_photos(predictor, job.photos, job.settings)) as embedded:
            async for one in embedded:
                owner = next(photos)
                step()
                if one.embedding is None:
                    read.setdefault(owner, {})
                    errors.append(one.error)
                    continue
                first = owner_of.setdefault(one.sha256, owner)
                if first == owner:
                    read.setdefault(owner, {}).setdefault(one.sha256, (one.photo, one.embedding))
                elif owner is not None:
                    _check_corrected(read[first][one.sha256][0], one.photo, str(first), owner)
    return read


def _check_corrected(first: Photo, second: Photo, name: str, other: str) -> None:
    """Raise StartError for a photo that has two names, unless the first one is a correction of the second."""
    if not first.corrects(second):
        raise StartError(under_two_names(first, second, name, other) + "leave it under one of the two.")


def _merged(job: Job, read: Mapping[str | None, Read], predictor: Predictor, errors: list[str]) -> Examples:
    """Return all examples together. Raises ExamplesError, or StartError where none could be read."""
    embedding = predictor.teacher.embedding
    errors += [f"{name!r} is not taught: none of its photos can be read." for name in read if name and not read[name]]
    things = {name: _photos(one) for name, one in read.items() if name is not None and one}
    if not things and not job.given.examples:
        raise StartError("None of the photos can be read, so nothing was learned.")
    outside = _photos(read[None]) if read.get(None) else no_photos(embedding.size)
    merged = Examples(embedding.network, embedding.size, things, outside)
    for _, found in job.given.examples:
        merged = merged.with_further(found)
    return merged


def _photos(read: Read) -> Photos:
    return Photos(tuple(read), np.stack([embedding for _, embedding in read.values()]))


def _copy_cards(source: Path, target: Path) -> None:
    """Let the cards of the network's units travel with it: they are of weights that teaching does not change."""
    cards = path_beside(source)
    if cards.is_file() and source != target:
        with replacing(path_beside(target)) as half:
            copyfile(cards, half)


def _write(job: Job, taught: Checkpoint) -> None:
    """Write what was asked for. Raises StartError where the disk will not take it."""
    assert taught.examples is not None
    path = job.out
    try:
        if path is not None:
            checkpoints.save_taught(path, taught, job.settings.checkpoint)
            _copy_cards(job.settings.checkpoint, path)
        path = job.examples
        if path is not None:
            with atomically(path) as file:
                file.write(taught.examples.to_bytes())
    except OSError as error:
        raise StartError(printable(f"{path} cannot be written ({reason_of(error)}).")) from error
