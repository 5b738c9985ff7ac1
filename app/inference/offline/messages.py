"""What a command says on stderr beside its results: notes, and the sentences of what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console


def note(console: Console, text: str) -> None:
    """Print a line that is no error, as far as the console is not quiet."""
    console.print(f"glassbot: {text}", soft_wrap=True, highlight=False, markup=False)


def finish(errors: Sequence[str]) -> int:
    """Print the sentences of what went wrong, and return the exit status: 1 where there are any, else 0."""
    for error in errors:
        print(f"glassbot: {error}", file=sys.stderr)
    return 1 if errors else 0
