"""The command line: ``glassbot serve`` and ``glassbot caption``."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app import folder, logs
from app.main import create_app
from app.metrics import Metrics
from app.predictor import Predictor
from app.server import StartError, cannot_run, listen, serve
from app.settings import Settings, SettingsError, read_settings
from model import checkpoint as checkpoints
from model.checkpoint import CheckpointError

_FLAGS = ("host", "port", "root-path", "engine", "precision", "threads", "drain-seconds", "log-level", "log-format")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its status: 0, 1 for a failure, 2 for a wrong word or setting. Mistakes are one sentence."""
    options = vars(_parser().parse_args(arguments))
    run = options.pop("run")
    try:
        return int(run(options))
    except SettingsError as error:
        return _say(error, 2)
    except (CheckpointError, StartError) as error:
        return _say(error, 1)
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130


def _say(error: Exception, status: int) -> int:
    print(f"glassbot: {error}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="glassbot", description="A CaptionBot you can see through.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serving = commands.add_parser("serve", help="answer over HTTP, with a page")
    for flag in _FLAGS:
        field = Settings.model_fields[flag.replace("-", "_")]
        serving.add_argument(f"--{flag}", help=f"{field.description} (default: {field.default!s})")
    serving.set_defaults(run=_serve)
    captions = commands.add_parser("caption", help="describe files and folders of pictures, as JSON Lines")
    captions.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a picture, or a folder of them")
    captions.add_argument("--out", type=Path, metavar="FILE", help="write here instead of the terminal")
    captions.set_defaults(run=_caption)
    for command in (serving, captions):
        command.add_argument("--checkpoint", type=Path, metavar="FILE", help="another network than the shipped one")
    return parser


def _serve(options: dict[str, Any]) -> int:
    settings = read_settings(**options)
    logs.set_up(settings.log_level, settings.log_format)
    with listen(settings.host, settings.port) as listener:
        app = create_app(settings, checkpoints.load(settings.checkpoint))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}"
        serve(app, settings, listener, lambda: print(f"Glassbot looks at {address} (Ctrl-C stops it).", flush=True))
    return 0


def _caption(options: dict[str, Any]) -> int:
    # Nobody waits at the other end: no deadline worth the name, and nothing is asked twice.
    settings = read_settings(
        checkpoint=options["checkpoint"], deadline_s=600, max_in_flight=64, cache_pictures=0, cache_outputs=0
    )
    for path in options["paths"]:
        if not path.exists():  # said at once, not after the network was loaded
            raise StartError(f"There is no {path}.")
    files = folder.find(options["paths"])
    if not files:
        raise StartError("There is no picture in what you named.")
    predictor = Predictor(settings, checkpoints.load(settings.checkpoint), Metrics())
    try:
        target = options["out"].open("w", encoding="utf-8") if options["out"] else nullcontext(sys.stdout)
    except OSError as error:
        raise StartError(f"{options['out']} cannot be written: {error.strerror}.") from error
    with target as out:
        failed = asyncio.run(_write(predictor, files, out))
    for line in failed:
        print(f"glassbot: {line.file}: {line.fault}", file=sys.stderr)
    return 1 if failed else 0


async def _write(predictor: Predictor, files: list[Path], out: TextIO) -> list[folder.Line]:
    failed: list[folder.Line] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("captions", total=len(files), rate="")
        async with predictor.running():
            await predictor.started()
            if predictor.failure is not None:
                raise cannot_run(predictor.failure) from predictor.failure
            began = perf_counter()
            async for line in folder.caption(predictor, files, ahead=32):
                if line.answer is None:
                    failed.append(line)
                else:
                    print(json.dumps(line.answer, ensure_ascii=False), file=out, flush=True)
                rate = (progress.tasks[task].completed + 1) / (perf_counter() - began)
                progress.update(task, advance=1, rate=f"{rate:.1f} images/s")
    return failed


if __name__ == "__main__":
    sys.exit(main())
