"""The decoders' threads: their priority, and when all of them are busy."""

import os
from threading import Event

import pytest

from app.inference.decoders import Decoders


def test_decoders_work_in_a_process_that_is_nice_already(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(_: int, __: int, priority: int) -> None:
        asked.append(priority)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "getpriority", lambda _, __: 15)
    monkeypatch.setattr(os, "setpriority", refuse)
    with Decoders(1) as threads:
        assert threads.submit(lambda: "decoded").result() == "decoded"
    assert asked == [25]  # the system takes it for 19, the nicest


def test_all_are_busy_while_each_has_a_picture_whatever_becomes_of_it() -> None:
    go = Event()
    with Decoders(2) as decoders:
        assert not decoders.all_busy()
        first = decoders.submit(go.wait, 60)
        assert not decoders.all_busy()
        others = [decoders.submit(go.wait, 60), decoders.submit(lambda: 1 / 0), decoders.submit(go.wait, 60)]
        assert decoders.all_busy()
        assert others[2].cancel()
        assert decoders.all_busy()
        go.set()
        assert first.result(60)
        assert isinstance(others[1].exception(60), ZeroDivisionError)
    assert not decoders.all_busy()  # asked when the threads have ended: a result is there before it is counted as done
