"""What has to be settled before anything heavy is imported: the address, and why a start can fail."""

from __future__ import annotations

import socket


class StartError(RuntimeError):
    """The service cannot start; the message is one sentence."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises StartError where the address is taken or not ours."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        why = error.strerror or str(error)
        raise StartError(
            f"Cannot listen on {host}, port {port} ({why.lower()}): choose another with --port."
        ) from error
    return listener


def cannot_run(failure: Exception) -> StartError:
    """The engine's own words, in one sentence."""
    first = (str(failure).splitlines() or [type(failure).__name__])[0]
    return StartError(f"The network cannot be run here: {first}")
