"""The paths that a command is given, and how its messages name them."""

from __future__ import annotations

from pathlib import Path

from app.errors import EmptyBodyError, GlassbotError
from app.startup import StartError
from model.picture_files import reason_of


def check_path(path: Path) -> None:
    """Raise StartError where there is nothing at ``path``, or nothing that we may look at."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StartError(printable(f"There is no {path}.")) from error
    except OSError as error:
        raise StartError(printable(f"{path} cannot be read ({reason_of(error)}).")) from error


def printable(text: str) -> str:
    """Escape line ends and control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def reading_error(error: OSError | GlassbotError) -> str:
    """Why a picture's file could not be read or used, in one sentence."""
    if isinstance(error, OSError):
        return f"The file cannot be read ({error.strerror or error})."
    return "The file is empty: it holds no bytes." if isinstance(error, EmptyBodyError) else error.detail
