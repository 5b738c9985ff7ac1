"""The command line, ``glassbot serve``, ``caption``, ``teach`` …; each imports what it needs only when it runs."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

from app import logs
from app.settings import Settings, SettingsError, check_propagators, deprecation_warnings, read_settings
from app.startup import StartError, limit_arenas, listen, no_collecting, return_freed_memory
from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint, CheckpointError
from model.engines import Engine, create_engine

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.inference.engine_host import CreateEngine  # which imports more than a wrong flag needs

log = logging.getLogger("glassbot")

_SERVE_FLAGS = (
    "host",
    "port",
    "root-path",
    "engine",
    "precision",
    "threads",
    "workers",
    "drain-seconds",
    "log-level",
    "log-format",
)


def main(arguments: Sequence[str] | None = None, *, create_engine: CreateEngine = create_engine) -> int:
    """Run one command and return its exit status: 0, 1 for a failure, 2 for a wrong option or setting.

    What went wrong is said on stderr, in one sentence. ``create_engine`` builds the engine of a network that is run in
    this process.
    """
    options = {**vars(_parser().parse_args(arguments)), "create_engine": create_engine}
    command = options.pop("command")
    try:
        return int(command(options))
    except SettingsError as error:
        return _report(error, 2)
    except (CheckpointError, StartError) as error:
        return _report(error, 1)
    except BrokenPipeError:  # the reader of our output, such as head, has closed it
        return 1
    except KeyboardInterrupt:
        return 130


def _report(error: Exception, status: int) -> int:
    print(f"glassbot: {error}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="glassbot", description="A CaptionBot you can see through.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="answer requests over HTTP, with a page for the browser")
    _add_serve_flags(serve)
    caption = commands.add_parser("caption", help="caption pictures and folders of pictures")
    _add_caption_flags(caption)
    teach = commands.add_parser("teach", help="teach a network names by a few photos each, in seconds")
    _add_teach_flags(teach)
    export = commands.add_parser("export", help="copy photos into class folders, to train a network on")
    _add_export_flags(export)
    find = commands.add_parser("find", help="find similar photos, and near-duplicates")
    _add_find_flags(find)
    for command in (serve, caption, find):
        command.add_argument(
            "--checkpoint", type=Path, metavar="FILE", help="checkpoint to use instead of the shipped network"
        )
    return parser


def _add_serve_flags(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_serve)
    for flag in _SERVE_FLAGS:
        field = Settings.model_fields[flag.replace("-", "_")]
        default = field.default if field.default != "" else "none"
        parser.add_argument(f"--{flag}", help=f"{field.description} (default: {default!s})")


def _add_caption_flags(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_caption)
    flag = parser.add_argument
    flag("paths", nargs="+", type=_place, metavar="PATH", help="a picture, or a folder with pictures; or s3://…")
    file = "write CSV if FILE ends in .csv, else JSON Lines (default: stdout); a folder for s3://… and --ray"
    flag("--out", type=_place, metavar="FILE", help=file)
    flag("--format", choices=("jsonl", "parquet"), help="how answers for s3://… and --ray are written (default: jsonl)")
    flag("--ray", nargs="?", const="", metavar="ADDRESS", help="use a Ray cluster (default: one that is started here)")
    flag("--resume", action="store_true", help="continue the file of --out: caption only what it lacks")
    flag("--alt-text", action="store_true", help="also write the alternative text of photo.jpg to photo.txt beside it")
    flag("--force", action="store_true", help="let --alt-text overwrite files with another text")
    flag("--quiet", action="store_true", help="show no progress")
    flag("--server", metavar="URL", help="send the pictures to a running service instead of loading the network here")
    flag("--concurrency", type=int, metavar="N", help="pictures sent to --server at once, 1 to 256 (default: 8)")
    flag("--api-key", metavar="KEY", help="API key for --server (better set as the variable GLASSBOT_API_KEY)")


def _place(text: str) -> Path | str:
    """A path of this machine; the text of an address, whose slashes a path would lose."""
    return text if "://" in text else Path(text)


_INPUT = (
    "a folder of class folders, a ZIP of one, a folder with photos of one thing, or a CSV with columns file,label, "
    "whose paths start at its own folder or at the working directory, and whose labels count for more than folders"
)


def _add_teach_flags(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_teach)
    flag = parser.add_argument
    further = f"{_INPUT}; also a file of examples from the page, or a taught network"
    flag("inputs", nargs="+", type=Path, metavar="INPUT", help=further)
    flag("--from", dest="source", type=Path, metavar="CHECKPOINT", help="network to teach (default: the shipped one)")
    flag("--outside", type=Path, metavar="FOLDER", help="photos of other things, which are none of the names")
    flag(
        "--out", type=Path, metavar="FILE", help="taught network to write; with .examples at its end only the examples"
    )
    flag("--examples", type=Path, metavar="FILE", help="also write the examples, which the page opens")
    flag("--quiet", action="store_true", help="show no progress")


def _add_export_flags(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_export)
    flag = parser.add_argument
    flag("inputs", nargs="+", type=Path, metavar="INPUT", help=_INPUT)
    flag("--out", type=Path, required=True, metavar="FOLDER", help="where the class folders go; nothing is overwritten")


def _add_find_flags(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_find)
    flag = parser.add_argument
    flag(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a photo and the folders to search; folders alone with --duplicates",
    )
    flag("--duplicates", action="store_true", help="list the groups of near-duplicates in the folders")
    flag("--most", type=int, metavar="N", help="photos to list, from the most similar on (default: 10)")
    flag(
        "--index", type=Path, metavar="FILE", help="keep embeddings in FILE, so that only new photos are read next time"
    )
    flag("--json", action="store_true", help="print JSON")
    flag("--quiet", action="store_true", help="show no progress")


def _serve(options: dict[str, Any]) -> int:
    create_engine: CreateEngine = options.pop("create_engine")
    settings = read_settings(**options)
    logs.set_up(settings.log_level, settings.log_format)
    limit_arenas()
    check_propagators()
    for warning in deprecation_warnings():
        log.warning(warning)
    with listen(settings.host, settings.port) as listener, no_collecting():
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}"

        def announce() -> None:
            print(f"Glassbot is running at {address} (Ctrl-C stops it).", flush=True)

        serve = _serve_by_one if settings.workers == 1 else _serve_by_several
        serve(settings, listener, announce, create_engine)
    return 0


def _serve_by_one(
    settings: Settings, listener: socket, announce: Callable[[], None], create_engine: CreateEngine
) -> None:
    with ThreadPoolExecutor(1) as loader:
        checkpoint = loader.submit(checkpoints.load, settings.checkpoint)
        engine = loader.submit(lambda: _engine_of(create_engine, checkpoint.result(), settings))
        # Importing the framework takes as long as both of these.
        from app.http.server import Server
        from app.main import create_app

        app = create_app(settings, checkpoint.result(), create_engine=lambda *_, **__: engine.result())

        def ready() -> None:
            return_freed_memory()
            announce()

        Server(app, settings, ready).run_on(listener)


def _serve_by_several(
    settings: Settings, listener: socket, announce: Callable[[], None], create_engine: CreateEngine
) -> None:
    try:
        from app.http.supervisor import supervise
    except ImportError as error:
        raise SettingsError(
            f"{settings.workers} workers need gunicorn, which is not installed: pip install 'glassbot[workers]'."
        ) from error

    def load(settings: Settings) -> FastAPI:
        from app.main import create_app

        return create_app(settings, create_engine=create_engine)

    supervise(settings, listener, load, announce)


def _engine_of(create_engine: CreateEngine, checkpoint: Checkpoint, settings: Settings) -> Engine:
    return create_engine(checkpoint, engine=settings.engine, precision=settings.precision, threads=settings.threads)


def _caption(options: dict[str, Any]) -> int:
    if options["ray"] is not None or any(isinstance(place, str) for place in (*options["paths"], options["out"])):
        from app.captioning.buckets import command as buckets

        return buckets.run(options)
    from app.captioning import command

    return command.run(options)


def _teach(options: dict[str, Any]) -> int:
    from app.embeddings import teach

    return teach.run(options)


def _export(options: dict[str, Any]) -> int:
    from app.embeddings import export

    return export.run(options)


def _find(options: dict[str, Any]) -> int:
    from app.embeddings import find

    return find.run(options)


if __name__ == "__main__":
    sys.exit(main())
