"""The command ``glassbot find``: similar photos, and near-duplicates, by the cosine of their embeddings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from app.embeddings.index import Index, Stamp, read_index, write_index
from app.embeddings.photos import embed_photos, photo_at
from app.embeddings.search import NEAR_DUPLICATE, groups_of_duplicates, most_similar, unit_rows
from app.inference.engine_host import CreateEngine
from app.inference.offline import network
from app.inference.offline.messages import finish, note
from app.inference.offline.paths import check_path, printable
from app.inference.offline.progress import show_progress
from app.settings import Settings, SettingsError
from app.startup import StartError
from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.picture_files import file_name, find_pictures, reason_of
from model.teaching.attach import base_of
from model.teaching.embedding import Embedding, embedding_of

_MOST = 10


@dataclass(frozen=True, kw_only=True)
class Job:
    """The options of the command, checked and read."""

    photo: Path | None
    """The photo whose like are wanted; None for the groups of near-duplicates."""
    files: list[Path]
    """The photos to search, sorted."""
    folders: list[Path]
    """The folders that these lie below, absolute."""
    index: Index
    index_file: Path | None
    most: int
    json: bool
    settings: Settings
    checkpoint: Checkpoint
    console: Console
    create_engine: CreateEngine


Embeddings = dict[Path, NDArray[np.float16]]
"""Path, as given -> the embedding of the photo in it."""


def run(options: dict[str, Any]) -> int:
    """Run the command and return 0, or 1 where a photo or a folder had to be left out.

    Raises SettingsError, StartError or CheckpointError.
    """
    errors: list[str] = []
    job = _prepare(options, errors)
    try:
        embeddings = _embeddings(job, errors)
        if job.photo is None:
            _print_groups(job, embeddings)
        else:
            _print_similar(job, embeddings, job.photo)
    finally:
        status = finish(errors)
    return status


def _prepare(options: Mapping[str, Any], errors: list[str]) -> Job:
    """Check everything that can be checked before the engine starts."""
    photo, folders = _photo_and_folders(options)
    most = _MOST if options["most"] is None else options["most"]
    if most < 1:
        raise SettingsError(f"--most must be 1 or more, not {most}.")
    if options["duplicates"] and options["most"] is not None:
        raise SettingsError("--most is for similar photos: --duplicates lists all groups.")
    found = find_pictures(folders)
    errors += [printable(f"{path} cannot be read ({reason}).") for path, reason in found.unreadable.items()]
    if not found.files:
        raise StartError(" ".join(["There is no photo in the given folders.", *errors]))
    settings = network.offline_settings(options["checkpoint"])
    checkpoint = checkpoints.load(settings.checkpoint)
    console = Console(stderr=True, quiet=options["quiet"])
    return Job(
        photo=photo,
        files=found.files,
        folders=[folder.absolute() for folder in folders],
        index=_index(options["index"], embedding_of(base_of(checkpoint)), console),
        index_file=options["index"],
        most=most,
        json=options["json"],
        settings=settings,
        checkpoint=checkpoint,
        console=console,
        create_engine=options["create_engine"],
    )


def _photo_and_folders(options: Mapping[str, Any]) -> tuple[Path | None, list[Path]]:
    paths: list[Path] = options["paths"]
    for path in paths:
        check_path(path)
    photo, folders = (None, paths) if options["duplicates"] else (paths[0], paths[1:])
    if photo is not None and photo.is_dir():
        raise SettingsError(f"{photo} is a folder: name a photo before it, or add --duplicates.")
    if not folders:
        raise SettingsError(f"Where shall photos like {photo} be looked for? Name a folder after it.")
    if files := [path for path in folders if not path.is_dir()]:
        raise SettingsError(f"{files[0]} is not a folder: one photo comes first, then the folders to search.")
    return photo, folders


def _index(path: Path | None, embedding: Embedding, console: Console) -> Index:
    if path is None:
        return Index(embedding.network, embedding.size)
    index, begun_again = read_index(path, embedding.network, embedding.size)
    if begun_again:
        note(console, printable(begun_again))
    return index


def _embeddings(job: Job, errors: list[str]) -> Embeddings:
    """Return the embeddings of all photos that can be read; the engine starts only where there is a new one.

    What was read is kept in the index, also where the command is interrupted. Raises StartError for a bad photo to
    look for, or where no other can be read.
    """
    wanted = [*job.files, *([job.photo] if job.photo is not None and job.photo not in job.files else [])]
    stamps = _stamps(wanted, errors)
    new = [path for path, stamp in stamps.items() if job.index.find(path.absolute(), stamp) is None]
    job.index.forget(job.folders, {path.absolute(): None for path in job.files})
    try:
        if new:
            asyncio.run(_embed(job, {path: stamps[path] for path in new}, errors))
    finally:
        if job.index_file is not None and job.index.changed:
            write_index(job.index_file, job.index)
    found = {path: job.index.find(path.absolute(), stamp) for path, stamp in stamps.items()}
    embeddings = {path: embedding for path, embedding in found.items() if embedding is not None}
    if job.photo is not None and job.photo not in embeddings:
        raise StartError(printable(f"{job.photo} cannot be looked for, as it cannot be read."))
    return embeddings


def _stamps(files: list[Path], errors: list[str]) -> dict[Path, Stamp]:
    stamps = {}
    for path in files:
        try:
            stamps[path] = Stamp.of(path)
        except OSError as error:
            errors.append(printable(f"{path}: The file cannot be read ({reason_of(error)})."))
    return stamps


async def _embed(job: Job, stamps: Mapping[Path, Stamp], errors: list[str]) -> None:
    """Embed photos into the index; what is wrong with one becomes an error, and harms no other."""
    files = iter(stamps)
    photos = map(photo_at, stamps)
    async with network.running(job.settings, job.checkpoint, job.create_engine) as predictor:
        bar = job.console.is_interactive
        with show_progress(0, len(stamps), console=job.console, bar=bar, what="photos") as step:
            async with aclosing(embed_photos(predictor, photos, job.settings)) as embedded:
                async for one in embedded:
                    path = next(files)
                    step()
                    if one.embedding is None:
                        errors.append(one.error)
                    else:
                        job.index.add(path.absolute(), stamps[path], one.embedding)


def _print_similar(job: Job, embeddings: Embeddings, photo: Path) -> None:
    query = unit_rows(embeddings[photo][None])[0]
    others = [path for path in job.files if path in embeddings and not _same_file(path, photo)]
    rows = unit_rows(np.stack([embeddings[path] for path in others])) if others else np.zeros((0, 0), np.float32)
    found = most_similar(query, rows, job.most) if others else []
    similar = [
        {"file": file_name(others[number]), "cosine": round(cosine, 4), "near_duplicate": cosine >= NEAR_DUPLICATE}
        for number, cosine in found
    ]
    if job.json:
        print(json.dumps({"photo": file_name(photo), "network": job.index.network, "similar": similar}, indent=1))
        return
    for one in similar:
        print(f"{one['cosine']:.3f}  {printable(str(one['file']))}{'  (near-duplicate)' * bool(one['near_duplicate'])}")


def _print_groups(job: Job, embeddings: Embeddings) -> None:
    files = list(embeddings)
    groups = [
        [file_name(files[number]) for number in group]
        for group in (groups_of_duplicates(unit_rows(np.stack(list(embeddings.values())))) if files else [])
    ]
    if job.json:
        print(json.dumps({"network": job.index.network, "groups": groups}, indent=1))
        return
    for group in groups:
        print(*map(printable, group), sep="\n", end="\n\n")
    copies = sum(map(len, groups)) - len(groups)
    print(f"{len(groups):,} groups of near-duplicates among {len(files):,} photos: {copies:,} more than one of each.")


def _same_file(one: Path, other: Path) -> bool:
    return one.absolute() == other.absolute() or one.samefile(other)
