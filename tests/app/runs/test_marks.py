"""What explains a curve is read from the run log."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from app.runs.charts import charts
from app.runs.marks import marks
from model.checkpoint import PRETRAINED
from model.runlog import reader, writer


def log(folder: Path, *entries: dict[str, Any]) -> reader.Record:
    path = folder / "metrics.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        writer.append(path, entry)
    return reader.read(folder)


def rates(*lrs: float) -> list[dict[str, Any]]:
    return [{"step": 25 * (i + 1), "size": 99, "loss": 3.0 - i / 100, "lr": lr} for i, lr in enumerate(lrs)]


def test_growing_pictures_are_marked_where_they_grew(tmp_path: Path) -> None:
    record = log(tmp_path, *({"step": s, "size": 67 if s <= 50 else 99, "loss": 2.0} for s in (25, 50, 75)))
    [mark] = marks(record)
    assert (mark.step, mark.label) == (50, "99\u00a0px")
    assert "from 67 to 99 pixels" in mark.text


def test_a_rate_is_marked_at_its_highest_and_where_it_is_raised_again(tmp_path: Path) -> None:
    record = log(tmp_path, *rates(0.1, 0.5, 1.0, 0.8, 0.6, 0.4, 0.2, 0.01, 0.9, 0.5, 0.1, 0.01))
    assert [(mark.step, mark.label) for mark in marks(record)] == [(75, "highest rate"), (200, "rate raised")]


def test_a_run_that_went_on_from_another_network_says_so(tmp_path: Path) -> None:
    log(tmp_path, *rates(1.0, 0.9))
    (tmp_path / "config.json").write_text('{"provenance": {"started_from": "earlier"}}')
    [mark] = marks(reader.read(tmp_path))
    assert (mark.step, mark.label) == (0, "start")


def test_a_rate_that_only_falls_has_no_mark(tmp_path: Path) -> None:
    assert marks(log(tmp_path, *rates(1.0, 0.9, 0.5, 0.1))) == []


def test_a_note_of_the_log_comes_before_what_can_be_read_from_figures(tmp_path: Path) -> None:
    note = {"step": 50, "note": {"label": "second run", "text": "It begins anew."}}
    damaged = [{"step": 25, "note": {"label": 3, "text": "no"}}, {"step": 25, "note": "no"}]
    record = log(tmp_path, *rates(0.9, 0.1, 0.9), note, *damaged)
    assert [(mark.step, mark.label, mark.text) for mark in marks(record)] == [(50, "second run", "It begins anew.")]


def test_a_curve_is_drawn_in_its_box_from_left_to_right(tmp_path: Path) -> None:
    record = log(tmp_path, *rates(1.0, 0.9, 0.5, 0.1))
    [loss] = charts(record)
    points = [tuple(map(float, one.split())) for one in loss.paths(record.end)["loss"][1:].split("L")]
    assert points[0] == (150.0, 0.0)  # the highest loss, a quarter of the way
    assert points[-1] == (600.0, 200.0)
    assert [x for x, _ in points] == sorted(x for x, _ in points)


@pytest.mark.anyio
async def test_the_shipped_curves_are_explained_and_drawn_without_scripts(client: httpx.AsyncClient) -> None:
    if not (PRETRAINED.parent / "journal.jsonl").is_file():
        pytest.skip("no run log is shipped")
    record = reader.read(PRETRAINED.parent / "journal.jsonl")
    page = (await client.get("/training")).text
    for mark in marks(record):
        assert f'href="#step={mark.step}"' in page
        assert mark.text in page
    drawn = [
        part.partition("</noscript>")[0] for part in page.split("<noscript>") if part.startswith('<svg class="drawn"')
    ]
    assert len(drawn) == len(charts(record))
    for one in drawn:
        assert ElementTree.fromstring(one).findall("path")
