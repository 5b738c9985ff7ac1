"""The benchmark of decoding measures every size and task in both checkouts."""

from __future__ import annotations

import pytest

from benchmarks import decoding


def test_a_checkout_is_compared_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "SIZES", ((64, 48), (96, 96)))
    monkeypatch.setattr(decoding, "_STARTS", 1)
    table = decoding.table_of(decoding.measure(decoding.HERE, decoding.HERE, 2))
    assert table.row_count == 2 * len(decoding.TASKS)
    assert all(float(str(cell)) > 0 for column in (2, 3, 4) for cell in table.columns[column].cells)
