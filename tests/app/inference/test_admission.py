from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from app.inference import admission as module
from app.inference.admission import Admission, FullError

pytestmark = pytest.mark.anyio


def test_room_is_what_is_answered_in_time_within_bounds() -> None:
    admission = Admission(64)
    for rate, seconds, least, room in ((100, 0.15, 8, 15), (10, 0.15, 8, 8), (10_000, 0.15, 8, 64), (61, 0.1, 1, 7)):
        admission.settle(rate, seconds, least=least)
        assert admission.room == room


def test_as_many_come_in_as_there_is_room_and_each_that_leaves_makes_some() -> None:
    admission = Admission(8)
    admission.settle(1, 1, least=2)
    with ExitStack() as inside:
        for _ in range(2):
            inside.enter_context(admission.enter())
        with pytest.raises(FullError), admission.enter():
            pass
        assert (admission.busy, admission.present) == (2, 2)
    assert (admission.busy, admission.present) == (0, 0)
    with admission.enter():
        assert admission.busy == 1


async def test_a_slow_sender_holds_no_place_until_his_body_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    admission = Admission(2)
    admission.settle(1, 1, least=1)
    with admission.enter() as slow:
        with slow.receiving():
            await asyncio.sleep(0.05)
            assert admission.busy == 0
            with admission.enter() as quick:
                with quick.receiving():
                    assert admission.busy == 1
                assert admission.busy == 1
                with pytest.raises(FullError), admission.enter():  # both are still in memory
                    pass
        assert admission.busy == 1
        with pytest.raises(FullError), admission.enter():
            pass
    assert (admission.busy, admission.present) == (0, 0)


async def test_a_body_that_fails_gives_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    admission = Admission(2)

    async def torn() -> None:
        with admission.enter() as place, place.receiving():
            await asyncio.sleep(0.05)
            raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        await torn()
    assert (admission.busy, admission.present) == (0, 0)
