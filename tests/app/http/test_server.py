"""The process that serves: how its socket is listened to."""

import gc
import socket
from types import SimpleNamespace

import pytest

from app.http import server
from app.main import create_app
from app.settings import Settings
from app.startup import listen
from tests.tiny import tiny_network


def test_several_descriptors_of_one_socket_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[list[socket.socket]] = []
    monkeypatch.setattr(server.Server, "run", lambda _, sockets: served.append(sockets))
    settings = Settings()
    with listen("127.0.0.1", 0) as listener:
        server.Server(create_app(settings, tiny_network(67)), settings, lambda: None).run_on(listener)
        (sockets,) = served
        assert sockets[0] is listener
        assert {one.getsockname() for one in sockets} == {listener.getsockname()}
        assert len({one.fileno() for one in sockets}) == len(sockets) == 16
        for one in sockets[1:]:
            one.close()


@pytest.mark.anyio
async def test_garbage_is_collected_as_soon_as_the_engine_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[bool] = []
    settings = Settings()
    serving = server.Server(create_app(settings, tiny_network(67)), settings, lambda: collected.append(gc.isenabled()))
    host = SimpleNamespace(ready=False, failure=None)
    monkeypatch.setattr(serving, "_host", host)
    gc.disable()  # as `glassbot serve` does before it imports
    try:
        await serving.on_tick(1)
        assert (gc.isenabled(), collected) == (False, [])
        host.ready = True
        await serving.on_tick(2)
        assert collected == [True]
    finally:
        gc.enable()
        gc.unfreeze()
