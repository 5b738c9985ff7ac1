"""The command ``glassbot caption``, from its options to its exit status.

A line is written once everything else for its picture is done, the sidecar included. So whatever ends the command, the
same command with ``--resume`` does the rest: pictures with a line are skipped, those with an error are tried again.
Where ``--alt-text`` is added only then, the line tells the alternative text, and no picture is captioned twice.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from app.captioning.files import Captioner, CaptionLine
from app.captioning.output_file import ResumeState, Writer, open_writer, read_resume_state, sort_lines
from app.captioning.sidecars import OtherTextError, SidecarError, Sidecars
from app.inference.offline.messages import finish, note
from app.inference.offline.paths import check_path, printable
from app.inference.offline.progress import show_progress
from app.settings import SettingsError, read_api_key
from app.startup import StartError
from model.picture_files import describe, file_name, find_pictures

_REQUIRED = {"resume": "out", "force": "alt_text", "concurrency": "server", "api_key": "server"}
"""The option without which another one has no effect."""
_CONCURRENCY = range(1, 257)
_DEFAULT_CONCURRENCY = 8


@dataclass(frozen=True, kw_only=True)
class Job:
    """The options of the command, checked and read."""

    pictures: list[Path]
    """All pictures to caption, sorted."""
    passed_over: str
    """What else lies in the folders, by kind; empty where there is nothing."""
    unreadable: list[str]
    """What the system does not let us look at, a sentence each."""
    captioner: AbstractAsyncContextManager[Captioner]
    """The captioner, not opened yet."""
    out: Path | None
    """The file to write; None for stdout."""
    resume_state: ResumeState
    """What the file contains already."""
    sidecars: Sidecars | None
    """The text files beside the pictures; None where they were not asked for."""
    console: Console
    """Where the progress of the job is shown."""


def run(options: dict[str, Any]) -> int:
    """Run the command and return 0, 1 where a picture or a folder failed, 130 after SIGINT, or 143 after SIGTERM.

    Raises SettingsError, StartError, ServiceError or CheckpointError.
    """
    job = _prepare_job(options)
    errors = list(job.unreadable)
    try:
        asyncio.run(_run_job(job, errors))
    except KeyboardInterrupt:
        return _report_interruption(job, 128 + signal.SIGINT)
    except asyncio.CancelledError:
        return _report_interruption(job, 128 + signal.SIGTERM)
    finally:
        status = finish(errors)
    return status


def _prepare_job(options: dict[str, Any]) -> Job:
    """Check everything that can be checked before a network is loaded."""
    for option, required in _REQUIRED.items():
        if options[option] and not options[required]:
            raise SettingsError(f"{_flag(option)} needs {_flag(required)}.")
    if options["format"]:
        raise SettingsError("--format is for addresses such as s3://… and --ray: here the suffix of --out tells it.")
    captioner = _captioner(options)
    for path in options["paths"]:
        check_path(path)
    found = find_pictures(options["paths"])
    passed_over = printable(describe(found.passed_over))
    unreadable = [printable(f"{path} cannot be read ({reason}).") for path, reason in found.unreadable.items()]
    if not found.files:
        others = f", only what is not captioned: {passed_over}" if passed_over else ""
        raise StartError(" ".join([f"There is no picture in the given paths{others}.", *unreadable]))
    return Job(
        pictures=found.files,
        passed_over=passed_over,
        unreadable=unreadable,
        captioner=captioner,
        out=options["out"],
        resume_state=read_resume_state(options["out"], resume=options["resume"]),
        sidecars=Sidecars(found.files, force=options["force"]) if options["alt_text"] else None,
        console=Console(stderr=True, quiet=options["quiet"]),
    )


def _captioner(options: dict[str, Any]) -> AbstractAsyncContextManager[Captioner]:
    if options["server"]:
        return _remote_captioner(options)
    from app.captioning import local_network  # imports the engine, which a service elsewhere makes unnecessary
    from app.inference.offline.network import offline_settings

    settings = offline_settings(options["checkpoint"])
    return local_network.open_captioner(settings, options["create_engine"])


def _remote_captioner(options: dict[str, Any]) -> AbstractAsyncContextManager[Captioner]:
    if options["checkpoint"]:
        raise SettingsError("--checkpoint cannot be used with --server: the service has a network of its own.")
    concurrency = _DEFAULT_CONCURRENCY if options["concurrency"] is None else options["concurrency"]
    if concurrency not in _CONCURRENCY:
        raise SettingsError(f"--concurrency must be from {_CONCURRENCY[0]} to {_CONCURRENCY[-1]}, not {concurrency}.")
    key = read_api_key(options["api_key"])
    from app.captioning import remote_network  # imports the HTTP client, which the network here makes unnecessary

    url = remote_network.parse_address(options["server"])
    return remote_network.open_captioner(url, key=key, concurrency=concurrency)


async def _run_job(job: Job, errors: list[str]) -> None:
    """Caption all pictures; the errors of single pictures are appended to ``errors``."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with job.captioner as captioner:
        _refuse_other_network(job, captioner.version)
        if job.passed_over:
            note(job.console, f"passed over: {job.passed_over}")
        if job.sidecars is not None:
            await _write_missing_sidecars(job, job.sidecars, errors)
        await _caption_pictures(job, captioner, errors)
    if job.out is not None and job.resume_state.alt_texts:
        sort_lines(job.out)


async def _write_missing_sidecars(job: Job, sidecars: Sidecars, errors: list[str]) -> None:
    """Write the text files that pictures with a line lack; one with another text may have been changed, and is left."""
    left = 0
    for file in job.pictures:
        alt_text = job.resume_state.alt_texts.get(file_name(file))
        if alt_text is None:
            continue
        try:
            await asyncio.to_thread(sidecars.write, file, alt_text)
        except OtherTextError:
            left += 1
        except SidecarError as error:
            errors.append(printable(f"{file}: {error}"))
    if left:
        text = f"text files with another text than in {job.out}, left as they are (--force overwrites them): {left:,}"
        note(job.console, printable(text))


async def _caption_pictures(job: Job, captioner: Captioner, errors: list[str]) -> None:
    todo = [file for file in job.pictures if file_name(file) not in job.resume_state.alt_texts]
    done = len(job.pictures) - len(todo)
    bar = job.console.is_interactive and (job.out is not None or not sys.stdout.isatty())
    with (
        open_writer(job.out, job.resume_state) as writer,
        show_progress(done, len(job.pictures), console=job.console, bar=bar) as step,
    ):
        async with aclosing(captioner.lines(todo)) as lines:
            async for line in lines:
                if error := await _write_line(line, writer, job.sidecars):
                    errors.append(printable(f"{line.file}: {error}"))
                step()


async def _write_line(line: CaptionLine, writer: Writer, sidecars: Sidecars | None) -> str:
    """Write the sidecar and the line of one picture, and return its error in one sentence, or nothing."""
    if line.prediction is None:
        return line.error
    if sidecars is not None:
        alt_text: str = line.prediction["caption"]["alt_text"]
        try:
            await asyncio.to_thread(sidecars.write, line.file, alt_text)
        except SidecarError as error:
            return str(error)
    writer.write(file_name(line.file), line.prediction)
    return ""


def _refuse_other_network(job: Job, version: str) -> None:
    if job.resume_state.version not in (None, version):
        raise SettingsError(
            f"{job.out} contains captions by the network {job.resume_state.version}, and this network is {version}: "
            "name another file."
        )


def _report_interruption(job: Job, status: int) -> int:
    if job.out is not None:
        print("glassbot: stopped; run the same command with --resume to continue.", file=sys.stderr)
    return status


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")
