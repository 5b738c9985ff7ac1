"""The command line: ``glassbot serve`` and ``glassbot caption``, each of which imports its own when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import logs
from app.settings import Settings, SettingsError, read_settings
from app.startup import StartError, listen
from model import checkpoint as checkpoints
from model.checkpoint import CheckpointError
from model.engines import create_engine

if TYPE_CHECKING:
    from app.inference.engine_host import CreateEngine  # which imports more than a wrong flag needs

_FLAGS = ("host", "port", "root-path", "engine", "precision", "threads", "drain-seconds", "log-level", "log-format")


def main(arguments: Sequence[str] | None = None, *, create_engine: CreateEngine = create_engine) -> int:
    """Run one command; its status: 0, 1 for a failure, 2 for a wrong word or setting. Mistakes are one sentence.

    ``create_engine`` builds the engine of a network that is run in this process.
    """
    options = {**vars(_parser().parse_args(arguments)), "create_engine": create_engine}
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
    captions = commands.add_parser("caption", help="describe files and folders of pictures")
    _add_caption_flags(captions)
    for command in (serving, captions):
        command.add_argument("--checkpoint", type=Path, metavar="FILE", help="another network than the shipped one")
    return parser


def _add_caption_flags(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_caption)
    flag = parser.add_argument
    flag("paths", nargs="+", type=Path, metavar="PATH", help="a picture, or a folder of them")
    flag("--out", type=Path, metavar="FILE", help="write here, as CSV if it ends in .csv; else JSON Lines on stdout")
    flag("--resume", action="store_true", help="go on with the file of --out where it stops")
    flag("--alt-text", action="store_true", help="also write the alternative text of photo.jpg to photo.txt beside it")
    flag("--force", action="store_true", help="let --alt-text replace files that say something else")
    flag("--quiet", action="store_true", help="show no progress")
    flag("--server", metavar="URL", help="ask a running service instead of a network in this process")
    flag("--concurrency", type=int, metavar="N", help="pictures sent to --server at once (default: 8)")
    flag("--api-key", metavar="KEY", help="what --server asks for (better: the variable GLASSBOT_API_KEY)")


def _serve(options: dict[str, Any]) -> int:
    create_engine: CreateEngine = options.pop("create_engine")
    settings = read_settings(**options)
    logs.set_up(settings.log_level, settings.log_format)
    with listen(settings.host, settings.port) as listener, ThreadPoolExecutor(1) as beside:
        network = beside.submit(checkpoints.load, settings.checkpoint)
        beside.submit(import_module, "model.engines.openvino_engine")  # needed next; if it fails, it will say so then
        # The framework takes as long to import as both of these.
        from app.http.server import serve
        from app.main import create_app

        app = create_app(settings, network.result(), create_engine=create_engine)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}"
        serve(app, settings, listener, lambda: print(f"Glassbot looks at {address} (Ctrl-C stops it).", flush=True))
    return 0


def _caption(options: dict[str, Any]) -> int:
    from app.captioning import command

    return command.run(options)


if __name__ == "__main__":
    sys.exit(main())
