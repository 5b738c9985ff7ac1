"""The process that serves: one listening socket, one event loop, and signals that end it without losing answers."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable
from time import monotonic
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.http.protocol import Protocol
from app.inference.engine_host import EngineHost
from app.settings import Settings
from app.startup import cannot_run

_ACCEPTED_AT_ONCE = 16
"""Connections that are accepted in one turn of the event loop: uvloop accepts one for each descriptor of a socket.

With one, connections come faster than turns under overload, and some wait for seconds (``findings/``).
"""


class Server(uvicorn.Server):
    """uvicorn's server, but SIGTERM means: answer 503 on /readyz, go on answering for a while, finish, exit with 0.

    By itself uvicorn stops listening first and ends with the signal's own status. ``announce`` is called once, when
    the engine is ready, and ``heartbeat`` once a second, also while the server starts and stops.
    """

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        announce: Callable[[], None],
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                http=Protocol,
                ws="none",
                timeout_keep_alive=settings.keep_alive_seconds,
                lifespan="on",
                root_path=settings.root_path,
                # A request in flight when the process ends may use up its time, and no more.
                timeout_graceful_shutdown=settings.longest_request_seconds,
            )
        )
        self._host: EngineHost = app.state.host
        self._announce: Callable[[], None] | None = announce
        self._heartbeat = heartbeat
        self._drain_seconds = settings.drain_seconds
        self._exit_at = float("inf")

    def run_on(self, listener: socket.socket) -> None:
        """Answer requests until a signal arrives. Raises StartError where the engine does not start."""
        self.run(sockets=[listener, *(listener.dup() for _ in range(_ACCEPTED_AT_ONCE - 1))])
        failure = self._host.failure
        if failure is not None:
            raise cannot_run(failure) from failure

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 uvicorn's signature
        """SIGTERM drains; Ctrl-C finishes what was begun, and a second Ctrl-C ends everything at once."""
        self._host.drain()
        if sig == signal.SIGTERM:
            self._exit_at = min(self._exit_at, monotonic() + self._drain_seconds)
        elif self.should_exit:
            self.force_exit = True
        else:
            self.should_exit = True

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on the event loop that runs, until a signal arrives."""
        beating = asyncio.create_task(self._beat())
        try:
            await super().serve(sockets)
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            self._heartbeat()
            await asyncio.sleep(1)

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second: announce readiness, or exit where it is time to."""
        if monotonic() >= self._exit_at or self._host.failure is not None:
            self.should_exit = True
        if self._host.ready and self._announce is not None:
            gc.freeze()  # what exists by now stays; collecting among it would take 25 ms in the middle of some answer
            gc.enable()
            self._announce()
            self._announce = None
        return await super().on_tick(counter)
