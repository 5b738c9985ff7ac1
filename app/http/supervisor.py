"""Several processes that serve on one socket: gunicorn's arbiter forks them, and replaces those that end or hang.

The parent makes the application and forks before any engine starts, so that workers share the memory of weights and
code. Each starts an engine and threads of its own, and takes connections once its engine runs. What they tell each
other lies in one folder: their metrics, which of them are ready, and why one did not start.

Nothing here may import prometheus_client before the arbiter has told it, in the environment, of that folder.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.glogging import Logger
from gunicorn.sock import close_sockets
from gunicorn.workers.base import Worker

from app.settings import Settings
from app.startup import StartError, return_freed_memory

_HUNG_AFTER_SECONDS = 30
"""Seconds without a turn of its event loop after which a worker is replaced."""
_ENGINE_ENDS_WITHIN_SECONDS = 4


def supervise(
    settings: Settings, listener: socket.socket, load: Callable[[Settings], FastAPI], announce: Callable[[], None]
) -> None:
    """Serve with ``settings.workers`` processes until a signal arrives. Raises StartError where one does not start.

    ``load`` makes the application from the settings of one worker, and ``announce`` is called in the last worker that
    gets ready. In a worker this function never returns: it raises SystemExit.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="glassbot-"))
    except OSError as error:
        raise StartError(f"Workers share files in a temporary folder, and there is none: {error}.") from error
    parent = os.getpid()
    try:
        _Arbiter(_Service(settings, listener, folder, load, announce)).run()
    except SystemExit as end:
        if os.getpid() != parent:
            raise
        if end.code:
            raise StartError(_failure(folder)) from end
    finally:
        if os.getpid() == parent:
            shutil.rmtree(folder, ignore_errors=True)


def share_of(settings: Settings) -> Settings:
    """Return the settings of one worker: its part of the cores, unless threads were chosen, and of the caches."""
    workers = settings.workers
    share = {
        "threads": settings.threads or max(1, len(os.sched_getaffinity(0)) // workers),
        "cache_pictures": -(-settings.cache_pictures // workers),
        "cache_outputs": -(-settings.cache_outputs // workers),
    }
    if "decode_threads" not in settings.model_fields_set:
        share["decode_threads"] = max(1, settings.decode_threads // workers)
    return settings.model_copy(update=share)


class _Service(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn is to run, and how."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        folder: Path,
        load: Callable[[Settings], FastAPI],
        announce: Callable[[], None],
    ) -> None:
        self.settings = share_of(settings)
        self.folder = folder
        self._listener = listener
        self._load = load
        self._announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Choose settings of gunicorn; it reads no others."""
        chosen = {
            "bind": f"fd://{self._listener.detach()}",
            "workers": self.settings.workers,
            "worker_class": _Worker,
            "logger_class": _Log,
            "preload_app": True,
            "raw_env": [f"PROMETHEUS_MULTIPROC_DIR={self.folder}"],
            "worker_tmp_dir": str(self.folder),
            "timeout": _HUNG_AFTER_SECONDS,
            "graceful_timeout": int(self.settings.longest_stop_seconds) + _ENGINE_ENDS_WITHIN_SECONDS,
            "control_socket_disable": True,
            "child_exit": self._after_worker,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> FastAPI:
        """Make the application, in the parent. Raises CheckpointError."""
        app = self._load(self.settings)
        from prometheus_client.multiprocess import mark_process_dead

        from app.http.server import Server

        self.server = partial(Server, app, self.settings)
        mark_process_dead(os.getpid())  # the parent answers nothing: no gauge is its
        return_freed_memory()
        gc.collect()
        gc.freeze()  # the collector would write to pages that are shared
        gc.enable()
        return app

    def ready(self, worker: int) -> None:
        """Note that a worker takes connections, and announce the service once all do."""
        _mark(self.folder, worker).touch()
        if len(list(self.folder.glob("ready-*"))) < self.settings.workers:
            return
        try:
            (self.folder / "announced").touch(exist_ok=False)
        except FileExistsError:  # by another worker, or before this one was replaced
            return
        self._announce()

    def _after_worker(self, arbiter: _Arbiter, worker: Worker) -> None:
        """In the parent, after a worker ended: take back what it said, and give up if it says that none can start.

        Before the service is announced, one that was killed says so, too; later a new one may do better.
        """
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
        mark = _mark(self.folder, worker.pid)
        hopeless = (self.folder / "failure").exists() or not (self.folder / "announced").exists()
        if arbiter.LISTENERS and not mark.exists() and hopeless:
            raise HaltServer("A worker did not start.", 1)
        mark.unlink(missing_ok=True)


def _mark(folder: Path, worker: int) -> Path:
    return folder / f"ready-{worker}"


def _failure(folder: Path) -> str:
    try:
        return (folder / "failure").read_text("utf-8")
    except FileNotFoundError:  # it was killed, or is an error of the arbiter
        return "A worker did not start: the log says how it ended."


class _Arbiter(Arbiter):  # type: ignore[misc]
    """Starts and replaces workers. A signal to end is passed on, and waited for without taking any more connections."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    LISTENERS: list[Any]

    def handle_term(self) -> None:
        """SIGTERM drains all workers; none is replaced any more."""
        self._end(signal.SIGTERM)

    def handle_hup(self) -> None:
        """A terminal that was closed drains all workers, too."""
        self.handle_term()

    def handle_int(self) -> None:
        """Ctrl-C lets all workers finish what was begun, and a second one ends everything at once."""
        self._end(signal.SIGINT)

    def _end(self, sig: signal.Signals) -> None:
        self.num_workers = 0
        close_sockets(self.LISTENERS)
        self.LISTENERS = []
        self.kill_workers(sig)

    def manage_workers(self) -> None:
        """Start workers that are missing; leave the main loop once none is wanted and none is left."""
        super().manage_workers()
        if not self.num_workers and not self.WORKERS:
            raise StopIteration


class _Worker(Worker):  # type: ignore[misc]
    """One process that serves."""

    def init_signals(self) -> None:
        """Let signals end this process until the server handles them, not the arbiter's way."""
        for sig in (*_Arbiter.SIGNALS, signal.SIGCHLD):
            signal.signal(sig, signal.SIG_DFL)

    def run(self) -> None:
        """Serve until a signal arrives, or until the parent is gone. Raises SystemExit where the engine fails."""
        os.setpgrp()  # Ctrl-C reaches the parent alone, which passes it on
        service: _Service = self.app

        def ready() -> None:
            return_freed_memory()
            service.ready(self.pid)

        def heartbeat() -> None:
            self.notify()
            self.wsgi.state.metrics.update()
            if os.getppid() != self.ppid:
                server.handle_exit(signal.SIGTERM, None)

        server = service.server(ready, heartbeat)
        try:
            server.run_on(self.sockets[0].sock)
        except StartError as error:
            (service.folder / "failure").write_text(str(error), "utf-8")
            raise SystemExit(1) from error
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has ended already


class _Log(Logger):  # type: ignore[misc]
    """Lets the program's own handler write what gunicorn logs."""

    def setup(self, cfg: object) -> None:  # noqa: ARG002  gunicorn's signature
        """Add no handler to those of the root logger."""
        self.error_log.propagate = True
