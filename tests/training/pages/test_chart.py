"""Curves become positions in percent, and numbers words."""

import math

from training.pages.chart import chart, number, spread_apart, thin, ticks


def test_ticks_are_round_and_enclose_what_is_drawn() -> None:
    assert ticks(2.4, 4.9) == [2, 3, 4, 5]
    assert ticks(0, 0.353) == [0, 0.1, 0.2, 0.3, 0.4]
    for low, high in ((0, 0), (3, 3), (-1, -1), (1e-9, 2e-9), (0, 9e11)):
        found = ticks(low, high)
        assert len(found) >= 2
        assert found[0] <= low <= high <= found[-1]


def test_a_long_curve_is_thinned_to_means() -> None:
    points = [(float(i), math.sin(i)) for i in range(10_000)]
    kept = thin(points)
    assert len(kept) <= 600
    assert kept[-1] == points[-1]
    assert max(abs(y) for _, y in kept[:-1]) < 0.2
    assert thin(points[:5]) == points[:5]


def test_names_at_the_edge_do_not_cover_each_other() -> None:
    assert spread_apart([50, 52, 10], 13) == [50, 63, 10]
    assert spread_apart([99, 98], 13) == [100, 87]
    assert spread_apart([], 13) == []


def test_a_chart_is_placed_in_percent() -> None:
    made = chart("t", "n", [("a", [(0, 0), (50, 10)]), ("b", [(100, 5)])], end=100, marks=[25], from_zero=True)
    assert made.lines[0].path == "M0 100L50 0"
    assert made.lines[1].path == "M100 50h0"
    assert made.marks == (25,)
    assert [tick.at for tick in made.x] == [0, 25, 50, 75, 100]
    stairs = chart("t", "n", [("", [(0, 1), (4, 2)])], end=4, stairs=True)
    assert stairs.lines[0].path == "M0 100H100V0"


def test_numbers_are_written_for_people() -> None:
    assert [number(n) for n in (0, 1700, 0.35, 2.5e-5, 12.0, -0.5, 3e9)] == [
        "0",
        "1,700",
        "0.35",
        "2.5e-05",
        "12",
        "-0.5",
        "3e+09",
    ]
