"""The command ``glassbot caption``: from what its flags say to its status.

A line is written once all is done that was asked for its picture, the sidecar included. So whatever ends the job, the
same command with ``--resume`` does the rest: pictures with a line are passed over, those with a fault are tried again.
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

from app.captioning import files, output_file, progress
from app.captioning.files import Line, Network
from app.captioning.output_file import Held
from app.captioning.sidecars import Sidecars
from app.settings import SettingsError, read_api_key
from app.startup import StartError

_NEEDS = {"resume": "out", "force": "alt_text", "concurrency": "server", "api_key": "server"}
_CONCURRENCY = range(1, 257)


@dataclass(frozen=True)
class Job:
    """All that was asked for."""

    files: list[Path]
    network: AbstractAsyncContextManager[Network]
    out: Path | None
    held: Held
    sidecars: Sidecars | None
    console: Console


def run(options: dict[str, Any]) -> int:
    """Status 0; 1 where a file failed, 130 or 143 where a signal ended it.

    Raises SettingsError, StartError, ServiceError or CheckpointError.
    """
    job = _job(options)
    faults: list[str] = []
    try:
        asyncio.run(_work(job, faults))
    except KeyboardInterrupt:
        return _stopped(job, 128 + signal.SIGINT)
    except asyncio.CancelledError:
        return _stopped(job, 128 + signal.SIGTERM)
    finally:
        for fault in faults:
            print(f"glassbot: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _job(options: dict[str, Any]) -> Job:
    """Whatever can be wrong without a network is said before one is loaded."""
    for flag, needed in _NEEDS.items():
        if options[flag] and not options[needed]:
            raise SettingsError(f"{_flag(flag)} is nothing without {_flag(needed)}.")
    network = _network(options)
    for path in options["paths"]:
        if not path.exists():
            raise StartError(_printable(f"There is no {path}."))
    pictures = files.find(options["paths"])
    if not pictures:
        raise StartError("There is no picture in what you named.")
    return Job(
        pictures,
        network,
        options["out"],
        output_file.held(options["out"], resume=options["resume"]),
        Sidecars(pictures, force=options["force"]) if options["alt_text"] else None,
        Console(stderr=True, quiet=options["quiet"]),
    )


def _network(options: dict[str, Any]) -> AbstractAsyncContextManager[Network]:
    if not options["server"]:
        from app.captioning import local_network  # with all that a network needs; a service elsewhere needs none of it

        return local_network.network(local_network.settings(options["checkpoint"]), options["create_engine"])
    if options["checkpoint"]:
        raise SettingsError("--checkpoint is nothing beside --server, which has a network of its own.")
    concurrency = 8 if options["concurrency"] is None else options["concurrency"]
    if concurrency not in _CONCURRENCY:
        raise SettingsError(f"--concurrency is from {_CONCURRENCY[0]} to {_CONCURRENCY[-1]}, not {concurrency}.")
    key = read_api_key(options["api_key"])
    from app.captioning import remote_network

    return remote_network.network(remote_network.address(options["server"]), key=key, concurrency=concurrency)


async def _work(job: Job, faults: list[str]) -> None:
    """All pictures; what is wrong with some is added to ``faults`` as it is found."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with job.network as network:
        _refuse_another(job, network.version)
        todo = [file for file in job.files if files.name(file) not in job.held.names]
        done = len(job.files) - len(todo)
        bar = job.console.is_interactive and (job.out is not None or not sys.stdout.isatty())
        with (
            output_file.opened(job.out, job.held) as out,
            progress.reported(done, len(job.files), console=job.console, bar=bar) as step,
        ):
            async with aclosing(files.caption(network, todo)) as lines:
                async for line in lines:
                    if fault := await _put(line, out, job.sidecars):
                        faults.append(_printable(f"{line.file}: {fault}"))
                    step()
    if job.out is not None and job.held.names:
        output_file.sort(job.out)


async def _put(line: Line, out: output_file.Writer, sidecars: Sidecars | None) -> str:
    """Write what there is; the fault, or nothing."""
    if line.answer is None:
        return line.fault
    if sidecars is not None:
        alt_text: str = line.answer["caption"]["alt_text"]
        if fault := await asyncio.to_thread(sidecars.write, line.file, alt_text):
            return fault
    out.add(files.name(line.file), line.answer)
    return ""


def _refuse_another(job: Job, version: str) -> None:
    if job.held.version not in (None, version):
        raise SettingsError(
            f"{job.out} was written by the network {job.held.version}, and this is {version}: name another file."
        )


def _stopped(job: Job, status: int) -> int:
    if job.out is not None:
        print("glassbot: stopped; the same command with --resume goes on.", file=sys.stderr)
    return status


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")


def _printable(text: str) -> str:
    """In one line, and with nothing that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
