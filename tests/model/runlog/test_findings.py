"""What ``ablate --json`` writes is what the page reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.checkpoint import PRETRAINED
from model.runlog.findings import Finding, Findings, read, write


def finding(mean: float, half: float | None, *gains: float, even: float = 0) -> Finding:
    measure = "steps, ×" if even else "top-1 points"
    return Finding(hypothesis="ReLU helps", paper="6 ×", measure=measure, even=even, mean=mean, half=half, gains=gains)


def test_findings_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = Findings(
        facts={"command": "python -m training ablate all", "steps": 100, "seeds": 2},
        by_name={"relu": finding(0.7, 0.5, 0.4, 1.0, even=1), "lrn": finding(3, None, 3)},
    )
    write(tmp_path / "found.json", written)
    assert read(tmp_path / "found.json") == written


@pytest.mark.parametrize("name", ["claims.json", "switches.json"])
def test_the_shipped_findings_are_read_and_only_their_key_before_0_1_0_changes(name: str, tmp_path: Path) -> None:
    shipped = read(PRETRAINED.parent / name)
    assert shipped is not None
    write(tmp_path / name, shipped)
    text = (PRETRAINED.parent / name).read_text("utf-8")
    assert (tmp_path / name).read_text("utf-8") == text.replace('\n "claims": {', '\n "hypotheses": {')
    assert read(tmp_path / name) == shipped


def test_an_absent_file_holds_nothing_and_keys_of_later_versions_are_ignored(tmp_path: Path) -> None:
    assert read(tmp_path / "absent.json") is None
    path = tmp_path / "later.json"
    write(path, Findings(facts={"steps": 1}, by_name={"lrn": finding(1, 2, 3)}))
    path.write_text(path.read_text("utf-8").replace('"said"', '"novel": [1], "said"'), "utf-8")
    assert read(path) == Findings(facts={"steps": 1}, by_name={"lrn": finding(1, 2, 3)})


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"claims": 1}', '{"claims": {"lrn": {}}}', "[" * 100_000])
def test_another_file_is_refused_in_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="holds no findings of ablate"):
        read(path)


def test_a_finding_is_open_where_its_interval_holds_no_difference() -> None:
    points = [finding(4, 3, 2, 6), finding(-4, 3, -8, 0), finding(2, 2, 1, 3), finding(9, None, 9)]
    factors = [finding(0.5, 0.6, 0.5, even=1), finding(2, 0.5, 2, even=1)]
    assert [row.verdict for row in points] == ["for", "against", "open", "open"]
    assert [row.verdict for row in factors] == ["open", "for"]
    assert [row.times for row in (*points, *factors)] == [False] * 4 + [True] * 2
