from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from app.inference import batcher as batcher_module
from app.inference.batcher import Batcher, ClosedError, Done, QueueFullError

pytestmark = pytest.mark.anyio


class Gate:
    """Work that waits until it is let through, and remembers its batches."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.begun.release()
        assert self.open.wait(60)
        return [10 * item for item in items]


def same(result: int) -> int:
    return result


@asynccontextmanager
async def batching(
    work: Callable[[Sequence[int]], Sequence[int]], *, max_batch: int = 4, max_waiting: int = 8
) -> AsyncIterator[Batcher[int, int]]:
    batcher = Batcher(work, max_batch=max_batch, max_waiting=max_waiting)
    await batcher.start()
    try:
        yield batcher
    finally:
        await batcher.close()


async def until_begun(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.begun.acquire, timeout=60)


def ask(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    async def one(item: int) -> int:
        return (await batcher.submit(item, same)).result

    return [asyncio.create_task(one(item)) for item in items]


async def test_each_caller_gets_the_answer_to_its_own_item() -> None:
    async with batching(lambda items: [item * item for item in items], max_waiting=100) as batcher:
        assert await asyncio.gather(*ask(batcher, *range(50))) == [i * i for i in range(50)]


@pytest.mark.usefixtures("patient")
async def test_a_lone_item_does_not_wait_for_company() -> None:
    async with batching(lambda items: list(items)) as batcher:
        done = await asyncio.wait_for(batcher.submit(1, same), 60)
    assert done.batch_size == 1


async def test_a_free_worker_takes_everything_that_waits_up_to_the_largest_batch() -> None:
    gate = Gate()
    async with batching(gate, max_batch=4) as batcher:
        first = ask(batcher, 0)
        await until_begun(gate)
        rest = ask(batcher, 1, 2, 3, 4, 5, 6)
        await asyncio.sleep(0)
        gate.open.set()
        assert await asyncio.gather(*first, *rest) == [0, 10, 20, 30, 40, 50, 60]
    assert gate.batches == [[0], [1, 2, 3, 4], [5, 6]]


async def test_a_full_queue_refuses_at_once_and_recovers() -> None:
    gate = Gate()
    async with batching(gate, max_waiting=2) as batcher:
        tasks = ask(batcher, 0)
        await until_begun(gate)
        tasks += ask(batcher, 1, 2)
        await asyncio.sleep(0)
        assert len(batcher) == 2
        with pytest.raises(QueueFullError):
            await batcher.submit(3, same)
        gate.open.set()
        assert await asyncio.gather(*tasks) == [0, 10, 20]
        assert (await batcher.submit(4, same)).result == 40


async def test_a_cancelled_waiter_is_dropped_before_it_costs_anything_and_harms_no_other() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        running = ask(batcher, 0)
        await until_begun(gate)
        gone, stays = ask(batcher, 1, 2)
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        gate.open.set()
        assert await asyncio.gather(*running, stays) == [0, 20]
        assert gone.cancelled()
    assert gate.batches == [[0], [2]]


async def test_a_waiter_cancelled_in_the_middle_of_its_batch_harms_no_other() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        blocker = ask(batcher, 0)
        await until_begun(gate)
        gone, stays = ask(batcher, 1, 2)
        gate.open.set()
        await asyncio.gather(*blocker)
        await until_begun(gate)
        gone.cancel()
        assert await stays == 20
        assert (await batcher.submit(3, same)).result == 30


async def test_waiters_that_left_hold_no_place_in_a_full_queue() -> None:
    gate = Gate()
    async with batching(gate, max_waiting=2) as batcher:
        running = ask(batcher, 0)
        await until_begun(gate)
        gone = ask(batcher, 1, 2)
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.sleep(0)
        late = ask(batcher, 3)
        await asyncio.sleep(0)
        gate.open.set()
        assert await asyncio.gather(*running, *late) == [0, 30]


async def test_a_deadline_ends_the_wait_and_drops_the_item() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        running = ask(batcher, 0)
        await until_begun(gate)
        with pytest.raises(TimeoutError):
            await batcher.submit(1, same, timeout=0.02)
        gate.open.set()
        await asyncio.gather(*running)
    assert gate.batches == [[0]]


async def test_a_bad_item_fails_alone() -> None:
    gate = Gate()

    def work(items: Sequence[int]) -> list[int]:
        if 2 in items:
            raise ValueError("two is bad")
        return gate(items)

    async with batching(work) as batcher:
        running = ask(batcher, 0)
        await until_begun(gate)
        one, two, three = ask(batcher, 1, 2, 3)
        gate.open.set()
        assert await asyncio.gather(*running, one, three) == [0, 10, 30]
        with pytest.raises(ValueError, match="two is bad"):
            await two


async def test_work_that_fails_once_is_tried_again() -> None:
    faults: list[Exception] = [RuntimeError("hiccup")]

    def work(items: Sequence[int]) -> list[int]:
        if faults:
            raise faults.pop()
        return list(items)

    async with batching(work) as batcher:
        assert (await batcher.submit(7, same)).result == 7


async def test_too_few_results_are_nobodys_answer() -> None:
    async with batching(lambda _: []) as batcher:
        with pytest.raises(ValueError, match="0 results for 1 items"):
            await batcher.submit(1, same)


async def test_closing_finishes_what_waits_and_takes_no_more() -> None:
    gate = Gate()
    batcher = Batcher(gate, max_batch=1, max_waiting=8)
    await batcher.start()
    tasks = ask(batcher, 1, 2, 3)
    await until_begun(gate)
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    with pytest.raises(ClosedError):
        await batcher.submit(4, same)
    gate.open.set()
    await closing
    assert await asyncio.gather(*tasks) == [10, 20, 30]


@pytest.mark.parametrize(("max_batch", "max_waiting"), [(0, 1), (1, 0)])
async def test_a_batcher_needs_room(max_batch: int, max_waiting: int) -> None:
    with pytest.raises(ValueError, match="room"):
        Batcher(list[int], max_batch=max_batch, max_waiting=max_waiting)


async def test_an_answer_that_cannot_be_made_harms_no_other() -> None:
    def halved(number: int) -> int:
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number // 2

    batcher: Batcher[int, int] = Batcher(lambda numbers: numbers, max_batch=4, max_waiting=8)
    await batcher.start()
    answers = await asyncio.gather(*(batcher.submit(n, halved) for n in (2, 3, 4)), return_exceptions=True)
    assert [a.result if isinstance(a, Done) else str(a) for a in answers] == [1, "3 is odd", 2]
    await batcher.close()


async def test_closing_waits_for_the_answers_that_are_being_made() -> None:
    def slowly(number: int) -> int:
        time.sleep(0.1)
        return number

    batcher: Batcher[int, int] = Batcher(lambda numbers: numbers, max_batch=2, max_waiting=8)
    await batcher.start()
    waiting = [asyncio.ensure_future(batcher.submit(n, slowly)) for n in range(3)]
    await asyncio.sleep(0)
    await batcher.close()
    assert [done.result for done in await asyncio.gather(*waiting)] == [0, 1, 2]


@pytest.mark.parametrize("error", [StopIteration, SystemExit, asyncio.CancelledError])
async def test_no_error_takes_the_batcher_or_a_neighbour_along(error: type[BaseException]) -> None:
    def work(numbers: Sequence[int]) -> Sequence[int]:
        if 3 in numbers:
            raise error
        return numbers

    def then(number: int) -> int:
        if number == 4:
            raise error
        return number

    batcher: Batcher[int, int] = Batcher(work, max_batch=4, max_waiting=8)
    await batcher.start()
    answers = await asyncio.gather(*(batcher.submit(n, then) for n in (2, 3, 4, 5)), return_exceptions=True)
    assert [a.result if isinstance(a, Done) else type(a) for a in answers] == [2, RuntimeError, RuntimeError, 5]
    assert (await batcher.submit(6, then)).result == 6
    await batcher.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first item waits for others longer than a busy machine may take to bring them, or than a test waits."""
    monkeypatch.setattr(batcher_module, "_MOST_GATHERED_S", 120)


