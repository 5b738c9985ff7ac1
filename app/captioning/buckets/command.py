"""``glassbot caption`` with addresses or ``--ray``, from its options to its exit status."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from app.captioning.buckets import tables
from app.captioning.buckets.answers_folder import AnswersFolder
from app.captioning.buckets.parts import Layout, by_part, layout_for
from app.captioning.buckets.pictures import StoredPicture, find_pictures
from app.captioning.buckets.worker import Part, PartDone, Plan, do_here
from app.inference.engine_host import CreateEngine
from app.inference.offline.messages import finish, note
from app.inference.offline.network import offline_settings
from app.inference.offline.paths import printable
from app.inference.offline.progress import show_progress
from app.settings import SettingsError
from app.startup import StartError
from model import checkpoint as checkpoints
from model.picture_files import describe

_NOT_HERE = ("server", "concurrency", "api_key", "alt_text", "force")


@dataclass(frozen=True, kw_only=True)
class Job:
    """The options of the command, checked and read."""

    plan: Plan
    pictures: dict[str, StoredPicture]
    """Name of each picture to caption -> where it lies."""
    folder: AnswersFolder
    """The folder that the answers go to."""
    resume: bool
    """Whether there may be answers already."""
    ray: str | None
    """Address of the Ray cluster, empty for one that is started here; None for this process."""
    create_engine: CreateEngine
    """What builds the engine of this process."""
    console: Console
    """Where the progress of the job is shown."""


def run(options: dict[str, Any]) -> int:
    """Run the command and return 0, 1 where a picture failed, 130 after SIGINT, or 143 after SIGTERM.

    Raises SettingsError, StartError or CheckpointError.
    """
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        return finish(_answer(_prepare(options)))
    except KeyboardInterrupt:
        return _report_interruption(128 + signal.SIGINT)
    except _Terminated:
        return _report_interruption(128 + signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


class _Terminated(BaseException):
    """SIGTERM arrived."""


def _terminate(*_: object) -> NoReturn:
    raise _Terminated


def _report_interruption(status: int) -> int:
    print("glassbot: stopped; run the same command with --resume to continue.", file=sys.stderr)
    return status


def _prepare(options: dict[str, Any]) -> Job:
    """Check everything that can be checked before a picture is read."""
    _check_options(options)
    console = Console(stderr=True, quiet=options["quiet"])
    folder = AnswersFolder(_address(options["out"]))
    present = folder.names()
    if present and not options["resume"]:
        raise SettingsError(
            printable(f"{folder.address} is not empty: add --resume to continue it, or name another folder.")
        )
    settings = offline_settings(options["checkpoint"])
    settings = settings.model_copy(update={"checkpoint": settings.checkpoint.absolute()})
    version = checkpoints.load(settings.checkpoint).version
    found = find_pictures(map(_address, options["paths"]))
    passed_over = printable(describe(found.passed_over))
    if not found.pictures:
        others = f", only what is not captioned: {passed_over}" if passed_over else ""
        raise StartError(f"There is no picture at the given addresses{others}.")
    if passed_over:
        note(console, f"passed over: {passed_over}")
    layout = layout_for(
        len(found.pictures),
        present,
        version=version,
        format=options["format"] or "jsonl",
        out=printable(folder.address),
    )
    folder.create()
    folder.check_errors()
    return Job(
        plan=Plan(folder.address, layout, settings),
        pictures={picture.name: picture for picture in found.pictures},
        folder=folder,
        resume=bool(present),
        ray=options["ray"],
        create_engine=options["create_engine"],
        console=console,
    )


def _check_options(options: dict[str, Any]) -> None:
    for option in _NOT_HERE:
        if options[option]:
            raise SettingsError(f"--{option.replace('_', '-')} cannot be used with addresses such as s3://… or --ray.")
    if options["out"] is None:
        raise SettingsError("Addresses such as s3://… and --ray need --out, a folder for the answers.")
    if options["format"] == "parquet":
        tables.check_installed()
    if options["ray"] is not None:
        from app.captioning.buckets.ray_job import check_address

        check_address(options["ray"])


def _address(place: Path | str) -> str:
    return place if isinstance(place, str) else str(place.absolute())


def _answer(job: Job) -> list[str]:
    """Do all parts, and return what went wrong, in sentences."""
    parts = [Part(number, pictures) for number, pictures in by_part(job.pictures, job.plan.layout).items()]
    sizes = {part.number: len(part.pictures) for part in parts}
    errors: dict[str, str] = {}
    with (
        show_progress(0, len(job.pictures), console=job.console, bar=job.console.is_interactive) as step,
        closing(_done(job, parts)) as all_done,
    ):
        for done in all_done:
            if done.failure:
                raise SettingsError(done.failure) if done.status == 2 else StartError(done.failure)
            errors.update(done.errors)
            for _ in range(sizes.pop(done.number, 0)):
                step()
    _check_answers(job, parts, errors)
    if errors or job.resume:
        job.folder.write_errors(list(errors.items()))
    return [printable(f"{name}: {error}") for name, error in sorted(errors.items())]


def _done(job: Job, parts: list[Part]) -> Generator[PartDone]:
    if job.ray is None:
        return do_here(job.plan, parts, job.create_engine)
    from app.captioning.buckets.ray_job import do_on_ray

    return do_on_ray(job.plan, parts, job.ray)


def _check_answers(job: Job, parts: list[Part], errors: dict[str, str]) -> None:
    """Read what was written, and add an error for each picture that is missing there: it is what counts."""
    layout: Layout = job.plan.layout
    for part in parts:
        answers = job.folder.read(layout, part.number)
        for picture in part.pictures:
            if picture.name in answers:
                errors.pop(picture.name, None)
            else:
                errors.setdefault(picture.name, "Its answer was not found among the parts.")
