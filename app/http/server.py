"""The process that serves: one listening socket, one event loop, and signals that end it in peace."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable
from time import monotonic
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.inference.predictor import Predictor
from app.settings import Settings
from app.startup import cannot_run


class Server(uvicorn.Server):
    """uvicorn, but SIGTERM means: say so on /readyz, go on answering for a while, finish, exit 0.

    By itself uvicorn stops listening first and ends with the signal's own status.
    """

    def __init__(self, app: FastAPI, settings: Settings, announce: Callable[[], None]) -> None:
        # Whoever is being served when we leave may use up his time, and no more.
        grace = settings.longest_request_seconds
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, lifespan="on",
                root_path=settings.root_path, timeout_graceful_shutdown=grace,
            )
        )  # fmt: skip
        self._predictor: Predictor = app.state.predictor
        self._announce: Callable[[], None] | None = announce
        self._drain_seconds = settings.drain_seconds
        self._leave_at = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 uvicorn's signature
        """SIGTERM drains; Ctrl-C ends at once what waits, and a second one everything."""
        self._predictor.drain()
        if sig == signal.SIGTERM:
            self._leave_at = min(self._leave_at, monotonic() + self._drain_seconds)
        elif self.should_exit:
            self.force_exit = True
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if monotonic() >= self._leave_at or self._predictor.failure is not None:
            self.should_exit = True
        if self._predictor.ready and self._announce is not None:
            gc.freeze()  # what is here by now stays: to look through it takes 25 ms, in the midst of somebody's answer
            self._announce()
            self._announce = None
        return await super().on_tick(counter)


def serve(app: FastAPI, settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Answer until a signal. Raises StartError if the engine does not start."""
    server = Server(app, settings, announce)
    server.run(sockets=[listener])
    failure = app.state.predictor.failure
    if failure is not None:
        raise cannot_run(failure) from failure
