"""The command line: ``glassbot serve`` and ``glassbot caption``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app import captioning, logs
from app.settings import Settings, SettingsError, read_settings
from app.starting import StartError, listen
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
    captions = commands.add_parser("caption", help="describe files and folders of pictures")
    captioning.add(captions)
    for command in (serving, captions):
        command.add_argument("--checkpoint", type=Path, metavar="FILE", help="another network than the shipped one")
    return parser


def _serve(options: dict[str, Any]) -> int:
    settings = read_settings(**options)
    logs.set_up(settings.log_level, settings.log_format)
    with listen(settings.host, settings.port) as listener, ThreadPoolExecutor(1) as beside:
        network = beside.submit(checkpoints.load, settings.checkpoint)
        # The framework takes as long to import as the network to read.
        from app.main import create_app
        from app.server import serve

        app = create_app(settings, network.result())
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}"
        serve(app, settings, listener, lambda: print(f"Glassbot looks at {address} (Ctrl-C stops it).", flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
