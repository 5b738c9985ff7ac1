"""What a step sends is computed as a ring sends it; what is measured beside it takes root and minutes."""

from __future__ import annotations

import sys

import pytest

from benchmarks import exchange


def test_a_ring_of_one_sends_nothing_and_a_large_one_everything_twice() -> None:
    assert exchange.ring_bytes(100, 1) == 0
    assert exchange.ring_bytes(100, 2) == 100
    assert exchange.ring_bytes(100, 1000) == pytest.approx(200, rel=0.01)


def test_eight_gpus_bring_eight_times_one_where_sending_takes_no_time() -> None:
    assert exchange.gain(1000, 512, 100, link=1e30) == pytest.approx(8)
    assert exchange.gain(512, 512, 100, link=175) == pytest.approx(4)  # a second each for pictures and exchange
    assert exchange.gain(1e9, 512, 1e9, link=1e6) < 0.01


def test_the_sizes_are_printed_without_a_second_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks.exchange", "--steps", "0", "--labels", "10", "--rate", "700"])
    exchange.main()
    said = capsys.readouterr().out
    assert "8 GPUs of 700 pictures/s" in said
    assert "gradients in f32: 228 MB a step; each process sends 228 MB of 2, 398 MB of 8" in said
