"""``python -m training``: train, evaluate, compress and the rest; each command is a module of ``training.commands``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from model.checkpoint import CheckpointError
from training.commands import (
    ablate,
    calibrate,
    coarsen,
    compress,
    conformance,
    evaluate,
    fetch,
    gallery,
    importing,
    inspect_data,
    microscope,
    report,
    samples,
    ship,
    teacher,
    train,
)
from training.data import DataError
from training.data.columns import named_columns
from training.trainer.step import DivergedError

COMMANDS = (
    train,
    teacher,
    evaluate,
    calibrate,
    compress,
    inspect_data,
    coarsen,
    ablate,
    conformance,
    importing,
    fetch,
    report,
    samples,
    gallery,
    microscope,
    ship,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for an error of the user, 130 where it was interrupted."""
    options = _parser().parse_args(arguments)
    try:
        with named_columns(getattr(options, "image_column", None), getattr(options, "label_column", None)):
            return int(options.run(options))
    except (DataError, CheckpointError, ValueError, OSError, DivergedError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        goes_on = "; the same command with --resume goes on" if hasattr(options, "resume") else ""
        print(f"training: stopped{goes_on}.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Train and measure an AlexNet.")
    commands = parser.add_subparsers(required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