@pytest.mark.usefixtures("patient")
async def test_a_batch_begins_once_it_is_half_full_or_nothing_more_is_to_come() -> None:
    gate, coming = Gate(), threading.Event()
    gate.open.set()
    coming.set()
    async with batching(gate, max_batch=8) as batcher:
        batcher.more_to_come = coming.is_set
        tasks = ask(batcher, 1, 2, 3)
        await asyncio.sleep(0)
        assert gate.batches == []
        tasks += ask(batcher, 4)
        assert await asyncio.gather(*tasks) == [10, 20, 30, 40]
        assert gate.batches == [[1, 2, 3, 4]]
        coming.clear()
        assert await asyncio.gather(*ask(batcher, 5)) == [50]


async def test_nobody_waits_long_for_others_that_never_come() -> None:
    async with batching(lambda items: [10 * item for item in items]) as batcher:
        batcher.more_to_come = lambda: True
        async with asyncio.timeout(60):
            assert await asyncio.gather(*ask(batcher, 1)) == [10]


@pytest.mark.usefixtures("patient")
async def test_whoever_closes_waits_for_nobody_else() -> None:
    gate = Gate()
    gate.open.set()
    async with batching(gate) as batcher:
        batcher.more_to_come = lambda: True
        tasks = ask(batcher, 1)
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [10]
