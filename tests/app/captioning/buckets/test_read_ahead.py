"""Pictures are read ahead, each once, and within the memory for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from app.captioning.buckets import read_ahead
from app.captioning.buckets.pictures import StoredPicture
from app.captioning.buckets.read_ahead import ReadAhead


def pictures(*sizes: int) -> list[StoredPicture]:
    return [StoredPicture(f"s3://a/{number}", f"a/{number}", size, "s3://a") for number, size in enumerate(sizes)]


class Counted:
    """Counts what is read."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._lock = Lock()

    def read(self, picture: StoredPicture) -> bytes:
        with self._lock:
            self.names.append(picture.name)
        if picture.size == 13:
            raise OSError("unlucky")
        return picture.name.encode()


def test_each_is_read_once_whoever_asks_and_in_whatever_order() -> None:
    counted = Counted()
    with ThreadPoolExecutor(4) as pool, ThreadPoolExecutor(2) as askers:
        ahead = ReadAhead(pictures(*[1] * 100), counted.read, pool)
        order = [number ^ 16 for number in range(96)] + [96, 97, 98, 99]
        assert list(askers.map(ahead.take, order)) == [f"s3://a/{number}".encode() for number in order]
    assert len(counted.names) == len(set(counted.names)) == 100


def test_no_more_is_held_than_there_is_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "_HELD_BYTES", 100)
    counted = Counted()
    with ThreadPoolExecutor(4) as pool:
        ahead = ReadAhead(pictures(40, 40, 40, 40, 500, 40), counted.read, pool)
        ahead.take(0)
        pool.submit(int).result()
        assert set(counted.names) <= {"s3://a/0", "s3://a/1"}
        for number in range(1, 6):
            ahead.take(number)
    assert len(counted.names) == 6


def test_what_cannot_be_read_or_is_too_large_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "_LARGEST_BYTES", 1000)
    counted = Counted()
    with ThreadPoolExecutor(1) as pool:
        ahead = ReadAhead(pictures(1, 13, 1001, 1), counted.read, pool)
        assert ahead.take(0)
        with pytest.raises(OSError, match="unlucky"):
            ahead.take(1)
        with pytest.raises(OSError, match="at most"):
            ahead.take(2)
        assert ahead.take(3)
