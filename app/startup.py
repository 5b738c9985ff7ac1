"""What is done before anything heavy is imported: listening on the address, and the error of a failed start."""

from __future__ import annotations

import ctypes
import gc
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_ARENA_MAX = -8  # option of mallopt(3)
_ARENAS = 2


class StartError(RuntimeError):
    """Report why a command cannot start or go on; the message is one sentence."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``. Raises StartError where the address cannot be used."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartError(f"Cannot listen on {host}, port {port} ({reason}): choose another with --port.") from error
    return listener


def cannot_run(failure: Exception) -> StartError:
    """Turn the error of an engine that did not start into one sentence: the first line of its message."""
    reason = (str(failure).splitlines() or [type(failure).__name__])[0]
    return StartError(f"The network cannot be run here: {reason}")


def limit_arenas() -> None:
    """Let all threads of this process allocate from a few arenas: each keeps to itself what is freed in it."""
    _ask_glibc("mallopt", _ARENA_MAX, _ARENAS)


@contextmanager
def no_collecting() -> Iterator[None]:
    """Look for no garbage: imports leave hardly any, and looking takes a tenth of their time.

    What is served meanwhile enables it again as soon as it is ready.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def return_freed_memory() -> None:
    """Return to the system what starting took and does not need any more, such as the file of the weights."""
    _ask_glibc("malloc_trim", 0)


def _ask_glibc(function: str, *arguments: int) -> None:
    """Call a function of glibc, where this is Linux with that; elsewhere do nothing."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            getattr(ctypes.CDLL("libc.so.6"), function)(*arguments)
