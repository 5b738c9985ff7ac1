from __future__ import annotations

from contextlib import ExitStack

import pytest

from app.inference import admission as module
from app.inference.admission import Admission, FullError
from tests.app.conftest import until

pytestmark = pytest.mark.anyio


def test_capacity_is_what_is_answered_in_time_within_bounds() -> None:
    admission = Admission(64)
    for rate, seconds, least, capacity in (
        (100, 0.15, 8, 15),
        (10, 0.15, 8, 8),
        (10_000, 0.15, 8, 64),
        (61, 0.1, 1, 7),
    ):
        admission.settle(rate, seconds, least=least)
        assert admission.capacity == capacity


def test_as_many_are_admitted_as_there_is_capacity_and_each_that_ends_frees_a_slot() -> None:
    admission = Admission(8)
    admission.settle(1, 1, least=2)
    with ExitStack() as inside:
        for _ in range(2):
            inside.enter_context(admission.enter())
        with pytest.raises(FullError), admission.enter():
            pass
        assert (admission.active, admission.in_memory) == (2, 2)
    assert (admission.active, admission.in_memory) == (0, 0)
    with admission.enter():
        assert admission.active == 1


async def test_a_slow_upload_holds_no_slot_until_its_body_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SENDER_AFTER_S", 0.01)
    admission = Admission(2)
    admission.settle(1, 1, least=1)
    with admission.enter() as slow:
        with slow.receiving():
            await until(lambda: admission.active == 0)
            assert admission.active == 0
            with admission.enter() as quick:
                with quick.receiving():
                    assert admission.active == 1
                assert admission.active == 1
                with pytest.raises(FullError), admission.enter():  # both are still in memory
                    pass
        assert admission.active == 1
        with pytest.raises(FullError), admission.enter():
            pass
    assert (admission.active, admission.in_memory) == (0, 0)


async def test_a_body_that_fails_gives_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SENDER_AFTER_S", 0.01)
    admission = Admission(2)

    async def torn() -> None:
        with admission.enter() as slot, slot.receiving():
            await until(lambda: admission.active == 0)
            raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        await torn()
    assert (admission.active, admission.in_memory) == (0, 0)
